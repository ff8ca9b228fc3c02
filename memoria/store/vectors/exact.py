"""Exact search over the ledger's own vectors, with numpy.

What enters: a scope's matrix, read from the ledger when first asked for. What leaves: its nearest rows, exactly.
For processes that do not hold the index lock, for homes that want no second store, and for tests. It keeps nothing of
its own but a cache, so writes are no-ops: the ledger has them already.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from memoria.store.vectors.port import Found, Point

Matrix = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float16]]


class ExactIndex:
    """`load(scope)` gives ids, times and vectors; `revision(scope)` changes when they do; both read the ledger."""

    name = "exact"

    def __init__(
        self,
        *,
        load: Callable[[int], Matrix],
        revision: Callable[[int], object],
        all_ids: Callable[[], set[int]],
        limit_mb: int,
    ) -> None:
        self._load, self._revision, self._all_ids = load, revision, all_ids
        self._limit = limit_mb * 1_000_000
        self._lock = threading.Lock()
        self._held: OrderedDict[int, tuple[object, Matrix]] = OrderedDict()

    def upsert(self, points: Sequence[Point]) -> None:
        """Nothing to do: the ledger has them."""

    def delete(self, ids: Sequence[int]) -> None:
        """Nothing to do: the ledger has dropped them."""

    def search(self, vector: NDArray[np.float32], *, scope: int, limit: int, before: int | None = None) -> Found:
        """The scope's nearest points."""
        ids, times, vectors = self._matrix(scope)
        if before is not None:
            keep = times <= before
            ids, vectors = ids[keep], vectors[keep]
        if len(ids) == 0:
            return Found(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
        scores = np.empty(len(ids), dtype=np.float32)
        for start in range(0, len(ids), 4096):  # float16 has no fast product: widen a slice at a time
            scores[start : start + 4096] = vectors[start : start + 4096].astype(np.float32) @ vector
        top = np.argpartition(-scores, limit - 1)[:limit] if limit < len(ids) else np.arange(len(ids))
        top = top[np.argsort(-scores[top], kind="stable")]
        return Found(ids[top], scores[top])

    def _matrix(self, scope: int) -> Matrix:
        revision = self._revision(scope)
        with self._lock:
            held = self._held.get(scope)
            if held is not None and held[0] == revision:
                self._held.move_to_end(scope)
                return held[1]
        matrix = self._load(scope)
        with self._lock:
            self._held[scope] = (revision, matrix)
            self._held.move_to_end(scope)
            while len(self._held) > 1 and sum(each[1][2].nbytes for each in self._held.values()) > self._limit:
                self._held.popitem(last=False)
        return matrix

    def ids(self) -> set[int]:
        """Every id in the ledger."""
        return self._all_ids()

    def count(self) -> int:
        """How many points the ledger has."""
        return len(self._all_ids())

    def flush(self) -> None:
        """Nothing to do: the ledger is durable."""

    def drop(self) -> None:
        """Nothing of its own to remove but the cache."""
        self.close()

    def close(self) -> None:
        """Drop the cache."""
        with self._lock:
            self._held.clear()
