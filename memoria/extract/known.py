"""What is believed already, found by words.

What enters: a person's belief shelf, and each claim as it is made. What leaves: the beliefs that a new proposal may end
or correct.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from memoria.extract.ontology import key_of
from memoria.store.belief_shelf import ALIAS, BeliefShelf
from memoria.store.beliefs import Claim

SOON = 2 * 86_400_000_000  # microseconds: a correction speaks of the same session, or of the last two days


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
    session: int


class Beliefs:
    """What one person's memory believes, or has believed, found by words. It grows with each claim."""

    def __init__(self, shelf: BeliefShelf) -> None:
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_slot: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._all: list[Known] = []
        self._place: dict[tuple[str, str, str], int] = {}
        for number, row in shelf.rows.items():
            if row.object and row.kind != ALIAS:
                said = max((b.piece.said for b in shelf.bearings.get(number, ())), default=0)
                self._add(row.subject, row.slot, row.object, row.kind, row.single, row.content, said, -1)

    def note(self, claim: Claim, session: int) -> None:
        """Take up a claim."""
        if claim.object and claim.kind != ALIAS and claim.act in ("affirm", "change"):
            self._add(
                claim.subject, claim.slot, claim.object, claim.kind, claim.single, claim.content, claim.said, session
            )

    def in_slot(self, subject: str, slot: str) -> list[Known]:
        """The beliefs of a slot, the latest said first."""
        return sorted((self._all[n] for n in self._by_slot.get((subject, slot), ())), key=lambda k: -k.said)

    def about(self, subject: str | None, what: str) -> list[Known]:
        """The beliefs that speak of all the words of `what`, the closest and latest first."""
        words = key_of(what).split()
        if not words:
            return []
        lists = [set(self._by_word.get(word, ())) for word in words]
        common: set[int] = lists[0].intersection(*lists[1:])
        found = [self._all[n] for n in common if subject is None or self._all[n].subject == subject]
        return sorted(found, key=lambda k: (len(k.words), -k.said))

    def latest(self, subject: str, session: int, said: int) -> Known | None:
        """The single-valued belief that was said last, in this session or a short while ago."""
        near = [
            k
            for k in self._all
            if k.subject.startswith(subject)
            and k.single
            and k.kind == "fact"
            and (k.session == session or said - k.said <= SOON)
        ]
        return max(near, key=lambda k: k.said, default=None)

    def _add(
        self,
        subject: str,
        slot: str,
        value: str,
        kind: str,
        single: bool,
        content: dict[str, Any],
        said: int,
        session: int,
    ) -> None:
        text = f"{content.get('predicate', '')} {content.get('object', '')} {content.get('topic', '')}"
        words = frozenset(key_of(text).split())
        known = Known(subject, slot, value, kind, single, words, content, said, session)
        identity = (subject, slot, value)
        if identity in self._place:
            self._all[self._place[identity]] = known
            return
        self._place[identity] = len(self._all)
        self._all.append(known)
        self._by_slot[subject, slot].append(self._place[identity])
        for word in words:
            self._by_word[word].append(self._place[identity])
