"""What is believed already, found by words.

What enters: a person's belief shelf, and each claim as it is made. What leaves: the beliefs that a new proposal may end
or correct. Only what stands before a turn counts for it, so a turn means the same whenever it is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from memoria.extract.ontology import key_of
from memoria.extract.proposals import SELF
from memoria.store.belief_rows import Bearing, BeliefRow
from memoria.store.belief_shelf import ALIAS, BeliefShelf
from memoria.store.beliefs import Claim, Name

_SORTS = frozenset("class group session lesson practic meet club cours train".split())  # stems: "the pottery group"
Order = tuple[int, int, int]
K = TypeVar("K", str, tuple[str, str])
SOON = 2 * 86_400_000_000  # microseconds: a correction speaks of what was said in the last two days


@dataclass(frozen=True)
class Known:
    """A belief as far as it matters here: `words` are the terms of what it says, `said` when it was last affirmed."""

    subject: str
    slot: str
    object: str
    kind: str
    single: bool
    words: frozenset[str]
    content: dict[str, Any]
    said: int


def standing(bearing: Bearing) -> bool:
    """Whether a piece of evidence counts: nobody took it back, and it has not become moot."""
    return bearing.piece.retracted is None


class Beliefs:
    """What one person's memory believes, or has believed, found by words. It grows with each claim.

    `counts` says which evidence is taken up; `dead` are claims (episode, name) that were taken back. `consulted` tells
    whether anything was found since `until`: what the turn means may then be another thing once some of it is gone.
    """

    def __init__(
        self,
        shelf: BeliefShelf,
        counts: Callable[[Bearing], bool] = standing,
        dead: frozenset[tuple[int | None, Name]] = frozenset(),
    ) -> None:
        self._dead = dead
        self.consulted = False
        self._coming = _told(shelf, counts)[::-1]
        self._by_word: dict[str, list[int]] = {}
        self._by_slot: dict[tuple[str, str], list[int]] = {}
        self._all: list[Known] = []
        self._place: dict[tuple[str, str, str], int] = {}
        self._own = set[str | tuple[str, str]]()  # the lists above that no copy shares
        self._taken = set[int]()  # evidence, by number
        self._last, self._changed = (0, 0, 0), shelf.changed

    @classmethod
    def before(cls, row: int, shelf: BeliefShelf) -> Beliefs:
        """What stands before the episode at ledger `row`. Before the newest that is all there is: this is kept with the
        shelf, takes up what the shelf grows by, and is copied for each who judges."""
        if row <= shelf.changed:  # a turn of before, which is read only now
            return cls(shelf)
        held = shelf.derived.get(cls)
        found = held._grown(shelf) if isinstance(held, Beliefs) else None
        if found is None:
            found = cls(shelf)
            found.until(row)
        shelf.derived[cls] = found
        return found._copy()

    def _grown(self, shelf: BeliefShelf) -> Beliefs | None:
        """The same of a later shelf; None where what was taken up counts no more, or what is new does not come last."""
        told = _told(shelf, standing, self._changed)
        changed = [number for number, row in shelf.rows.items() if row.changed > self._changed]
        held = {each.piece.number for number in changed for each in shelf.bearings[number]} & self._taken
        fresh = [each for each in told if each[2].piece.number not in held]
        if len(fresh) + len(held) != len(told) or (fresh and fresh[0][0] < self._last):
            return None
        grown = self._copy()
        grown._changed = shelf.changed
        for each in fresh:
            grown._take(*each)
        return grown

    def _copy(self) -> Beliefs:
        copy = object.__new__(Beliefs)
        copy.__dict__.update(self.__dict__)
        copy._by_word, copy._by_slot, copy._place = dict(self._by_word), dict(self._by_slot), dict(self._place)
        copy._all, copy._taken, copy._coming, copy._own = list(self._all), set(self._taken), [], set()
        return copy

    def until(self, row: int) -> None:
        """Take up all evidence that stands before the episode at ledger `row`, which is judged next."""
        self.consulted = False
        while self._coming and self._coming[-1][0] < (row, -1, -1):
            self._take(*self._coming.pop())

    def note(self, claims: Iterable[Claim]) -> list[Claim]:
        """Take up claims of one proposal; those that were not taken back since, nor what they follow from."""
        kept = [
            claim
            for claim in claims
            if (claim.episode, claim.name) not in self._dead and (claim.episode, claim.follows) not in self._dead
        ]
        for claim in kept:
            if claim.object and claim.kind != ALIAS and claim.act in ("affirm", "change"):
                self._add(claim, claim.content, claim.said)
        return kept

    def in_slot(self, subject: str, slot: str) -> list[Known]:
        """The beliefs of a slot, the latest said first."""
        return sorted(self._known(self._by_slot.get((subject, slot), ())), key=lambda k: -k.said)

    def about(self, subject: str | None, what: str) -> list[Known]:
        """The beliefs that speak of all the words of `what`, the closest and latest first."""
        words = key_of(what).split()
        if not words:
            return []
        lists = [set(self._by_word.get(word, ())) for word in words]
        common: set[int] = lists[0].intersection(*lists[1:])
        found = [known for known in self._known(common) if subject is None or known.subject == subject]
        return sorted(found, key=lambda k: (len(k.words), -k.said))

    def named_in(self, text: str) -> list[Known]:
        """The facts whose whole value `text` names."""
        words = set(key_of(text).split())
        found = self._known({place for word in words for place in self._by_word.get(word, ())})
        facts = (known for known in found if known.kind == "fact" and known.object != SELF)
        return [known for known in facts if words.issuperset(known.object.split())]

    def named_like(self, subject: str, noun: str) -> Known | None:
        """The latest fact whose slot has every word of `noun` in its name ("the exam": "accounting exam")."""
        words = set(key_of(noun).split())
        words = words - _SORTS or words
        slots = [slot for who, slot in self._by_slot if who == subject and words <= set(key_of(slot).split())]
        found = [known for slot in slots for known in self.in_slot(subject, slot)[:1] if known.kind == "fact"]
        return max(found, key=lambda known: known.said, default=None)

    def in_part(self, subject: str, slot: str) -> list[Known]:
        """The beliefs of slots whose name is part of `slot`, or has it as a part; each of at least two words."""
        words = set(key_of(slot).split())
        found: list[Known] = []
        for who, name in self._by_slot:
            other = set(key_of(name).split())
            head = key_of(name).split()[-1:] == key_of(slot).split()[-1:]  # "dose", "ramipril dose"
            part = other < words or words < other
            if who == subject and name != slot and part and (min(len(other), len(words)) > 1 or head):
                found += self.in_slot(who, name)[:1]
        return found

    def sharing(self, words: frozenset[str], nouns: Mapping[str, frozenset[str]]) -> list[Known]:
        """The beliefs that share a word with `words`, or whose slot goes by a noun of them."""
        places = {place for word in words for place in self._by_word.get(word, ())}
        for (who, slot), held in self._by_slot.items():
            if nouns.get(slot, frozenset()) & words or words & set(who.split()):
                places.update(held)
        return self._known(places)

    def latest(self, subject: str, said: int) -> Known | None:
        """The single-valued belief that was said last, a short while before `said`."""
        found = self._known(range(len(self._all)))
        near = [k for k in found if k.subject.startswith(subject) and k.single and k.kind == "fact" and soon(k, said)]
        return max(near, key=lambda k: k.said, default=None)

    def _known(self, places: Iterable[int]) -> list[Known]:
        found = [self._all[place] for place in sorted(places)]
        self.consulted |= bool(found)
        return found

    def _take(self, order: Order, belief: BeliefRow, bearing: Bearing) -> None:
        self._taken.add(bearing.piece.number)
        self._last = order
        self._add(belief, bearing.content, bearing.piece.said)

    def _add(self, belief: BeliefRow | Claim, content: dict[str, Any], said: int) -> None:
        identity = (belief.subject, belief.slot, belief.object)
        place = self._place.get(identity)
        if place is not None:
            known = self._all[place]
            self._all[place] = replace(known, said=max(known.said, said))
            return
        text = f"{content.get('predicate', '')} {content.get('object', '')} {content.get('topic', '')}"
        words = frozenset(key_of(text).split())
        known = Known(*identity, belief.kind, belief.single, words, content, said)
        self._place[identity] = place = len(self._all)
        self._all.append(known)
        self._enter(self._by_slot, (belief.subject, belief.slot), place)
        for word in words:
            self._enter(self._by_word, word, place)

    def _enter(self, index: dict[K, list[int]], key: K, place: int) -> None:
        if key not in self._own:
            self._own.add(key)
            index[key] = list(index.get(key, ()))
        index[key].append(place)


def _told(
    shelf: BeliefShelf, counts: Callable[[Bearing], bool], after: int = 0
) -> list[tuple[Order, BeliefRow, Bearing]]:
    """What says of something that it is so, in order: of all beliefs, or of those that changed after a number."""
    found = (
        (bearing.piece.order, row, bearing)
        for number, row in shelf.rows.items()
        if row.changed > after and row.object and row.kind != ALIAS
        for bearing in shelf.bearings.get(number, ())
        if bearing.affirms and counts(bearing)
    )
    return sorted(found, key=lambda each: each[0])


def soon(known: Known, said: int) -> bool:
    """Whether a belief was spoken of a short while before `said`."""
    return 0 <= said - known.said <= SOON
