"""What is searched of the items below a namespace, as columns kept in memory: a second search reads nothing twice.

What enters: a reader's connection and a namespace. What leaves: an `ItemShelf`, as that reader's snapshot has it. A
shelf that was kept is brought up to date by reading only what changed since; which, the numbers in the ledger tell.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from memoria.store.item_records import Namespace
from memoria.store.item_rows import below
from memoria.store.schema_items import item, item_namespace, item_piece

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class ItemShelf:
    """n items with m pieces of t terms together. `ids` (n,) rise; `owners` (m,) and `word_owners` (t,) are the row ids
    of the items that each of `vectors` (m, dimension) and `words` (t,) belongs to."""

    ids: Ids
    owners: Ids
    vectors: NDArray[np.float32]
    word_owners: Ids
    words: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """The item that each vector belongs to, (m,), as its place among `ids`."""
        return np.searchsorted(self.ids, self.owners)

    @cached_property
    def word_places(self) -> NDArray[np.intp]:
        """The item that each term belongs to, (t,)."""
        return np.searchsorted(self.ids, self.word_owners)

    @cached_property
    def lengths(self) -> NDArray[np.float32]:
        """How many terms each item has, (n,)."""
        return np.bincount(self.word_places, minlength=len(self)).astype(np.float32)

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return sum(each.nbytes for each in (self.ids, self.owners, self.vectors)) + 4 * self.words.nbytes

    def without(self, gone: Ids) -> ItemShelf:
        """The shelf without those items."""
        if not len(gone):
            return self
        vector, word = ~np.isin(self.owners, gone), ~np.isin(self.word_owners, gone)
        return ItemShelf(
            self.ids[~np.isin(self.ids, gone)],
            self.owners[vector],
            self.vectors[vector],
            self.word_owners[word],
            self.words[word],
        )

    def joined(self, other: ItemShelf) -> ItemShelf:
        """Both shelves' items; they have none in common."""
        if not len(self) or not len(other):
            return self if len(self) else other
        vectors = [each.vectors for each in (self, other) if len(each.vectors)]  # an empty one knows no dimension
        return ItemShelf(
            np.sort(np.concatenate([self.ids, other.ids])),
            np.concatenate([self.owners, other.owners]),
            np.concatenate(vectors) if vectors else self.vectors,
            np.concatenate([self.word_owners, other.word_owners]),
            np.concatenate([self.words, other.words]),
        )


@dataclass(frozen=True)
class _Revision:
    """How many namespaces there are below one, and the number of the last change in them. Any change shows in it: it
    takes a number, or empties a namespace, whose row then goes."""

    spaces: int
    changed: int


class ItemShelves:
    """The shelves of the namespaces searched last, at most `limit_mb` megabytes of them. Safe to share by threads."""

    def __init__(self, limit_mb: int) -> None:
        self._limit = limit_mb * 1_000_000
        self._lock = threading.Lock()
        self._held: OrderedDict[Namespace, tuple[_Revision, ItemShelf]] = OrderedDict()

    def shelf(self, connection: Connection, prefix: Namespace) -> ItemShelf:
        """The items below `prefix` as `connection`'s snapshot has them."""
        now = _revision(connection, prefix)
        with self._lock:
            then, shelf = self._held.get(prefix, (_Revision(0, 0), NOTHING))
        if then == now:
            with self._lock:
                if prefix in self._held:
                    self._held.move_to_end(prefix)
            return shelf
        if then.changed > now.changed:  # kept by a reader of a later snapshot
            return _read(connection, prefix, 0)
        return self._keep(prefix, now, _updated(connection, prefix, then, shelf))

    def forget(self) -> None:
        """Let go of all shelves: what they held may be gone for good."""
        with self._lock:
            self._held.clear()

    def _keep(self, prefix: Namespace, revision: _Revision, shelf: ItemShelf) -> ItemShelf:
        with self._lock:
            self._held[prefix] = revision, shelf
            self._held.move_to_end(prefix)
            while len(self._held) > 1 and sum(each.size for _, each in self._held.values()) > self._limit:
                self._held.popitem(last=False)
        return shelf


_EMPTY = np.empty(0, dtype=np.int64)
NOTHING = ItemShelf(_EMPTY, _EMPTY, np.empty((0, 0), np.float32), _EMPTY, np.empty(0, np.uint64))


def _revision(connection: Connection, prefix: Namespace) -> _Revision:
    query = select(func.count(), func.coalesce(func.max(item_namespace.c.changed), 0)).where(below(prefix))
    return _Revision(*connection.execute(query.select_from(item_namespace)).one())


def _updated(connection: Connection, prefix: Namespace, then: _Revision, shelf: ItemShelf) -> ItemShelf:
    fresh = _read(connection, prefix, then.changed)
    grown = shelf.without(np.intersect1d(shelf.ids, fresh.ids)).joined(fresh)
    join = item.join(item_namespace, item_namespace.c.id == item.c.namespace_id)
    live = connection.execute(select(func.count()).select_from(join).where(below(prefix))).scalar_one()
    if live == len(grown):  # every living item is either as it was or among the fresh: so none is missing
        return grown
    ids = connection.execute(select(item.c.id).select_from(join).where(below(prefix))).scalars()
    return grown.without(np.setdiff1d(grown.ids, np.fromiter(ids, dtype=np.int64)))


def _read(connection: Connection, prefix: Namespace, after: int) -> ItemShelf:
    """The items changed after that number."""
    query = (
        select(item.c.id, item_piece.c.vector, item_piece.c.terms)
        .join(item_namespace, item_namespace.c.id == item.c.namespace_id)
        .outerjoin(item_piece, item_piece.c.item_id == item.c.id)
        .where(below(prefix))
    )
    if after:
        query = query.where(item_namespace.c.changed > after, item.c.changed > after)
    return _shelf(connection.execute(query).all())


def _shelf(rows: Sequence[Sequence[Any]]) -> ItemShelf:
    if not rows:
        return NOTHING
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    indexed = [row for row in rows if row[1] is not None]
    owners = np.array([row[0] for row in indexed], dtype=np.int64)
    halves = np.frombuffer(b"".join(row[1] for row in indexed), dtype=np.float16)
    counts = [len(row[2]) // 8 for row in indexed]
    return ItemShelf(
        np.unique(ids),
        owners,
        halves.reshape(len(indexed), -1).astype(np.float32) if indexed else NOTHING.vectors,
        np.repeat(owners, counts),
        np.frombuffer(b"".join(row[2] for row in indexed), dtype="<u8"),
    )
