"""Items in the ledger, read.

What enters: a connection, and which items. What leaves: `StoredItem`s. Every value that a caller gave, filters
included, is a bound parameter. `alive_at` leaves out what had expired by then; None is no such limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, literal, or_, select, true

from memoria.store.item_records import Namespace, StoredItem, namespace_of, path_of
from memoria.store.schema_items import item, item_namespace, item_piece

_CHUNK = 500

_COLUMNS = (item.c.id, item_namespace.c.path, item.c.key, item.c.value, item.c.put_at)
_ITEMS = select(*_COLUMNS).join(item_namespace, item_namespace.c.id == item.c.namespace_id)
# Built once: building a statement costs as much as running it.
_ONE = _ITEMS.where(item_namespace.c.path == bindparam("path"), item.c.key == bindparam("key"))
_SOME = _ITEMS.where(item.c.id.in_(bindparam("ids", expanding=True)))


def read_item(connection: Connection, namespace: Namespace, key: str, alive_at: int | None) -> StoredItem | None:
    """One item, or None."""
    query = _ONE if alive_at is None else _ONE.where(_alive(alive_at))
    row = connection.execute(query, {"path": path_of(namespace), "key": key}).first()
    return None if row is None else _stored(row)


def read_items(connection: Connection, ids: Sequence[int], alive_at: int | None) -> dict[int, StoredItem]:
    """Those of the row `ids` that there are."""
    query = _SOME if alive_at is None else _SOME.where(_alive(alive_at))
    found: dict[int, StoredItem] = {}
    for start in range(0, len(ids), _CHUNK):
        for row in connection.execute(query, {"ids": ids[start : start + _CHUNK]}):
            found[row.id] = _stored(row)
    return found


def scan(
    connection: Connection,
    prefix: Namespace,
    alive_at: int | None,
    *,
    needles: Sequence[str] = (),
    limit: int | None = None,
    offset: int = 0,
) -> Iterator[StoredItem]:
    """The items below `prefix` whose value holds all `needles`: by namespace, within one in the order of first puts."""
    query = _ITEMS.where(below(prefix)).order_by(item_namespace.c.path, item.c.id)
    for needle in needles:
        query = query.where(func.instr(item.c.value, literal(needle)) > 0)
    if alive_at is not None:
        query = query.where(_alive(alive_at))
    if limit is not None:
        query = query.limit(limit).offset(offset)
    with connection.execute(query) as rows:  # the reader may stop before the end
        for row in rows:
            yield _stored(row)


def spaces_below(connection: Connection, prefix: Namespace, alive_at: int | None) -> list[Namespace]:
    """The namespaces below `prefix` that hold items, in the order of their paths."""
    query = select(item_namespace.c.path).where(below(prefix)).order_by(item_namespace.c.path)
    if alive_at is not None:
        query = query.where(_held().where(_alive(alive_at)).exists())
    return [namespace_of(path) for path in connection.execute(query).scalars()]


def below(prefix: Namespace) -> ColumnElement[bool]:
    """Which namespaces lie at or below `prefix`."""
    if not prefix:
        return true()
    first = path_of(prefix)
    return (item_namespace.c.path >= first) & (item_namespace.c.path < first[:-1] + "/")  # "/" comes next after "."


def items_of(connection: Connection, scope_id: int, before: int | None = None) -> list[int]:
    """The row ids of a person's items, put `before` a time."""
    query = select(item.c.id).join(item_namespace).where(item_namespace.c.scope_id == scope_id).order_by(item.c.id)
    return list(connection.execute(query if before is None else query.where(item.c.put_at < before)).scalars())


def searched_of(connection: Connection, ids: Sequence[int]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Each text that the items hold, with its vector; a value as a whole has none, which is all zeros."""
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        for text in connection.execute(select(item.c.value).where(item.c.id.in_(chunk))).scalars():
            yield text, np.zeros(1, dtype=np.float32)
        pieces = select(item_piece.c.text, item_piece.c.vector).where(item_piece.c.item_id.in_(chunk))
        for text, vector in connection.execute(pieces):
            yield text, np.frombuffer(vector, dtype=np.float16).astype(np.float32)


def expired(connection: Connection, now: int) -> list[int]:
    """The row ids of the items whose time is over."""
    return list(connection.execute(select(item.c.id).where(item.c.expires_at <= now)).scalars())


def _held() -> Select[Any]:
    return select(item.c.id).where(item.c.namespace_id == item_namespace.c.id).correlate(item_namespace)


def _alive(at: int) -> ColumnElement[bool]:
    return or_(item.c.expires_at.is_(None), item.c.expires_at > at)


def _stored(row: Any) -> StoredItem:
    return StoredItem(row.id, namespace_of(row.path), row.key, json.loads(row.value), row.put_at)
