"""The extractor that works offline: rules for English.

What enters: episodes. What leaves: proposals, each quoting its clause. Only what the person said themselves is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from memoria.extract.changes import CORRECTING, instead_of, meant
from memoria.extract.ontology import Ontology
from memoria.extract.people import People
from memoria.extract.phrases import clip, since_of
from memoria.extract.proposals import SELF, Proposal
from memoria.extract.sentences import Clause, clauses_of
from memoria.extract.statements import Statements, taste_proposal
from memoria.extract.subjects import Spoken, expand, read_subject
from memoria.extract.tastes import read_thing
from memoria.records import ROLES, Episode

_HABIT = re.compile(
    r"\b(?:every|always|usually|each|most (?:days|mornings|evenings|weekends|nights)|twice a|once a|three times a|on (?:mon|tues|wednes|thurs|fri|satur|sun)days|on weekends|in the (?:mornings?|evenings?)|after work|before work|daily|weekly)\b",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    r"^(?:(?:always|usually|often|also|still|only|just|then|normally|mostly|sometimes) )*(?!(?:am|is|are|was|were|have|has|had|do|does|did|will|would|can|could|should|need|want|think|know|guess|hope|feel|see|saw|got|went|made|told|said|asked|wonder|mean|love|like|hate|prefer|dislike|enjoy|avoid|refuse|not|can not)\b)[a-z]+\b"
)
_NOT_LEAN = frozenset("home employer school wife husband partner girlfriend boyfriend fiance drives".split())
_PRONOUN = re.compile(r"(?<=\w )(?:it|them|that|those)(?=$|[ ,.!])", re.IGNORECASE)
_FIRST = re.compile(r"^(?:i|we)\s+(?P<phrase>.+)$", re.IGNORECASE | re.DOTALL)
_LONGEST_ROUTINE = 24  # words


class RulesExtractor:
    """Reads English by rules; safe to share by threads."""

    name = "rules-1"

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self._people = People(ontology)
        self._statements = Statements(ontology, self._people)
        self._words = ontology.place_words()
        nouns = "|".join(sorted(map(re.escape, self._words), key=len, reverse=True))
        self._places = re.compile(
            r"\b(?:my|our|the|new|old|from|at|to|near|after|before|with my|that)\s+"
            rf"(?:(?:new|old|current|little|daily|local|own|company|parents')\s+)?(?P<word>{nouns})\b",
            re.IGNORECASE,
        )

    def extract(self, episodes: Sequence[Episode], known: Sequence[str]) -> list[list[Proposal]]:
        """The proposals of each episode; none of what somebody else said."""
        return [self._read(each) if each.role == "user" and each.trust == "user" else [] for each in episodes]

    def _read(self, episode: Episode) -> list[Proposal]:
        name = episode.speaker
        spoken = Spoken(SELF if name in ROLES or name.casefold() == episode.user.casefold() else name)
        correcting = bool(CORRECTING.search(episode.text))
        found: list[Proposal] = []
        of_sentence: dict[int, list[int]] = {}
        causes: dict[int, list[str]] = {}
        for clause in clauses_of(episode.text):
            proposals = self._clause(clause, spoken, episode.occurred_at, correcting)
            if clause.joint == "because":
                named = [p.predicate for p in proposals if p.kind == "fact"] + self._named(clause.text)
                causes.setdefault(clause.sentence, []).extend(named)
            elif not proposals and self._is_routine(clause, causes, episode.text):
                proposals = self._routine(clause, spoken)
            of_sentence.setdefault(clause.sentence, []).extend(range(len(found), len(found) + len(proposals)))
            found += self._leaning(clause.text, proposals)
        for sentence, predicates in causes.items():
            for place in of_sentence.get(sentence, []):
                found[place] = _caused(found[place], predicates)
        return found

    def _clause(self, clause: Clause, spoken: Spoken, said: datetime, correcting: bool) -> list[Proposal]:
        text = expand(clause.text)
        if spoken.topic:
            text = _PRONOUN.sub(spoken.topic, text, count=1) if read_thing(text) == () else text
        base = Proposal("fact", spoken.speaker, "", "", clause.begin, clause.stop)
        found = self._people.in_passing(text, spoken, base)
        new = meant(text) if correcting and spoken.attribute is None else None
        if new:
            return [*found, replace(base, kind="ending", object=instead_of(text) or "", instead=new, act="deny")]
        about = read_subject(text, spoken, self._ontology)
        if about is not None:
            subject = replace(base, subject=about.subject, since=since_of(clause.text, said))
            found += self._people.introduced(about, subject)
            found += self._statements.read(about, subject, said, spoken.speaker, correcting=correcting)
        if not found and (about is None or about.subject != spoken.speaker):
            found = [taste_proposal(base, each) for each in read_thing(text)]
        topics = [each.object for each in found if each.kind == "preference" and not each.predicate]
        spoken.topic = topics[-1] if topics else spoken.topic
        return list(dict.fromkeys(found))

    # -- what leans on what --------------------------------------------------------------------------------------

    def _named(self, text: str) -> list[str]:
        """The predicates that words for a place speak of: "the office"."""
        return list(dict.fromkeys(self._words[m.group("word").lower()] for m in self._places.finditer(text)))

    def _leaning(self, text: str, proposals: Sequence[Proposal]) -> list[Proposal]:
        named = self._named(text) if proposals else []
        found: list[Proposal] = []
        for each in proposals:
            if each.kind == "fact" and each.predicate not in _NOT_LEAN:
                own = self._ontology.predicate(each.predicate).leans_on
                leans = (*each.leans, *own, *(name for name in named if name != each.predicate))
                each = replace(each, leans=tuple(dict.fromkeys(leans)))
            found.append(each)
        return found

    def _is_routine(self, clause: Clause, causes: dict[int, list[str]], turn: str) -> bool:
        begin, stop = clause.sentence_span
        gives_reason = clause.sentence in causes or " because " in turn[begin:stop].lower()
        return gives_reason or bool(self._named(clause.text)) or bool(_HABIT.search(clause.text))

    def _routine(self, clause: Clause, spoken: Spoken) -> list[Proposal]:
        """A habit that no rule knows, kept in its own words: it may lean on something that changes."""
        first = _FIRST.match(expand(clause.text))
        phrase = first.group("phrase") if first else ""
        if not phrase or not _PRESENT.match(phrase) or len(phrase.split()) > _LONGEST_ROUTINE:
            return []
        return [Proposal("fact", spoken.speaker, "routine", clip(phrase, 160), clause.begin, clause.stop)]


def _caused(proposal: Proposal, predicates: Sequence[str]) -> Proposal:
    """A proposal that leans on what its sentence gives as the reason."""
    if proposal.kind == "alias" or proposal.predicate in predicates:
        return proposal
    return replace(proposal, leans=tuple(dict.fromkeys((*proposal.leans, *(p for p in predicates if p)))))
