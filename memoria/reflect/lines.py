"""From what was found to the lines of a profile.

What enters: a person's `Material`. What leaves: `ProfileLine`s, each with what it cites. Their words are functions of
what they cite, so that `verify` can make them again and compare.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from memoria.clock import to_micros
from memoria.extract.ontology import Ontology
from memoria.extract.proposals import SELF
from memoria.reflect.concerns import concerns
from memoria.reflect.contradictions import contradictions
from memoria.reflect.decay import strength, strength_of
from memoria.reflect.material import Known, Material, Said, day_of, days_between
from memoria.reflect.records import Contradiction, ProfileLine, SectionName
from memoria.reflect.sections import fading_of, is_placed, section_of
from memoria.reflect.style import traits
from memoria.reflect.topics import Topic, line_of, topics, weekday_of, weekday_shares
from memoria.store.text import terms

MOST_CITED = 200  # turns of one line
_UNDATED = frozenset(("identity", "preferences"))  # since when one has a name says nothing
_STALE_DAYS = 45  # after which a plan that nobody speaks of concerns nobody
_UNKNOWN_PREDICATE = 0.5  # weight of a fact whose predicate the ontology does not know: more often misread
_UNPLACED = 0.7  # of one that belongs to no section by name: what one has and buys
_UNCLEAR = 0.4  # of a belief whose value is no name or short phrase: a clause, cut or misread, or a wish of the moment
_LONGEST_VALUE = 7  # words
_RECURRING = 0.6  # of an insight: that somebody is often spoken of says less than who they are
# Words of a clause; and what is asked of whoever listens: "I'd love to hear more", "some tips".
_CLAUSE = re.compile(
    r"\b(?:i|me|my|you|your|it|they|we|is|are|was|were|did|does|has|have|will|would|should|which|who|how|what)\b"
    r"|^(?:get|hear|know|see|find|learn|try|be)\b"
    r"|\b(?:tips|advice|recommendations?|suggestions?|feedback|more about)\b",
    re.IGNORECASE,
)
_LATELY = 0.5  # share of a topic's sessions in the last fifth of all, from which on it is a concern


def belief_lines(material: Material, ontology: Ontology, groups: Sequence[Sequence[Known]]) -> list[ProfileLine]:
    """A line for each group of beliefs that say the same; `groups` hold the strongest first."""
    return [line for group in groups if (line := _belief_line(material, ontology, group)) is not None]


def belief_text(known: Known, section: SectionName) -> str:
    """A belief in a line: its statement, and since when where that says something."""
    belief = known.belief
    if belief.status == "upcoming" and belief.valid_from is not None:
        return f"{belief.statement} (from {belief.valid_from:%Y-%m-%d})"
    if section in _UNDATED or belief.valid_from is None:
        return belief.statement
    return f"{belief.statement} (since {belief.valid_from:%Y-%m-%d})"


def section_for(known: Known, ontology: Ontology, moment: int) -> SectionName | None:
    """The section of a belief; None for a plan whose time has passed."""
    section = section_of(known.belief, ontology)
    if section != "concerns":
        return section
    start = known.belief.valid_from
    last = max([said for _, said in known.said] + list(known.by_hand), default=0)
    ahead = start is not None and to_micros(start) > moment
    return section if ahead or days_between(last, moment) <= _STALE_DAYS else None


def is_clear(value: str) -> bool:
    """Whether what a belief says of something is a name or a short phrase."""
    return len(value.split()) <= _LONGEST_VALUE and not _CLAUSE.search(value)


def topic_lines(material: Material, rarity: dict[str, float] | None = None) -> list[ProfileLine]:
    """Insights: what recurs, with its support."""
    shares = weekday_shares(material.turns)
    order = sorted({(each.episode.occurred_at, each.episode.session) for each in material.turns})
    sessions = list(dict.fromkeys(session for _, session in order))
    lately = set(sessions[-max(1, len(sessions) // 5) :])
    found: list[ProfileLine] = []
    for topic in topics(material.turns, rarity):
        ages = _ages(topic.turns, material.moment)
        section = _topic_section(topic, weekday_of(topic, shares) is not None, lately)
        found.append(
            ProfileLine(
                section=section,
                kind="insight",
                text=line_of(topic, shares),
                episode_ids=_ids(topic.turns),
                support=len(topic.turns),
                strength=_RECURRING * strength(ages, fading_of(section)) * (rarity or {}).get(topic.term, 1.0),
                detail={"term": topic.term, "name": topic.name, "is_name": topic.is_name},
            )
        )
    return found


def style_lines(material: Material) -> list[ProfileLine]:
    """How the person speaks."""
    total = max(1, len(material.turns))
    return [
        ProfileLine(
            section="style",
            kind="style",
            text=trait.text,
            episode_ids=_ids(trait.turns),
            support=trait.support,
            strength=min(1.0, 0.5 + trait.support / (2 * total)),
            detail={"trait": trait.name},
        )
        for trait in traits(material.turns)
    ]


def concern_lines(material: Material) -> list[ProfileLine]:
    """What occupies the person at present, quoted."""
    return [
        ProfileLine(
            section="concerns",
            kind="concern",
            text=each.text,
            episode_ids=(each.said.episode.id,),
            strength=strength(_ages([each.said], material.moment), fading_of("concerns")),
            detail={"quote": each.quote},
        )
        for each in concerns(material.turns, material.moment)
    ]


def question_lines(material: Material) -> tuple[list[ProfileLine], list[Contradiction]]:
    """What wants confirming, and what contradicts itself."""
    apart = contradictions(material.known)
    by_id = {each.belief.id: each for each in material.known}
    found = [
        _question([by_id[one], by_id[other]], contradiction_text(each), material)
        for each in apart
        for one, other in [each.belief_ids]
    ]
    doubted = [each for each in material.known if each.belief.needs_confirmation]
    return found + [_question([each], doubt_text(each), material) for each in doubted], apart


def contradiction_text(each: Contradiction) -> str:
    """A contradiction as a question."""
    return f"which holds: {each.text}?"


def doubt_text(known: Known) -> str:
    """A belief that wants confirming, as a question."""
    said = max([when for _, when in known.said] + list(known.by_hand), default=None)
    last = f" (last said {day_of(said)})" if said is not None else ""
    return f"is it still so: {known.belief.statement}{last}?"


def _belief_line(material: Material, ontology: Ontology, group: Sequence[Known]) -> ProfileLine | None:
    section = section_for(group[0], ontology, material.moment)
    if section is None:
        return None
    first = group[0].belief
    weight = 1.0
    if first.kind == "fact":
        known = first.predicate in ontology.predicates
        weight = _UNKNOWN_PREDICATE if not known else 1.0 if is_placed(first.predicate) else _UNPLACED
    if not is_clear(first.object if first.kind == "fact" else first.topic):
        weight *= _UNCLEAR
    names = {said.row: said.episode.id for said in material.turns}
    rows = dict.fromkeys(row for each in group for row in each.episodes)
    return ProfileLine(
        section=section,
        kind="belief",
        text=belief_text(group[0], section),
        belief_ids=tuple(each.belief.id for each in group),
        episode_ids=_bounded([names[row] for row in rows if row in names]),
        support=max(1, len(rows)),
        strength=weight * max(_strength(material, each, section) for each in group),
    )


def _strength(material: Material, known: Known, section: SectionName) -> float:
    """A belief about somebody is as strong as they are spoken of."""
    own = strength_of(known, fading_of(section), material.moment)
    if section != "people" or known.belief.kind == "preference":
        return own
    name = terms(known.belief.object if known.belief.subject == SELF else known.belief.subject)
    turns = material.speaking_of.get(name[-1], ()) if name else ()
    return max(own, strength(_ages(turns, material.moment), fading_of(section)))


def _ages(turns: Sequence[Said], moment: int) -> list[float]:
    return [days_between(to_micros(each.episode.occurred_at), moment) for each in turns]


def _question(known: Sequence[Known], text: str, material: Material) -> ProfileLine:
    names = {said.row: said.episode.id for said in material.turns}
    return ProfileLine(
        section="questions",
        kind="question",
        text=text,
        belief_ids=tuple(each.belief.id for each in known),
        episode_ids=tuple(dict.fromkeys(names[row] for each in known for row in each.episodes if row in names)),
        support=len(known),
        strength=max(strength_of(each, fading_of("questions"), material.moment) for each in known),
    )


def _topic_section(topic: Topic, regular: bool, lately: set[str]) -> SectionName:
    """Names are people or places; the rest is a routine, or of late a concern."""
    if regular:
        return "routines"
    sessions = {each.episode.session for each in topic.turns}
    recent = len(sessions & lately) >= _LATELY * len(sessions)
    if not topic.is_name:
        return "concerns" if recent else "routines"
    return "places" if topic.is_place else "people"


def _bounded(ids: Sequence[str]) -> tuple[str, ...]:
    """The latest, and the first, whose words the belief's are."""
    return tuple(ids) if len(ids) <= MOST_CITED else (ids[0], *ids[1 - MOST_CITED :])


def _ids(turns: Sequence[Said]) -> tuple[str, ...]:
    return tuple(each.episode.id for each in turns[-MOST_CITED:])
