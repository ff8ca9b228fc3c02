"""One person's episodes as columns, kept in memory so that a question costs array arithmetic alone.

What enters: a reader's connection and a scope's state. What leaves: a `Shelf`, ordered by session and position, with
posting lists fetched from the lexicon as questions need them. A cached shelf is extended when episodes were added and
read anew when some were removed; it is never written back.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, select

from memoria.records import ROLES
from memoria.store import schema
from memoria.store.dialect import dialect_of
from memoria.store.episodes import marked
from memoria.store.scopes import ScopeState

Ints = NDArray[np.int32]
_EMPTY: Ints = np.empty(0, dtype=np.int32)
_ROLE = {role: number for number, role in enumerate(ROLES)}


@dataclass(frozen=True)
class Postings:
    """Where a term occurs: places on the shelf, rising, and how often in each."""

    docs: Ints
    tf: Ints


NOWHERE = Postings(_EMPTY, _EMPTY)


@dataclass(frozen=True)
class Shelf:
    """One person's n episodes, column by column, ordered by (session, position).

    `ids` are ledger row ids; `occurred` and `recorded` microseconds since 1970 UTC; `session` numbers sessions
    0..S-1 (`sessions` are their ledger ids); `speaker` indexes `speakers`; `role` indexes `records.ROLES`; `length`
    counts terms; `shape` has bit 1 for a digit and bit 2 for a question mark; `prev` and `next` are the neighbours in
    the same session, -1 where there is none.
    """

    ids: NDArray[np.int64]
    occurred: NDArray[np.int64]
    recorded: NDArray[np.int64]
    session: Ints
    sessions: NDArray[np.int64]
    position: Ints
    speaker: NDArray[np.int16]
    speakers: tuple[str, ...]
    role: NDArray[np.int8]
    length: Ints
    shape: NDArray[np.uint8]
    prev: Ints
    next: Ints
    by_id: NDArray[np.int64]  # the order that sorts `ids`
    _postings: dict[str, Postings] = field(default_factory=dict[str, Postings])

    def __len__(self) -> int:
        return len(self.ids)

    def postings(self, term: str) -> Postings:
        """Where `term` occurs; nowhere unless `learn` fetched it."""
        return self._postings.get(term, NOWHERE)

    def places(self, ids: NDArray[np.int64]) -> tuple[Ints, NDArray[np.bool_]]:
        """Where the row `ids` stand on the shelf, and which of them stand there at all."""
        if len(self) == 0:
            return np.zeros(len(ids), dtype=np.int32), np.zeros(len(ids), dtype=np.bool_)
        at = np.minimum(np.searchsorted(self.ids, ids, sorter=self.by_id), len(self) - 1)
        places = self.by_id[at]
        return places.astype(np.int32), self.ids[places] == ids

    def learn(self, connection: Connection, scope_id: int, words: Iterable[str]) -> None:
        """Fetch the posting lists of `words` that are not here yet."""
        new = [word for word in dict.fromkeys(words) if word not in self._postings]
        held = dialect_of(connection).postings(connection, [marked(scope_id, word) for word in new])
        for word, ids in zip(new, held, strict=True):
            places, present = self.places(ids)
            found, counts = np.unique(places[present], return_counts=True)
            self._postings[word] = Postings(found.astype(np.int32), counts.astype(np.int32))


@dataclass(frozen=True)
class _Held:
    """A shelf with what it was built from: `numbers` (n, 9), rows as `_ROWS` selects them, speakers and roles coded."""

    state: ScopeState
    numbers: NDArray[np.int64]
    speakers: dict[str, int]
    shelf: Shelf


class Shelves:
    """The shelves of the people asked about last, at most `limit_mb` megabytes of them. Safe to share by threads."""

    def __init__(self, limit_mb: int) -> None:
        self._limit = limit_mb * 1_000_000
        self._lock = threading.Lock()
        self._held: OrderedDict[int, _Held] = OrderedDict()

    def shelf(self, connection: Connection, state: ScopeState) -> Shelf:
        """The scope's shelf as `connection`'s snapshot has it."""
        with self._lock:
            held = self._held.get(state.id)
            if held is not None and held.state == state:
                self._held.move_to_end(state.id)
                return held.shelf
        grown = held is not None and held.state.revision == state.revision and held.state.last_id < state.last_id
        if held is None or not grown:
            held = _Held(ScopeState(state.id, 0, state.revision), np.empty((0, 9), dtype=np.int64), {}, _NOTHING)
        speakers = dict(held.speakers)
        fresh = _numbers(_rows(connection, state.id, held.state.last_id), speakers)
        numbers = np.concatenate([held.numbers, fresh])
        return self._keep(_Held(state, numbers, speakers, _build(numbers, tuple(speakers))))

    def drop(self, scope_id: int) -> None:
        """Let go of a person's shelf: what it held may be gone for good."""
        with self._lock:
            self._held.pop(scope_id, None)

    def _keep(self, held: _Held) -> Shelf:
        with self._lock:
            self._held[held.state.id] = held
            self._held.move_to_end(held.state.id)
            while len(self._held) > 1 and self.size() > self._limit:
                self._held.popitem(last=False)
        return held.shelf

    def size(self) -> int:
        """About how many bytes are held."""
        return sum(len(held.numbers) for held in self._held.values()) * _BYTES_A_ROW


_BYTES_A_ROW = 250  # the numbers, the columns, and the postings asked for
_TABLE = schema.episode
_ROWS = (
    select(
        _TABLE.c.id,
        _TABLE.c.session_id,
        _TABLE.c.position,
        _TABLE.c.occurred_at,
        _TABLE.c.recorded_at,
        _TABLE.c.speaker,
        _TABLE.c.role,
        _TABLE.c.length,
        _TABLE.c.shape,
    )
    .where(_TABLE.c.scope_id == bindparam("of_scope"), _TABLE.c.id > bindparam("after"))
    .order_by(_TABLE.c.id)
)


def _rows(connection: Connection, scope_id: int, after: int) -> Sequence[Sequence[Any]]:
    return connection.execute(_ROWS, {"of_scope": scope_id, "after": after}).all()


def _numbers(rows: Sequence[Sequence[Any]], speakers: dict[str, int]) -> NDArray[np.int64]:
    """Rows as numbers, (n, 9); speakers not met before join `speakers`."""
    coded = [(*row[:5], speakers.setdefault(row[5], len(speakers)), _ROLE[row[6]], row[7], row[8]) for row in rows]
    return np.array(coded, dtype=np.int64).reshape(len(coded), 9)


def _build(numbers: NDArray[np.int64], speakers: tuple[str, ...]) -> Shelf:
    ordered = numbers[np.lexsort((numbers[:, 2], numbers[:, 1]))]
    ids, session_ids, position, occurred, recorded, speaker, role, length, shape = ordered.T.copy()
    sessions, session = np.unique(session_ids, return_inverse=True)
    places = np.arange(len(ids), dtype=np.int32)
    same = session[1:] == session[:-1]
    before, after = np.full(len(ids), -1, dtype=np.int32), np.full(len(ids), -1, dtype=np.int32)
    before[1:][same] = places[:-1][same]
    after[:-1][same] = places[1:][same]
    return Shelf(
        ids=ids,
        occurred=occurred,
        recorded=recorded,
        session=session.astype(np.int32),
        sessions=sessions,
        position=position.astype(np.int32),
        speaker=speaker.astype(np.int16),
        speakers=speakers,
        role=role.astype(np.int8),
        length=length.astype(np.int32),
        shape=shape.astype(np.uint8),
        prev=before,
        next=after,
        by_id=np.argsort(ids, kind="stable"),
    )


_NOTHING = _build(np.empty((0, 9), dtype=np.int64), ())
