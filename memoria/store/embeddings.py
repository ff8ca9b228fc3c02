"""The ledger's own copy of every embedding, float16, from which any index can be rebuilt without the model.

What enters: ids or a scope. What leaves: points for an index, or one person's matrix for an exact search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from memoria.errors import EmbeddingMismatch
from memoria.store import schema
from memoria.store.ledger import set_meta
from memoria.store.vectors.port import Point

_CHUNK = 500
_IDENTITY, _DIMENSION = "embedding_model", "embedding_dimension"
_MODEL = select(schema.meta.c.key, schema.meta.c.value).where(schema.meta.c.key.in_((_IDENTITY, _DIMENSION)))


def points_of(connection: Connection, ids: Sequence[int]) -> list[Point]:
    """The points of those `ids` that still exist."""
    found: list[Point] = []
    for start in range(0, len(ids), _CHUNK):
        found.extend(_points(connection, schema.episode.c.id.in_(ids[start : start + _CHUNK])))
    return found


def all_points(connection: Connection, batch: int = 2000) -> Iterator[list[Point]]:
    """Every point of the home, in batches by id."""
    last = 0
    while True:
        found = _points(connection, schema.episode.c.id > last, limit=batch)
        if not found:
            return
        yield found
        last = found[-1].id


def _points(connection: Connection, where: object, limit: int | None = None) -> list[Point]:
    episode, embedding = schema.episode, schema.embedding
    rows = connection.execute(
        select(episode.c.id, episode.c.scope_id, episode.c.occurred_at, embedding.c.vector)
        .join(embedding, embedding.c.episode_id == episode.c.id)
        .where(where)  # pyright: ignore[reportArgumentType]  # a column expression, whose type SQLAlchemy hides
        .order_by(episode.c.id)
        .limit(limit)
    )
    return [
        Point(row[0], row[1], "episode", row[2], np.frombuffer(row[3], dtype=np.float16).astype(np.float32))
        for row in rows
    ]


def matrix_of(
    connection: Connection, scope_id: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float16]]:
    """One person's episodes: row ids (n,), times (n,) in microseconds, vectors (n, dimension) float16."""
    episode, embedding = schema.episode, schema.embedding
    rows = connection.execute(
        select(episode.c.id, episode.c.occurred_at, embedding.c.vector)
        .join(embedding, embedding.c.episode_id == episode.c.id)
        .where(episode.c.scope_id == scope_id)
        .order_by(episode.c.id)
    ).all()
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    times = np.array([row[1] for row in rows], dtype=np.int64)
    flat = np.frombuffer(b"".join(row[2] for row in rows), dtype=np.float16)
    return ids, times, flat.reshape(len(rows), -1) if rows else flat.reshape(0, 0)


def all_ids(connection: Connection) -> set[int]:
    """The row ids of every embedding."""
    return set(connection.execute(select(schema.embedding.c.episode_id)).scalars())


def count(connection: Connection) -> int:
    """How many embeddings the home holds."""
    return connection.execute(select(func.count()).select_from(schema.embedding)).scalar_one()


def model_of(connection: Connection) -> tuple[str, int] | None:
    """The identity and dimension of the model that made this home's embeddings; None before the first."""
    held = {row.key: row.value for row in connection.execute(_MODEL)}
    if _IDENTITY not in held or _DIMENSION not in held:
        return None
    return held[_IDENTITY].decode(), int(held[_DIMENSION])


def set_model(connection: Connection, identity: str, dimension: int) -> None:
    """Record which model makes this home's embeddings."""
    set_meta(connection, _IDENTITY, identity.encode())
    set_meta(connection, _DIMENSION, str(dimension).encode())


def require_model(connection: Connection, identity: str, dimension: int) -> bool:
    """Whether the home's embeddings come from this model; False when it has none yet, else `EmbeddingMismatch`."""
    held = model_of(connection)
    if held is not None and held != (identity, dimension):
        raise EmbeddingMismatch(
            f"This home's memories are embedded by {held[0]} ({held[1]} numbers each), not by {identity} "
            f"({dimension}); name the old model, or embed everything again with: memoria reembed"
        )
    return held is not None
