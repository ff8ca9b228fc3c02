"""Does a line's evidence support it?

What enters: lines, and the material that they say they come from. What leaves: those that hold, and those rejected with
why. What memoria makes is made again from what it cites, and must come out the same. What a model wrote must be covered
by the words of what it cites: every name and number, most other words, and no denial that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from memoria.extract.ontology import Ontology
from memoria.reflect.contradictions import contradictions
from memoria.reflect.lines import MOST_CITED, belief_text, contradiction_text, doubt_text, section_for
from memoria.reflect.material import Known, Material, Said
from memoria.reflect.records import ProfileLine, RejectedLine
from memoria.reflect.style import traits
from memoria.reflect.topics import Topic, line_of, mentions, weekday_shares
from memoria.store.text import terms

COVERED = 0.75  # share of a written line's words that its evidence must hold
_LONGEST = 240  # characters of a written line
_EXACT = re.compile(r"\b[^\W\d_]*\d\S*|(?<=[\w,;] )[A-Z][^\W\d_]+")  # numbers, and names within a sentence
_NEGATION = re.compile(r"\b(?:not|never|no longer|nobody|nothing|without)\b|n['’]t\b", re.IGNORECASE)
_NEUTRAL = frozenset(terms("user person say said talk mention often usually currently recently also"))


class Verifier:
    """Checks lines against one state of the history."""

    def __init__(self, material: Material, ontology: Ontology) -> None:
        self._material, self._ontology = material, ontology
        self._known = {each.belief.id: each for each in material.known}
        self._turns = {each.episode.id: each for each in material.turns}
        self._rows = {each.row: each.episode.id for each in material.turns}
        self._shares = weekday_shares(material.turns)
        self._traits = {(trait.name, trait.text): trait for trait in traits(material.turns)}
        self._apart = {frozenset(each.belief_ids): contradiction_text(each) for each in contradictions(material.known)}

    def verified(self, lines: Iterable[ProfileLine]) -> tuple[list[ProfileLine], list[RejectedLine]]:
        """The lines that hold, in order, and the others."""
        kept: list[ProfileLine] = []
        rejected: list[RejectedLine] = []
        for line in lines:
            why = self.why_not(line)
            if why is None:
                kept.append(line)
            else:
                rejected.append(RejectedLine(line=line, why=why))
        return kept, rejected

    def why_not(self, line: ProfileLine) -> str | None:
        """Why a line does not hold; None where it does."""
        if not line.belief_ids and not line.episode_ids:
            return "it cites nothing"
        gone = [each for each in line.belief_ids if each not in self._known]
        gone += [each for each in line.episode_ids if each not in self._turns]
        if gone:
            return f"it cites {gone[0]}, which is no belief that holds and no turn of the person's own"
        known = [self._known[each] for each in line.belief_ids]
        turns = [self._turns[each] for each in line.episode_ids]
        return {
            "belief": self._belief,
            "insight": self._insight,
            "style": self._style,
            "concern": self._concern,
            "question": self._question,
            "written": self._written,
        }[line.kind](line, known, turns)

    def _belief(self, line: ProfileLine, known: Sequence[Known], turns: Sequence[Said]) -> str | None:
        if not known:
            return "it cites no belief"
        section = section_for(known[0], self._ontology, self._material.moment)
        if section is None or section != line.section or belief_text(known[0], section) != line.text:
            return "it is not what the belief says"
        return self._borne(known, turns)

    def _borne(self, known: Sequence[Known], turns: Sequence[Said]) -> str | None:
        bearing = {self._rows.get(row) for each in known for row in each.episodes}
        strangers = [each.episode.id for each in turns if each.episode.id not in bearing]
        return f"turn {strangers[0]} does not bear it out" if strangers else None

    def _insight(self, line: ProfileLine, known: Sequence[Known], turns: Sequence[Said]) -> str | None:
        term = str(line.detail.get("term", ""))
        speaking = mentions(term, turns)
        if len(speaking) != len(turns):
            return "a turn it cites does not speak of it"
        if len(turns) == MOST_CITED:  # the older ones are counted, not cited
            speaking = mentions(term, self._material.turns)
        topic = Topic(term, str(line.detail.get("name")), bool(line.detail.get("is_name")), tuple(speaking))
        if line_of(topic, self._shares) != line.text or line.support != len(speaking):
            return "its figures are not those of the turns it cites"
        return None

    def _style(self, line: ProfileLine, known: Sequence[Known], turns: Sequence[Said]) -> str | None:
        trait = self._traits.get((str(line.detail.get("trait")), line.text))
        if trait is None:
            return "measured again, the person does not speak so"
        shown = {each.episode.id for each in trait.turns}
        return None if {each.episode.id for each in turns} <= shown else "a turn it cites does not show it"

    def _concern(self, line: ProfileLine, known: Sequence[Known], turns: Sequence[Said]) -> str | None:
        quote = str(line.detail.get("quote", ""))
        if not quote or quote not in line.text or not all(quote in each.episode.text for each in turns):
            return "the quote does not stand in the turn"
        return None

    def _question(self, line: ProfileLine, known: Sequence[Known], turns: Sequence[Said]) -> str | None:
        if len(known) == 1:
            fits = known[0].belief.needs_confirmation and doubt_text(known[0]) == line.text
        else:
            fits = self._apart.get(frozenset(line.belief_ids)) == line.text
        return self._borne(known, turns) if fits else "nothing is in doubt there"

    def _written(self, line: ProfileLine, known: Sequence[Known], turns: Sequence[Said]) -> str | None:
        evidence = " \n".join([each.belief.statement for each in known] + [each.episode.text for each in turns])
        return uncovered(line.text, evidence)


def uncovered(text: str, evidence: str) -> str | None:
    """Why the words of `evidence` do not cover `text`; None where they do."""
    if len(text) > _LONGEST or "\n" in text:
        return f"it is no single line of at most {_LONGEST} characters"
    held = set(terms(evidence))
    for exact in _EXACT.findall(text):
        if not set(terms(exact)) <= held:
            return f"{exact!r} stands in nothing that it cites"
    said = [term for term in terms(text) if term not in _NEUTRAL]
    share = sum(term in held for term in said) / max(1, len(said))
    if not said or share < COVERED:
        return f"what it cites covers {share:.0%} of its words, and must {COVERED:.0%}"
    if bool(_NEGATION.search(text)) and not _NEGATION.search(evidence):
        return "it denies something that nothing it cites denies"
    if not _NEGATION.search(text) and all(_NEGATION.search(part) for part in evidence.split(" \n")):
        return "what it cites denies it"
    return None
