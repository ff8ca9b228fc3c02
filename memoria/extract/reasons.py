"""Why something is so: which part of a sentence gives the reason for which.

What enters: a turn's clauses with what each proposes. What leaves: the same proposals, each with what it leans on: the
slots that its reason speaks of, the words of the reason itself, and whatever the words for a place stand for ("the
office" is where one works). What leans on something that changes needs confirmation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from memoria.extract.ontology import Ontology
from memoria.extract.phrases import clip, third_person
from memoria.extract.proposals import Proposal
from memoria.extract.sentences import Clause
from memoria.extract.subjects import expand

_SO = frozenset(("so", "which means", "that's why", "therefore", "which is why", "that is why"))
_FOLLOWS = re.compile(
    r"^\s*(?:so|that'?s why|which is why|that is why|therefore|because of (?:that|this|it)|for that reason|hence|this is why|that way|which means)\b",
    re.IGNORECASE,
)
_HABIT = re.compile(
    r"\b(?:every|always|usually|each|most (?:days|mornings|evenings|weekends|nights)|twice a|once a|three times a|on (?:mon|tues|wednes|thurs|fri|satur|sun)days?|on week(?:ends?|days?|nights?|day)|in the (?:mornings?|evenings?|afternoons?)|after work|before work|daily|weekly|(?:mon|tues|wednes|thurs|fri|satur|sun)day (?:mornings?|evenings?|nights?|afternoons?))\b",
    re.IGNORECASE,
)
_ADVERBS = r"(?:(?:always|usually|often|also|still|only|just|then|normally|mostly|sometimes) )*"
_NO_HABIT = "was|were|had|did|will|would|can|could|should|need|want|think|know|guess|hope|feel|saw|got|went|made|told|said|asked|wonder|mean|love|like|hate|prefer|dislike|enjoy|avoid|refuse|not|can not|took|gave|found|met|began|came|knew|thought|bought|brought|kept|left|lost|ran|sat|slept|spent|stood|taught|wrote|broke|chose|drank|drove|ate|fell|felt|flew|forgot|grew|heard|held|led|paid|rode|sang|sent|spoke|swam|threw|understood|woke|wore|won"
_PRESENT = re.compile(
    rf"^{_ADVERBS}(?!\w+ed\b)(?!(?:am|is|are|have|has|do|does|see|{_NO_HABIT})\b)[a-z]+\b", re.IGNORECASE
)
_RESULT = re.compile(
    rf"^{_ADVERBS}(?!\w+ed\b)(?!(?:am|are) (?!at\b|on\b|in\b|off\b|free\b|home\b))(?!(?:{_NO_HABIT})\b)[a-z]+\b",
    re.IGNORECASE,
)
_FIRST = re.compile(r"^(?:i|we|(?-i:(?P<with>[A-Z]\w+)) and i)\s+(?P<phrase>.+)$", re.IGNORECASE | re.DOTALL)
_NOT_LEAN = frozenset("home employer school wife husband partner girlfriend boyfriend fiance drives".split())
_LONGEST_ROUTINE = 24  # words


@dataclass
class _Said:
    clause: Clause
    proposals: list[Proposal]
    causes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    because: list[str] = field(default_factory=list[str])


class Reasons:
    """Ties results to reasons by one ontology; safe to share by threads."""

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self._words = ontology.place_words()
        nouns = "|".join(sorted(map(re.escape, self._words), key=len, reverse=True))
        self._places = re.compile(
            r"\b(?:my|our|the|new|old|from|at|to|near|after|before|with my|that)\s+"
            rf"(?:(?:new|old|current|little|daily|local|own|company|parents')\s+)?(?P<word>{nouns})\b",
            re.IGNORECASE,
        )

    def tie(self, turn: str, read: Sequence[tuple[Clause, list[Proposal]]], speaker: str) -> list[Proposal]:
        """The proposals of a turn's clauses, in order, with what each leans on."""
        said = [_Said(clause, proposals) for clause, proposals in read]
        for at, each in enumerate(said):
            for cause in self._reasons_of(said, at, turn):
                each.because.append(cause.clause.text)
                each.causes += [(p.subject, p.predicate) for p in cause.proposals if p.predicate]
                each.causes += [(speaker, name) for name in self._named(cause.clause.text)]
        for each in said:
            if not each.proposals and (each.because or self._is_habit(each.clause)):
                each.proposals = self._routine(each, speaker)
        return [self._leaning(each, proposal, speaker) for each in said for proposal in each.proposals]

    def _reasons_of(self, said: Sequence[_Said], at: int, turn: str) -> list[_Said]:
        """The clauses that give the reason for clause `at`: "because ..." around it, or what stands before "so"."""
        me = said[at].clause
        if me.joint == "because":
            return []
        same = [other for other in said if other.clause.sentence == me.sentence and other is not said[at]]
        found = [other for other in same if other.clause.joint == "because"]
        begin = me.sentence_span[0]
        if me.joint in _SO:
            found += [other for other in same if other.clause.begin < me.begin and other.clause.joint != "because"]
        elif _FOLLOWS.match(turn[begin : begin + 40]):
            found += [other for other in said if other.clause.sentence == me.sentence - 1]
        return found

    def _named(self, text: str) -> list[str]:
        """The predicates that words for a place speak of: "the office"."""
        words = [match.group("word").lower() for match in self._places.finditer(text)]
        known = self._ontology.attributes
        return list(dict.fromkeys(name for word in words for name in (self._words[word], known.get(word)) if name))

    def _leaning(self, each: _Said, proposal: Proposal, speaker: str) -> Proposal:
        if proposal.kind in ("alias", "ending"):
            return proposal
        because = " ".join(each.because) or None
        causes = [pair for pair in each.causes if pair != (proposal.subject, proposal.predicate)]
        if proposal.kind == "fact" and proposal.predicate not in _NOT_LEAN:
            own = self._ontology.predicate(proposal.predicate).leans_on
            causes += [(proposal.subject, name) for name in own]
            causes += [(speaker, name) for name in self._named(each.clause.text) if name != proposal.predicate]
        return replace(proposal, causes=tuple(dict.fromkeys((*proposal.causes, *causes))), because=because)

    def _is_habit(self, clause: Clause) -> bool:
        return bool(self._named(clause.text)) or bool(_HABIT.search(clause.text))

    def _routine(self, each: _Said, speaker: str) -> list[Proposal]:
        """A habit that no rule knows, kept in its own words: it may lean on something that changes."""
        first = _FIRST.match(expand(each.clause.text))
        phrase = first.group("phrase") if first else ""
        fits = _RESULT if each.because else _PRESENT
        if first is None or not fits.match(phrase) or len(phrase.split()) > _LONGEST_ROUTINE:
            return []
        if first.group("with"):
            phrase = f"{phrase} with {first.group('with')}"
        value = clip(third_person(phrase), 160)
        return [Proposal("fact", speaker, "routine", value, each.clause.begin, each.clause.stop)]
