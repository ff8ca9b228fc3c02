"""One person's beliefs kept in memory, with what is derived from them.

What enters: a reader's connection and a scope's id. What leaves: a `BeliefShelf`: the slots with their derived states,
entities under one name, dependents that need confirmation. A cached shelf is extended by the beliefs that changed and
read anew when some were removed; it is never written back.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace

from sqlalchemy import Connection

from memoria.store.belief_rows import Bearing, BeliefRow, Changes, changed_after, state_of
from memoria.store.merges import Merge, merges_of
from memoria.store.truth import SlotState, derive, live

ALIAS = "alias"  # the kind of a belief that says that two names are one entity's
Slot = tuple[str, str]  # subject (canonical), slot
Content = tuple[str, str, str, str]  # kind, subject (canonical), slot, object (canonical)


@dataclass
class BeliefShelf:
    """All beliefs of one person as of one change. Row ids throughout; a slot holds its beliefs of every name.

    `derived` is for what others make of the shelf, by type: a shelf that grew out of this one finds it there. With
    `base`, a shelf before it from which only `touched` beliefs differ, no more is derived than what they change.
    """

    rows: dict[int, BeliefRow] = field(default_factory=dict[int, BeliefRow])
    bearings: dict[int, list[Bearing]] = field(default_factory=dict[int, list[Bearing]])
    leans: dict[int, list[tuple[int, Slot]]] = field(default_factory=dict[int, list[tuple[int, Slot]]])
    merges: list[Merge] = field(default_factory=list[Merge])
    changed: int = 0
    derived: dict[type, object] = field(default_factory=dict[type, object], compare=False, repr=False)
    base: InitVar[BeliefShelf | None] = None
    touched: InitVar[Sequence[int]] = ()

    def __post_init__(self, base: BeliefShelf | None, touched: Sequence[int]) -> None:
        self.slots: dict[Slot, list[int]] = defaultdict(list)
        self.same: dict[int, int] = {}  # a belief -> the one that stands for it: the first with the same content
        self._first: dict[Content, int] = {}
        self._states: dict[Slot, SlotState] = {}
        renamed = base is None or self.merges != base.merges or any(self.rows[n].kind == ALIAS for n in touched)
        self.names = self._unite() if base is None or renamed else base.names
        if base is not None and self._follows(base, touched):
            self._first, self.same = dict(base._first), dict(base.same)
            self.slots, self._states = defaultdict(list, base.slots), dict(base._states)
            for number in sorted((n for n in touched if n not in base.rows), key=self._place):
                slot = self.slot_of(number)
                self.same[number] = self._first.setdefault(self.content(self.rows[number]), number)
                self.slots[slot] = sorted([*self.slots[slot], number], key=self._place)
            for number in touched:
                self._states.pop(self.slot_of(number), None)
            return
        for number in sorted(self.rows, key=self._place):
            self.same[number] = self._first.setdefault(self.content(self.rows[number]), number)
            self.slots[self.slot_of(number)].append(number)

    def _follows(self, base: BeliefShelf, touched: Sequence[int]) -> bool:
        """Whether `base` has the same names, and the same belief first of each content."""
        if self.names != base.names:
            return False
        for number in touched:
            if number in base.rows:
                if base._place(number) != self._place(number):
                    return False
                continue
            first = base._first.get(base.content(self.rows[number]))
            if first is not None and base._place(first) > self._place(number):
                return False
        return True

    def _place(self, number: int) -> tuple[tuple[bool, tuple[int, int, int]], int]:
        """Where a belief stands among all: those that something bears out come first, as it was said."""
        return self.rows[number].first, number

    def content(self, row: BeliefRow) -> Content:
        """What a belief says, whichever of an entity's names it uses."""
        return row.kind, self.canonical(row.subject), row.slot, self.canonical(row.object)

    def canonical(self, key: str) -> str:
        """The key of the entity that `key` is a name of."""
        return self.names.get(key, key)

    def slot_of(self, number: int) -> Slot:
        """The slot that a belief belongs to."""
        row = self.rows[number]
        return self.canonical(row.subject), row.slot

    def as_of(self, moment: int) -> BeliefShelf:
        """The shelf as it stood at `moment` (microseconds): without what was recorded, or taken back, since."""
        bearings: dict[int, list[Bearing]] = {}
        for number, held in self.bearings.items():
            kept = [_then(each, moment) for each in held if each.piece.recorded <= moment]
            if kept:
                bearings[number] = kept
        rows = {number: _headed(self.rows[number], held) for number, held in bearings.items()}
        merges = [each for each in self.merges if each.recorded <= moment and (each.undone or moment + 1) > moment]
        return BeliefShelf(rows, bearings, self.leans, [replace(each, undone=None) for each in merges], self.changed)

    def state(self, slot: Slot) -> SlotState:
        """The slot's derived state."""
        if slot in self._states:
            return self._states[slot]
        ids = self.slots.get(slot, [])
        pieces = [
            replace(each.piece, belief=self.same[number]) for number in ids for each in self.bearings.get(number, ())
        ]
        single = any(self.rows[number].single for number in ids)
        self._states[slot] = derive(live(pieces), single=single)
        return self._states[slot]

    def heads(self) -> Iterator[int]:
        """The beliefs that stand for themselves and say something: no aliases, no whole slots."""
        return (n for n, row in self.rows.items() if self.same[n] == n and row.object and row.kind != ALIAS)

    def group(self, number: int) -> list[int]:
        """All rows that say the same as a belief under some name of its entities."""
        head = self.same[number]
        return [each for each in self.slots[self.slot_of(number)] if self.same[each] == head]

    def shaken_by(self, number: int) -> list[Slot]:
        """The slots that changed after the belief was last affirmed and that it leans on, itself or through another."""
        return self._shaken(self.same[number], set())

    def _shaken(self, head: int, visited: set[int]) -> list[Slot]:
        if head in visited:
            return []
        visited.add(head)
        standing = self.state(self.slot_of(head)).standings.get(head)
        if standing is None or not standing.holds:
            return []
        affirmed = max((p.said for p in standing.pieces if p.act in ("affirm", "change")), default=0)
        counted = {p.number for p in standing.pieces}
        found: list[Slot] = []
        for member in self.group(head):
            for evidence, (subject, name) in self.leans.get(member, ()):
                slot = (self.canonical(subject), name)
                if evidence not in counted or slot == self.slot_of(head):
                    continue
                cause = self.state(slot)
                shaky = any(s.holds and s.doubted_after(affirmed) for s in cause.standings.values())
                if (
                    shaky
                    or any(moment > affirmed for moment in cause.changes)
                    or any(self._shaken(each, visited) for each, s in cause.standings.items() if s.holds)
                ):
                    found.append(slot)
        return list(dict.fromkeys(found))

    def _unite(self) -> dict[str, str]:
        """Every name of an entity -> the one it is kept under. Only an alias that holds, and holds alone, unites."""
        parent: dict[str, str] = {}

        def find(key: str) -> str:
            while parent.get(key, key) != key:
                key = parent[key]
            return key

        said: dict[Slot, list[int]] = defaultdict(list)
        for number, row in self.rows.items():
            if row.kind == ALIAS:
                said[row.subject, row.slot].append(number)
        pairs = [(each.entity, each.same_as) for each in self.merges if each.undone is None]
        for (name, _), numbers in said.items():
            pieces = [each.piece for number in numbers for each in self.bearings.get(number, ())]
            state = derive(live(pieces), single=self.rows[numbers[0]].single)
            holding = [number for number, standing in state.standings.items() if standing.holds]
            if len(holding) == 1:
                pairs.append((name, self.rows[holding[0]].object))
        for one, other in sorted(pairs):
            a, b = find(one), find(other)
            if a != b:
                parent[a] = b
        return {key: find(key) for key in parent}


class BeliefShelves:
    """The shelves of the people asked about last. Safe to share by threads."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[int, tuple[int, int, BeliefShelf]] = OrderedDict()

    def shelf(self, connection: Connection, scope_id: int) -> BeliefShelf:
        """The person's beliefs as `connection`'s snapshot has them."""
        changed, removals = state_of(connection, scope_id)
        with self._lock:
            held = self._held.get(scope_id)
        if held is not None and held[:2] == (changed, removals):
            return held[2]
        base = held[2] if held is not None and held[1] == removals and held[0] < changed else None
        if changed == 0:  # nothing was ever believed: nothing to read
            shelf = BeliefShelf()
        else:
            fresh = changed_after(connection, scope_id, base.changed if base is not None else 0)
            shelf = _extended(base, fresh, merges_of(connection, scope_id), changed)
        with self._lock:
            self._held[scope_id] = (changed, removals, shelf)
            self._held.move_to_end(scope_id)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return shelf

    @staticmethod
    def read(connection: Connection, scope_id: int) -> BeliefShelf:
        """The person's beliefs as a unit of work that is not committed yet has them; nothing of it is kept."""
        fresh = changed_after(connection, scope_id, 0)
        return _extended(None, fresh, merges_of(connection, scope_id), state_of(connection, scope_id)[0])

    def drop(self, scope_id: int) -> None:
        """Let go of a person's beliefs: what was held may be gone for good."""
        with self._lock:
            self._held.pop(scope_id, None)


def _extended(base: BeliefShelf | None, fresh: Changes, merges: list[Merge], changed: int) -> BeliefShelf:
    """The shelf of `base` and what changed since; `base` itself stays as it is."""
    rows = dict(base.rows) if base else {}
    bearings: dict[int, list[Bearing]] = dict(base.bearings) if base else {}
    leans: dict[int, list[tuple[int, Slot]]] = dict(base.leans) if base else {}
    for row in fresh.rows:
        rows[row.id] = row  # new ones in the order they were learnt
        bearings[row.id], leans[row.id] = [], []
    for bearing in fresh.bearings:
        bearings[bearing.piece.belief].append(bearing)
    for row in fresh.rows:
        rows[row.id] = _headed(row, bearings[row.id])
    for evidence, belief, subject, name in fresh.leans:
        leans[belief].append((evidence, (subject, name)))
    derived = dict(base.derived) if base else {}
    return BeliefShelf(rows, bearings, leans, merges, changed, derived, base, [row.id for row in fresh.rows])


def _then(bearing: Bearing, moment: int) -> Bearing:
    gone = bearing.piece.retracted
    if gone is None or gone <= moment:
        return bearing
    return replace(bearing, piece=replace(bearing.piece, retracted=None))


def _headed(row: BeliefRow, bearings: Sequence[Bearing]) -> BeliefRow:
    """The row with the words of the first evidence that still says so; of what there is where none does."""
    ranked = [((b.piece.retracted is not None or not b.affirms, b.piece.order), b) for b in bearings]
    if not ranked:
        return row
    first, bearing = min(ranked, key=lambda pair: pair[0])
    return replace(row, content=bearing.content, first=first)


def names_of(shelf: BeliefShelf) -> Mapping[str, str]:
    """Each entity key with a name to show: the one that the first belief about it used."""
    names: dict[str, str] = {}
    for number in sorted(shelf.rows, key=lambda n: (shelf.rows[n].first, n)):
        row = shelf.rows[number]
        names.setdefault(row.subject, row.content.get("subject", row.subject))
        if row.object:
            names.setdefault(row.object, row.content.get("object", row.object))
    return names
