"""The items of LangGraph's store: read, found, put, in batches that see one state and are written whole.

What enters: reads and puts. What leaves: an answer to each read, as things stood before the puts. Puts are embedded
before the unit of work begins. What is removed is out of the file and its log when the call returns, unless another
process is reading from the log just then: the next removal or forgetting, or the last closing of the home, empties it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import isnan

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from memoria.clock import Clock, to_micros
from memoria.models.embeddings import Embedder
from memoria.store import embeddings
from memoria.store.item_records import Answer, Find, FoundItem, Get, ListSpaces, Put, Read
from memoria.store.item_rows import expired, read_item, read_items, scan, spaces_below
from memoria.store.item_scores import ranked
from memoria.store.item_shelf import ItemShelves
from memoria.store.item_values import needles, passes
from memoria.store.item_writes import put_items, puts_by_place, refresh_items, remove_items, with_ttl
from memoria.store.ledger import Ledger
from memoria.store.text import terms

_EMBED_AT_ONCE = 64
_READ_AT_ONCE = 64

Vectors = Mapping[str, NDArray[np.float32]]


class Items:
    """The items of one home. Safe to share by threads."""

    def __init__(self, ledger: Ledger, embedder: Callable[[], Embedder], clock: Clock, cache_mb: int) -> None:
        self._ledger, self._embedder, self._clock = ledger, embedder, clock
        self._shelves = ItemShelves(cache_mb)

    def batch(self, reads: Sequence[Read], puts: Sequence[Put], *, omit_expired: bool = False) -> list[Answer]:
        """Answer the reads, then write the puts (of several for one item the last), all or none.

        Raises `EmbeddingMismatch` where the home's vectors are another model's, `StorageFull`, `StoreBusy`.
        """
        now = to_micros(self._clock())
        alive_at = now if omit_expired else None
        queries = (read.query for read in reads if isinstance(read, Find) and read.query)
        asked = {query: self._embedder().embed_query(query) for query in queries}
        answer = partial(self._answer, reads=reads, asked=asked, alive_at=alive_at)
        if not puts:
            with self._ledger.read() as connection:
                answers, read = answer(connection)
                read = with_ttl(connection, read)
            if read:  # only then does a read have to wait for who is writing
                with self._ledger.write() as connection:
                    refresh_items(connection, read, now)
            return answers
        last = list(puts_by_place(puts).values())
        vectors = self._vectors(text for put in last for text in put.texts)
        with self._ledger.write() as connection:
            answers, read = answer(connection)
            refresh_items(connection, read, now)
            if vectors:
                self._require_model(connection, make=True)
            removed = put_items(connection, last, vectors, now)
        if removed:
            self._ledger.empty_log()
        return answers

    def sweep(self) -> int:
        """Remove the items whose time is over; how many there were."""
        now = to_micros(self._clock())
        with self._ledger.read() as connection:
            if not expired(connection, now):
                return 0
        with self._ledger.write() as connection:
            gone = expired(connection, now)
            remove_items(connection, gone)
        self._ledger.empty_log()
        return len(gone)

    def forget_shelves(self) -> None:
        """Let go of what is kept in memory: items may be gone for good."""
        self._shelves.forget()

    def _answer(
        self, connection: Connection, *, reads: Sequence[Read], asked: Vectors, alive_at: int | None
    ) -> tuple[list[Answer], list[int]]:
        """The answers, and the row ids of the items whose time to live shall begin anew."""
        answers: list[Answer] = []
        touched: list[int] = []
        for read in reads:
            if isinstance(read, Get):
                item = read_item(connection, read.namespace, read.key, alive_at)
                answers.append(item)
                touched += [item.id] if item is not None and read.refresh else []
            elif isinstance(read, ListSpaces):
                answers.append(spaces_below(connection, read.prefix, alive_at))
            else:
                found = self._find(connection, read, asked, alive_at)
                answers.append(found)
                touched += [each.item.id for each in found if read.refresh]
        return answers, touched

    def _find(self, connection: Connection, read: Find, asked: Vectors, alive_at: int | None) -> list[FoundItem]:
        if read.limit == 0:
            return []
        if read.query:
            return self._ranked(connection, read, asked[read.query], alive_at)
        if not read.filter:
            page = scan(connection, read.prefix, alive_at, limit=read.limit, offset=read.offset)
            return [FoundItem(item) for item in page]
        found: list[FoundItem] = []
        for item in scan(connection, read.prefix, alive_at, needles=list(needles(read.filter))):
            if passes(item.value, read.filter):
                found.append(FoundItem(item))
                if len(found) == read.offset + read.limit:
                    break
        return found[read.offset :]

    def _ranked(
        self, connection: Connection, read: Find, vector: NDArray[np.float32], alive_at: int | None
    ) -> list[FoundItem]:
        self._require_model(connection)
        shelf = self._shelves.shelf(connection, read.prefix)
        order, scores = ranked(shelf, vector, terms(read.query or ""))
        skipped, wanted = read.offset, read.offset + read.limit
        if not read.filter and alive_at is None:  # then whatever is on the shelf counts
            order, skipped, wanted = order[skipped:wanted], 0, read.limit
        found: list[FoundItem] = []
        at_once = max(_READ_AT_ONCE, wanted)
        for start in range(0, len(order), at_once):
            ids: list[int] = shelf.ids[order[start : start + at_once]].tolist()
            held = read_items(connection, ids, alive_at)
            for number, score in zip(ids, scores[order[start : start + at_once]].tolist(), strict=True):
                item = held.get(number)
                if item is not None and (not read.filter or passes(item.value, read.filter)):
                    found.append(FoundItem(item, None if isnan(score) else score))
            if len(found) >= wanted:
                break
        return found[skipped:wanted]

    def _require_model(self, connection: Connection, *, make: bool = False) -> None:
        embedder = self._embedder()
        known = embeddings.require_model(connection, embedder.identity, embedder.dimension)
        if make and not known:
            embeddings.set_model(connection, embedder.identity, embedder.dimension)

    def _vectors(self, texts: Iterable[str]) -> Vectors:
        fresh = list(dict.fromkeys(texts))
        found: dict[str, NDArray[np.float32]] = {}
        for start in range(0, len(fresh), _EMBED_AT_ONCE):
            chunk = fresh[start : start + _EMBED_AT_ONCE]
            found.update(zip(chunk, self._embedder().embed(chunk), strict=True))
        return found
