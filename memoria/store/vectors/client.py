"""A Qdrant server or cluster, through qdrant-client.

What enters: a URL and a collection's name, points and queries. What leaves: nearest ids. Writes wait until the server
has applied them, so a drained outbox is findable; an answer that does not come becomes `IndexUnavailable`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient
from qdrant_client import models as q
from qdrant_client.http.exceptions import ApiException

from memoria.errors import IndexUnavailable
from memoria.store.vectors.port import Found, Point

_PAGE = 10_000
_UPLOAD = 500  # points in one request: some 4 MB of JSON, well under the server's 32


class ClientIndex:
    """The collection `collection` at `url` (":memory:" for tests), made if it is missing.

    Raises `IndexUnavailable` when the server does not answer or refuses.
    """

    name = "client"

    def __init__(self, *, url: str, collection: str, dimension: int, api_key: str | None = None) -> None:
        self._url, self._collection = url, collection
        with self._reached():
            if url == ":memory:":
                self._client = QdrantClient(url)
            else:  # its version check runs in a thread of its own and can only warn
                self._client = QdrantClient(url=url, api_key=api_key, check_compatibility=False)
            if self._client.collection_exists(collection):
                return
            params = q.VectorParams(size=dimension, distance=q.Distance.DOT, datatype=q.Datatype.FLOAT16)
            self._client.create_collection(collection, vectors_config=params)
            if url != ":memory:":  # the in-memory client has no payload indexes, and warns
                for field in ("s", "t"):
                    self._client.create_payload_index(collection, field, q.PayloadSchemaType.INTEGER)

    @contextmanager
    def _reached(self) -> Generator[None]:
        try:
            yield
        except (ApiException, OSError, ValueError) as error:
            said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise IndexUnavailable(
                f"The Qdrant server {self._url} did not take a request ({said}); start it, or set store.index: edge."
            ) from error

    def upsert(self, points: Sequence[Point]) -> None:
        """Add or replace points."""
        rows = [
            q.PointStruct(id=p.id, vector=p.vector.tolist(), payload={"s": p.scope, "t": p.time, "k": p.kind})
            for p in points
        ]
        with self._reached():
            for start in range(0, len(rows), _UPLOAD):
                self._client.upsert(self._collection, rows[start : start + _UPLOAD], wait=True)

    def delete(self, ids: Sequence[int]) -> None:
        """Remove points."""
        if ids:
            with self._reached():
                self._client.delete(self._collection, q.PointIdsList(points=list(ids)), wait=True)

    def search(self, vector: NDArray[np.float32], *, scope: int, limit: int, before: int | None = None) -> Found:
        """The scope's nearest points."""
        must: list[q.Condition] = [q.FieldCondition(key="s", match=q.MatchValue(value=scope))]
        if before is not None:
            must.append(q.FieldCondition(key="t", range=q.Range(lte=before)))
        with self._reached():
            hits = self._client.query_points(
                self._collection,
                query=vector.tolist(),
                query_filter=q.Filter(must=must),
                limit=limit,
                with_payload=False,
            ).points
        return Found(
            np.array([hit.id for hit in hits], dtype=np.int64),
            np.array([hit.score for hit in hits], dtype=np.float32),
        )

    def ids(self) -> set[int]:
        """Every id held."""
        found: set[int] = set()
        offset = None
        while True:
            with self._reached():
                records, offset = self._client.scroll(
                    self._collection, limit=_PAGE, offset=offset, with_payload=False, with_vectors=False
                )
            found.update(int(record.id) for record in records)
            if offset is None:
                return found

    def count(self) -> int:
        """How many points are held."""
        with self._reached():
            return self._client.count(self._collection, exact=True).count

    def flush(self) -> None:
        """Nothing to do: each write waited for the server's write-ahead log."""

    def drop(self) -> None:
        """Remove the collection: its generation is over."""
        with self._reached():
            self._client.delete_collection(self._collection)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
