"""Keeping the vector index in step with the ledger.

What enters: the outbox. What leaves: search results that miss nothing committed before the question.

With Edge, one process holds `index.lock` and with it the index; it drains the outbox before it searches, and moves
the durable watermark only after a flush, so a crash replays a few changes and loses none. A process without the lock
searches the ledger's own vectors exactly. An index that is missing, foreign, damaged or of the wrong size is built
anew from the ledger: it is disposable.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, delete, insert, select

from memoria.clock import stopwatch
from memoria.errors import IndexUnavailable
from memoria.settings import StoreSettings
from memoria.store import embeddings, outbox, schema
from memoria.store.episodes import Vector
from memoria.store.exact_search import exact_over
from memoria.store.ledger import Ledger
from memoria.store.vectors.edge import EdgeIndex, edge_version
from memoria.store.vectors.port import Found, Point, VectorIndex
from memoria.store.vectors.rebuild import build_generation

_BATCH = 2000
_SUBPROCESS_FROM = 5000  # below it, building in this process is quicker than starting another
_RETRY_S = 1.0  # how often a process without the lock asks for it


class IndexKeeper:
    """The index of one home. `engine` is "edge", "exact" or a Qdrant server's URL (`StoreSettings.index`).

    Safe to share by threads. Raises `IndexUnavailable` when a server cannot be reached.
    """

    def __init__(self, home: Path, ledger: Ledger, settings: StoreSettings, dimension: int) -> None:
        self._folder = home / "index"
        self._ledger = ledger
        self._settings = settings
        self._dimension = dimension
        self._lock = FileLock(home / "index.lock", thread_local=False)
        self._mutex = threading.RLock()
        self._index: VectorIndex | None = None
        self._drained = 0
        self._unflushed = 0
        self._asked = -_RETRY_S
        self._exact = exact_over(ledger, settings.cache_mb)

    def search(self, connection: Connection, vector: Vector, *, scope_id: int, limit: int, before: int | None) -> Found:
        """The scope's `limit` nearest episodes not later than `before` (microseconds), as of `connection` or later."""
        while True:
            with self._mutex:
                if self._own() and outbox.last_change(connection) > self._drained:
                    self._drain()
                index = self._index or self._exact
            try:
                return index.search(vector, scope=scope_id, limit=limit, before=before)
            except IndexUnavailable:
                if index is self._index:
                    raise  # else another thread has put a new generation in its place

    def status(self) -> dict[str, Any]:
        """Which engine serves this process, its generation, and how many changes wait."""
        with self._mutex:
            owns = self._own()
            if owns:
                self._drain()
            engine = self._index.name if self._index else self._exact.name
            with self._ledger.read() as connection:
                state = _state(connection)
                held = self._index.count() if self._index else embeddings.count(connection)
                return {
                    "engine": engine,
                    "owns_index": owns,
                    "generation": state.generation if state else None,
                    "points": held,
                    "waiting": outbox.last_change(connection) - self._drained if owns else outbox.pending(connection),
                }

    def missing_and_ghosts(self) -> tuple[set[int], set[int]]:
        """Row ids that the ledger has and the index lacks, and the other way round; both empty when in step."""
        with self._mutex:
            if self._own():
                self._drain()
            held = (self._index or self._exact).ids()
            truth = self._exact.ids()
            return truth - held, held - truth

    def settle(self) -> bool:
        """Bring the index level with the ledger, durably; False when another process holds it."""
        with self._mutex:
            if self._settings.index == "exact":
                self._exact.close()
                shutil.rmtree(self._folder, ignore_errors=True)  # another engine's, from before
                return True
            if not self._own():
                return False
            self._drain()
            self._flush()
            return True

    def rebuild(self) -> None:
        """Build a new generation from the ledger and drop the old ones. Needs the index lock."""
        with self._mutex:
            if self._settings.index == "exact":
                return
            if not self._own():
                raise IndexUnavailable("Another process holds this home's index; close it, then try again.")
            self._build()

    def close(self) -> None:
        """Drain, flush and let go of the index. Closing twice is no error."""
        with self._mutex:
            if self._index is not None:
                self._drain()
                self._flush()
                self._index.close()
                self._index = None
            elif self._settings.index == "exact":
                self._forget_index()
            if self._lock.is_locked:
                self._lock.release()

    # -- owning ------------------------------------------------------------------------------------------------

    def _own(self) -> bool:
        """Whether this process keeps the index, taking it up if nobody does."""
        if self._index is not None:
            return True
        now = stopwatch()
        if self._settings.index == "exact" or now - self._asked < _RETRY_S:
            return False
        self._asked = now
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        return True

    def _open(self) -> None:
        with self._ledger.read() as connection:
            state = _state(connection)
        if state is None or state.engine != self._engine() or not self._present(state.generation):
            self._build()
            return
        try:
            self._index = self._connect(state.generation)
        except IndexUnavailable:
            if self._settings.index != "edge":
                raise
            self._build()  # damaged files; the ledger has all that they held
            return
        self._drop_all_but(state.generation)  # left by a process that was killed after it had built this one
        self._drained = state.applied
        self._drain()
        with self._ledger.read() as connection:
            expected = embeddings.count(connection)
            settled = outbox.last_change(connection) == self._drained
        if settled and self._index.count() != expected:
            self._build()

    def _engine(self) -> str:
        if self._settings.index == "edge":
            return f"edge {edge_version()} f16 {self._dimension}"
        return f"client {self._settings.index} {self._dimension}"

    def _present(self, generation: int) -> bool:
        return self._settings.index != "edge" or self._generation(generation).is_dir()

    def _generation(self, number: int) -> Path:
        return self._folder / f"gen-{number}"

    def _connect(self, generation: int) -> VectorIndex:
        if self._settings.index == "edge":
            return EdgeIndex(self._generation(generation), self._dimension)
        from memoria.store.vectors.client import ClientIndex  # noqa: PLC0415  # qdrant_client takes 1.3 s to import

        name = f"memoria-{self._ledger.keyed_hash('index').hex()}-{generation}"
        url, key = self._settings.index, self._settings.index_api_key
        return ClientIndex(url=url, collection=name, dimension=self._dimension, api_key=key)

    # -- keeping in step -----------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Apply every change posted so far; each is idempotent. Edge forgets by a new generation."""
        assert self._index is not None
        while True:
            with self._ledger.read() as connection:
                last = outbox.last_change(connection)
                changes = outbox.changes_after(connection, self._drained, _BATCH)
                added = [each.episode_id for each in changes if each.op == "add"]
                points = embeddings.points_of(connection, added)
            if not changes:
                self._drained = last  # the same counter numbers beliefs, which are none of the index's business
                return
            removed = [each.episode_id for each in changes if each.op == "remove"]
            if removed and self._settings.index == "edge":
                self._build()  # its own delete leaves the bytes where they were
                continue
            self._index.upsert(points)
            self._index.delete(removed)  # on a server, the bytes are its operator's affair
            self._drained = changes[-1].seq
            self._unflushed += len(changes)
            if self._unflushed >= self._settings.flush_every:
                self._flush()

    def _flush(self) -> None:
        """Make the index durable, then move the watermark: never the other way round."""
        assert self._index is not None
        if not self._unflushed:
            return
        self._index.flush()
        with self._ledger.write() as connection:
            table = schema.index_state
            connection.execute(table.update().where(table.c.name == "vectors").values(applied=self._drained))
            outbox.trim(connection, self._drained)
        self._unflushed = 0

    def _build(self) -> None:
        """A new generation from the ledger; the watermark and the pointer to it move in one unit of work."""
        with self._ledger.read() as connection:
            state = _state(connection)
            number = (state.generation if state else 0) + 1
            seq = outbox.last_change(connection)
            shutil.rmtree(self._generation(number), ignore_errors=True)
            points = embeddings.all_points(connection)
            if self._settings.index == "edge" and embeddings.count(connection) >= _SUBPROCESS_FROM:
                # A place of its own: what builds for a process that was killed may still be writing to its.
                place = self._folder / f"gen-{number}.{os.getpid()}"
                shutil.rmtree(place, ignore_errors=True)
                build_generation(points, place, self._dimension)
                place.replace(self._generation(number))
                fresh = self._connect(number)
            else:
                fresh = self._connect(number)
                _fill(fresh, points)
        fresh.flush()
        with self._ledger.write() as connection:
            connection.execute(delete(schema.index_state))
            row = {"name": "vectors", "engine": self._engine(), "generation": number, "applied": seq}
            connection.execute(insert(schema.index_state).values(row))
            outbox.trim(connection, seq)
        if self._index is not None:
            self._index.drop()
        self._index, self._drained, self._unflushed = fresh, seq, 0
        self._drop_all_but(number)

    def _drop_all_but(self, number: int) -> None:
        """Remove the other generations: they hold what was forgotten since."""
        for old in self._folder.glob("gen-*"):
            if old != self._generation(number):
                shutil.rmtree(old, ignore_errors=True)

    def _forget_index(self) -> None:
        """With exact search nobody drains: drop the changes, and the state, so that a later engine starts anew."""
        with self._ledger.read() as connection:
            if not outbox.pending(connection):
                return
        with self._ledger.write() as connection:
            connection.execute(delete(schema.index_state))
            outbox.trim(connection, outbox.last_change(connection))


def _state(connection: Connection) -> Any:
    return connection.execute(select(schema.index_state)).first()


def _fill(index: VectorIndex, batches: Iterator[list[Point]]) -> None:
    for batch in batches:
        index.upsert(batch)
