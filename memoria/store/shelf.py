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
        dialect = dialect_of(connection)
        for word in words:
            if word in self._postings:
                continue
            places, present = self.places(dialect.postings(connection, marked(scope_id, word)))
            found, counts = np.unique(places[present], return_counts=True)
            self._postings[word] = Postings(found.astype(np.int32), counts.astype(np.int32))


class Shelves:
    """The shelves of the people asked about last, at most `limit_mb` megabytes of them. Safe to share by threads."""

    def __init__(self, limit_mb: int) -> None:
        self._limit = limit_mb * 1_000_000
        self._lock = threading.Lock()
        self._held: OrderedDict[int, tuple[ScopeState, list[Sequence[Any]], Shelf]] = OrderedDict()

    def shelf(self, connection: Connection, state: ScopeState) -> Shelf:
        """The scope's shelf as `connection`'s snapshot has it."""
        with self._lock:
            held = self._held.get(state.id)
            if held is not None and held[0] == state:
                self._held.move_to_end(state.id)
                return held[2]
        fresh = held is not None and held[0].revision == state.revision and held[0].last_id < state.last_id
        rows: list[Sequence[Any]] = list(held[1]) if held is not None and fresh else []
        after = held[0].last_id if held is not None and fresh else 0
        rows.extend(_rows(connection, state.id, after))
        return self._keep(state, rows, _build(rows))

    def drop(self, scope_id: int) -> None:
        """Let go of a person's shelf: what it held may be gone for good."""
        with self._lock:
            self._held.pop(scope_id, None)

    def _keep(self, state: ScopeState, rows: list[Sequence[Any]], shelf: Shelf) -> Shelf:
        with self._lock:
            self._held[state.id] = (state, rows, shelf)
            self._held.move_to_end(state.id)
            # About 800 bytes a row: the tuple, its numbers, the columns and the postings asked for.
            while len(self._held) > 1 and sum(len(each[1]) for each in self._held.values()) * 800 > self._limit:
                self._held.popitem(last=False)
        return shelf


_TABLE = schema.episode
_ROWS = select(
    _TABLE.c.id,
    _TABLE.c.session_id,
    _TABLE.c.position,
    _TABLE.c.occurred_at,
    _TABLE.c.recorded_at,
    _TABLE.c.speaker,
    _TABLE.c.role,
    _TABLE.c.length,
    _TABLE.c.shape,
).where(_TABLE.c.scope_id == bindparam("of_scope"), _TABLE.c.id > bindparam("after"))


def _rows(connection: Connection, scope_id: int, after: int) -> Sequence[Sequence[Any]]:
    return connection.execute(_ROWS, {"of_scope": scope_id, "after": after}).all()


def _build(rows: Sequence[Sequence[Any]]) -> Shelf:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 9
    ids, session_ids, position, occurred, recorded = (np.array(columns[i], dtype=np.int64) for i in range(5))
    order = np.lexsort((position, session_ids))
    sessions, session = np.unique(session_ids[order], return_inverse=True)
    speakers, speaker = np.unique(np.array(columns[5], dtype=object).astype(str), return_inverse=True)
    role = np.array([_ROLE[each] for each in columns[6]], dtype=np.int8)
    places = np.arange(len(rows), dtype=np.int32)
    same = session[1:] == session[:-1]
    before, after = np.full(len(rows), -1, dtype=np.int32), np.full(len(rows), -1, dtype=np.int32)
    before[1:][same] = places[:-1][same]
    after[:-1][same] = places[1:][same]
    return Shelf(
        ids=ids[order],
        occurred=occurred[order],
        recorded=recorded[order],
        session=session.astype(np.int32),
        sessions=sessions,
        position=position[order].astype(np.int32),
        speaker=speaker.astype(np.int16)[order],
        speakers=tuple(str(each) for each in speakers),
        role=role[order],
        length=np.array(columns[7], dtype=np.int32)[order],
        shape=np.array(columns[8], dtype=np.uint8)[order],
        prev=before,
        next=after,
        by_id=np.argsort(ids[order], kind="stable"),
    )
