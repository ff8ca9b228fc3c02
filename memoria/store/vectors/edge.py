"""Qdrant Edge: the default index, in this process, in one folder.

What enters: points and queries. What leaves: nearest ids. Vectors lie there as float16; payloads hold the scope's
number, the time and the kind, never text. The ledger's outbox is its write-ahead log (the engine's own would hold every
vector a second time, at twice the size), so nothing counts as durable before `flush`, and the keeper's lock is what
keeps a second process out (docs/decisions/002.md).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray

from memoria.errors import IndexUnavailable
from memoria.store.vectors.port import Found, Point

_PAGE = 10_000


def edge_version() -> str:
    """The installed engine's version; another version's files are rebuilt, never read."""
    return version("qdrant-edge-py")


class EdgeIndex:
    """Open the shard at `path`, or make it. Raises `IndexUnavailable` for files that cannot be read."""

    name = "edge"

    def __init__(self, path: Path, dimension: int) -> None:
        self._path = path
        params = edge.EdgeVectorParams(
            size=dimension, distance=edge.Distance.Dot, datatype=edge.VectorStorageDatatype.Float16
        )
        # One search thread: a person's share is small, and an agent's host has other work for its cores.
        config = edge.EdgeConfig(vectors=params, max_search_threads=1, wal_enabled=False)
        try:
            if path.is_dir() and any(path.iterdir()):
                self._shard: edge.EdgeShard | None = edge.EdgeShard.load(str(path), config)
            else:
                path.mkdir(parents=True, exist_ok=True)
                self._shard = edge.EdgeShard.create(str(path), config)
                lookup, between = edge.IntegerIndexParams(lookup=True, range=False), edge.IntegerIndexParams(range=True)
                self._shard.update(edge.UpdateOperation.create_field_index("s", lookup))
                self._shard.update(edge.UpdateOperation.create_field_index("t", between))
        except Exception as error:  # the engine raises bare Exception for whatever went wrong
            raise IndexUnavailable(
                f"The vector index {path} cannot be opened ({error}); it will be rebuilt."
            ) from error

    @property
    def _open(self) -> edge.EdgeShard:
        if self._shard is None:
            raise IndexUnavailable("This vector index is closed; open the Memory again.")
        return self._shard

    def upsert(self, points: Sequence[Point]) -> None:
        """Add or replace points."""
        if points:
            rows = [edge.Point(p.id, p.vector.tolist(), {"s": p.scope, "t": p.time, "k": p.kind}) for p in points]
            self._open.update(edge.UpdateOperation.upsert_points(rows))

    def delete(self, ids: Sequence[int]) -> None:
        """Remove points."""
        if ids:
            self._open.update(edge.UpdateOperation.delete_points(list(ids)))

    def search(self, vector: NDArray[np.float32], *, scope: int, limit: int, before: int | None = None) -> Found:
        """The scope's nearest points."""
        must: list[edge.FieldCondition] = [edge.FieldCondition("s", match=edge.MatchValue(scope))]
        if before is not None:
            must.append(edge.FieldCondition("t", range=edge.RangeFloat(lte=float(before))))
        request = edge.QueryRequest(
            limit=limit, query=edge.Query.Nearest(vector.tolist()), filter=edge.Filter(must=list(must))
        )
        hits = self._open.query(request)
        return Found(
            np.array([hit.id for hit in hits], dtype=np.int64),
            np.array([hit.score for hit in hits], dtype=np.float32),
        )

    def ids(self) -> set[int]:
        """Every id held."""
        found: set[int] = set()
        offset = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=_PAGE, with_payload=False, with_vector=False)
            records, offset = self._open.scroll(request)
            found.update(int(str(record.id)) for record in records)
            if offset is None:
                return found

    def count(self) -> int:
        """How many points are held."""
        return self._open.count(edge.CountRequest(exact=True))

    def flush(self) -> None:
        """Make everything accepted durable."""
        self._open.flush()

    def optimize(self) -> None:
        """Merge segments. Holds the GIL throughout: for a process of its own only (`rebuild`)."""
        self._open.optimize()

    def drop(self) -> None:
        """Close, and remove the files."""
        self.close()
        shutil.rmtree(self._path, ignore_errors=True)

    def close(self) -> None:
        """Release the files."""
        if self._shard is not None:
            self._shard.close()
            self._shard = None
