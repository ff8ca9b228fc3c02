"""Which beliefs a question is about.

What enters: a question and a person's beliefs. What leaves: `Asked`: the beliefs that bear on it with a score each,
which of them answer it directly, and the episodes that they rest on. Words decide: those that ask for a predicate
("where ... live"), the subject meant ("my sister"), and what a belief itself says.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nlargest
from math import log

from memoria.extract.ontology import Ontology, key_of
from memoria.extract.proposals import SELF
from memoria.extract.subjects import mention_of
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.text import fold, terms

_MOST_ASKED = 200  # beliefs that bear on one question
_MOST_OF_ONE = 50  # beliefs about one entity that a question names
DIRECT, NAMED = 2.0, 0.5  # what answering directly, and being about somebody named, add to the share of words met
_ADVICE = re.compile(
    r"\b(?:recommend|suggest|advi[cs]e|should i|any (?:ideas?|tips|good|thoughts)|ideas? for|what (?:are|is|s) (?:some|a|an|the best|good|your)|what would|which .* should|looking (?:for|to)|help me|"
    r"considering|planning|thinking (?:of|about)|options|good (?:place|way|choice|option)|best (?:way|place|option)|want to|need (?:a|an|some|to)|can you (?:find|give|plan|list|tell|share)|interested in|could you|how (?:can|should|do) i)\b"
)
# What was: not advice, though it speaks of planning or of what "you recommended".
_RECALL = re.compile(
    r"^(?:how (?:many|much|long|often|old)|where|when|who)\b|\b(?:remind|you (?:recommended|suggested|told|mentioned|said|gave)|we (?:talked|discussed|spoke)|our (?:last|previous|earlier)|last time|previous(?:ly)?|what (?:was|were) the)\b"
)
_DISLIKED = re.compile(
    r"\b(?:hate|dislike|can not stand|can'?t stand|cannot stand|can'?t bear|avoid|not like|don'?t (?:i )?like|don'?t (?:i )?(?:eat|drink)|not (?:eat|drink|want)|averse|detest|despise|put(?:s)? me off)\b"
)
_LIKED = re.compile(r"\b(?:like|love|enjoy|prefer|favou?rite|into|fond|keen|fan)\b")
_PLACES = frozenset(("place", "organisation", "thing", "event"))  # what answers "where"
_PAST = re.compile(
    r"\b(?:used to|previous(?:ly)?|before|formerly|former|earlier|originally|in the past|back then|initial(?:ly)?|old|last|first|ex|did|was|were|at the time|prior)\b"
)


@dataclass(frozen=True)
class Asked:
    """Scores by belief (row id of the one that stands for all of its names); `direct` answer the very question."""

    scores: dict[int, float] = field(default_factory=dict[int, float])
    direct: frozenset[int] = frozenset()
    targets: frozenset[str] = frozenset()
    advice: bool = False
    past: bool = False


class BeliefIndex:
    """The words of one shelf's beliefs, inverted; built once for a shelf."""

    def __init__(self, shelf: BeliefShelf, ontology: Ontology) -> None:
        self.shelf = shelf
        self._ontology = ontology
        self._heads = list(shelf.heads())
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_predicate: dict[str, list[int]] = defaultdict(list)
        self._by_episode: dict[int, list[int]] = defaultdict(list)
        self._touching: dict[str, list[int]] = defaultdict(list)
        self._names: dict[str, str] = {}
        for head in self._heads:
            row = shelf.rows[head]
            content = row.content
            said = (
                "" if row.slot.startswith("likes ") else content.get("predicate", "")
            )  # "likes" is no matter of its own
            words = frozenset(terms(f"{said} {content.get('object', '')} {content.get('topic', '')}"))
            for word in words:
                self._by_word[word].append(head)
            if said:
                self._by_predicate[said].append(head)
            for end in {shelf.slot_of(head)[0], shelf.canonical(row.object)}:
                self._touching[end].append(head)
            for each in shelf.bearings.get(head, ()):
                if each.piece.episode is not None and each.piece.act in ("affirm", "change"):
                    self._by_episode[each.piece.episode].append(head)
        for key in {k for row in shelf.rows.values() for k in (row.subject, row.object) if k}:
            if key != SELF and len(key) > 1:
                self._names[key] = shelf.canonical(key)
        self._first: dict[str, list[str]] = defaultdict(list)
        for key in self._names:
            self._first[key.split()[0]].append(key)

    def ask(self, text: str, words: Sequence[str]) -> Asked:
        """The beliefs that bear on the question `text`, whose terms are `words`."""
        folded = fold(text)
        advice, past = bool(_ADVICE.search(folded)) and not _RECALL.search(folded), bool(_PAST.search(folded))
        if not self.shelf.rows:
            return Asked(advice=advice, past=past)
        cued = self._cued(folded, words)
        targets, slots = self._targets(folded, words)
        subjects = targets or {SELF}
        scores: dict[int, float] = {}
        direct: set[int] = set()
        for predicate in cued:
            for head in self._by_predicate.get(predicate, ()):
                subject, _ = self.shelf.slot_of(head)
                if subject in subjects or (subject == SELF and predicate in slots):
                    direct.add(head)
        for head, share in self._shares(words).items():
            subject, _ = self.shelf.slot_of(head)
            about = subject in targets or self.shelf.canonical(self.shelf.rows[head].object) in targets
            scores[head] = share + NAMED * about
            if share > 0.6 and (subject in subjects or about):
                direct.add(head)
        for head in direct:
            scores[head] = scores.get(head, 0.0) + DIRECT
        for head in self._tastes_asked(folded) if not targets else ():
            scores[head] = scores.get(head, 0.0) + NAMED
        for target in targets:
            for head in self._of(target):
                scores.setdefault(head, NAMED)
        if len(scores) > _MOST_ASKED:  # a word that half of them share tells none apart
            scores = dict(nlargest(_MOST_ASKED, scores.items(), key=lambda pair: (pair[1], -pair[0])))
            direct &= scores.keys()
        return Asked(scores, frozenset(direct), frozenset(targets), advice, past)

    def borne_by(self, episodes: Iterable[int]) -> list[int]:
        """The beliefs that turns (row ids) bear out, in the turns' order."""
        found = (self.shelf.same[head] for row in episodes for head in self._by_episode.get(row, ()))
        return list(dict.fromkeys(found))

    def _tastes_asked(self, folded: str) -> list[int]:
        """The person's tastes of the kind that the question asks for: what they like, or what they do not."""
        way = -1 if _DISLIKED.search(folded) else 1 if _LIKED.search(folded) else 0
        return [head for head in self.preferences() if way and self.shelf.rows[head].content.get("polarity") == way]

    def preferences(self) -> Iterable[int]:
        """The beliefs that are tastes of the person."""
        return (head for head in self._heads if self.shelf.rows[head].kind == "preference")

    def _cued(self, folded: str, words: Sequence[str]) -> set[str]:
        """The predicates that the question asks for."""
        found = {name for cue, name in _cues(self._ontology) if _has(folded, cue)}
        if folded.startswith("where "):
            found = {name for name in found if self._ontology.predicate(name).kind in _PLACES}
        stems = set(words)
        return found | {name for name in self._by_predicate if stems.issuperset(_own_words(name))}

    def _targets(self, folded: str, words: Sequence[str]) -> tuple[set[str], set[str]]:
        """The entities that the question names, and the predicates of those that it names by their relation."""
        found: set[str] = set()
        slots: set[str] = set()
        for noun, predicate in self._ontology.relations.items():
            if re.search(rf"\b(?:my|our)\b[\w ]{{0,20}}?\b{re.escape(fold(noun))}s?\b", folded):
                slots.add(predicate)
                found.add(self.shelf.canonical(key_of(mention_of(SELF, predicate))))
                found.update(
                    self.shelf.canonical(self.shelf.rows[head].object)
                    for head in self._by_predicate.get(predicate, ())
                    if self.shelf.rows[head].subject == SELF
                )
        stems = set(words)
        for word in words:
            found.update(self._names[key] for key in self._first.get(word, ()) if stems.issuperset(key.split()))
        return found, slots

    def _shares(self, words: Sequence[str]) -> dict[int, float]:
        """How much of the question's words each belief speaks of, the rarer the heavier; 0 to 1."""
        known = [word for word in dict.fromkeys(words) if word in self._by_word]
        weight = {word: log(1 + len(self._heads) / len(self._by_word[word])) for word in known}
        total = sum(weight.values()) + 1.0 * (len(set(words)) - len(known))
        scores: dict[int, float] = defaultdict(float)
        for word in known:
            for head in self._by_word[word]:
                scores[head] += weight[word] / total
        return scores

    def _of(self, target: str) -> list[int]:
        return self._touching.get(target, [])[:_MOST_OF_ONE]


@lru_cache(maxsize=8)
def _cues_of(asks: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((fold(cue), name) for name, cues in asks for cue in cues)


def _cues(ontology: Ontology) -> tuple[tuple[str, str], ...]:
    return _cues_of(tuple((name, each.asks) for name, each in ontology.predicates.items()))


@lru_cache(maxsize=4096)
def _own_words(predicate: str) -> frozenset[str]:
    return frozenset(terms(predicate)) or frozenset((predicate,))


@lru_cache(maxsize=4096)
def _pattern(cue: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(cue)}(?:s|es|d|ed|ing)?\b")


def _has(folded: str, cue: str) -> bool:
    return cue.split()[0] in folded and bool(_pattern(cue).search(folded))
