"""Embedding a whole home again, with another model.

What enters: a ledger and the new model. What leaves: the same episodes and items with new vectors, swapped in one unit
of work; until then the home answers from the old ones. Whatever is written meanwhile is embedded inside that unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from memoria.models.embeddings import Embedder
from memoria.store import embeddings, outbox, schema
from memoria.store.ledger import Ledger, take_numbers
from memoria.store.schema_items import item, item_namespace, item_piece

_AT_ONCE = 64


def reembed(ledger: Ledger, embedder: Embedder, progress: Callable[[int, int], None] | None = None) -> int:
    """Give every episode a vector of `embedder`; how many there were. The index must be rebuilt afterwards."""
    done: dict[int, bytes] = {}
    pieces: dict[str, bytes] = {}
    with ledger.read() as connection:
        total = connection.execute(select(func.count()).select_from(schema.episode)).scalar_one()
        while rows := _next(connection, max(done, default=0)):
            done.update(_embedded(embedder, rows))
            if progress is not None:
                progress(len(done), total)
        _embed_pieces(connection, embedder, pieces)
    with ledger.write() as connection:
        while rows := _next(connection, max(done, default=0)):
            done.update(_embedded(embedder, rows))
        live = set(connection.execute(select(schema.episode.c.id)).scalars())
        packed = [{"episode_id": number, "vector": vector} for number, vector in done.items() if number in live]
        connection.execute(delete(schema.embedding))
        if packed:
            connection.execute(insert(schema.embedding), packed)
        _embed_pieces(connection, embedder, pieces)
        _swap_pieces(connection, pieces)
        embeddings.set_model(connection, embedder.identity, embedder.dimension)
        connection.execute(update(schema.scope).values(revision=schema.scope.c.revision + 1))
        connection.execute(delete(schema.index_state))  # vectors of the old model: the next opening builds anew
        outbox.trim(connection, outbox.last_change(connection))
    return len(packed)


def _next(connection: Connection, after: int) -> Sequence[tuple[int, str]]:
    table = schema.episode
    query = select(table.c.id, table.c.speaker, table.c.text).where(table.c.id > after)
    rows = connection.execute(query.order_by(table.c.id).limit(_AT_ONCE))
    return [(row[0], f"{row[1]}: {row[2]}") for row in rows]


def _embed_pieces(connection: Connection, embedder: Embedder, done: dict[str, bytes]) -> None:
    """Add the vectors of all texts of items that `done` lacks."""
    texts = [each for each in connection.execute(select(item_piece.c.text).distinct()).scalars() if each not in done]
    for start in range(0, len(texts), _AT_ONCE):
        chunk = texts[start : start + _AT_ONCE]
        vectors = embedder.embed(chunk).astype(np.float16)
        done.update((text, vector.tobytes()) for text, vector in zip(chunk, vectors, strict=True))


def _swap_pieces(connection: Connection, vectors: Mapping[str, bytes]) -> None:
    """Give every piece of an item its new vector, and tell the caches."""
    held = connection.execute(select(item_piece.c.item_id, item_piece.c.position, item_piece.c.text)).all()
    if not held:
        return
    mine = (item_piece.c.item_id == bindparam("of"), item_piece.c.position == bindparam("at"))
    changes = [{"of": row.item_id, "at": row.position, "new": vectors[row.text]} for row in held]
    connection.execute(update(item_piece).where(*mine).values(vector=bindparam("new")), changes)
    number = take_numbers(connection, 1)[0]
    connection.execute(update(item).values(changed=number))
    connection.execute(update(item_namespace).values(changed=number))


def _embedded(embedder: Embedder, rows: Sequence[tuple[int, str]]) -> dict[int, bytes]:
    vectors = embedder.embed([heard for _, heard in rows]).astype(np.float16)
    return {number: vector.tobytes() for (number, _), vector in zip(rows, vectors, strict=True)}
