"""Items in the ledger, written and removed.

What enters: puts made ready, in the caller's unit of work. What leaves: rows of `schema_items.py`. A namespace has a
row as long as it holds an item; any change raises its `changed`, by which caches know what to read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from memoria.records import Scope
from memoria.store import schema
from memoria.store.item_records import Namespace, Put, path_of
from memoria.store.ledger import take_numbers
from memoria.store.schema_items import item, item_namespace, item_piece
from memoria.store.scopes import ensure_scope
from memoria.store.text import terms

_CHUNK = 500

_FIND_SPACE = (
    select(item_namespace.c.id, schema.scope.c.tenant, schema.scope.c.user)
    .outerjoin(schema.scope, schema.scope.c.id == item_namespace.c.scope_id)
    .where(item_namespace.c.path == bindparam("of_path"))
)
_ADD_SPACE = insert(item_namespace).returning(item_namespace.c.id)
_OWN_SPACE = update(item_namespace).where(item_namespace.c.id == bindparam("space"))
_TOUCH = update(item_namespace).where(item_namespace.c.id == bindparam("space")).values(changed=bindparam("number"))
_KNOWN = select(item.c.key, item.c.id).where(
    item.c.namespace_id == bindparam("space"), item.c.key.in_(bindparam("keys", expanding=True))
)
_ADD = insert(item)
_REPLACE = (
    update(item)
    .where(item.c.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}") for name in ("put_at", "ttl", "expires_at", "changed", "value")})
)
_ADD_PIECES = insert(item_piece)
_DROP_PIECES = delete(item_piece).where(item_piece.c.item_id == bindparam("of_id"))
_EMPTY = ~select(item.c.id).where(item.c.namespace_id == item_namespace.c.id).exists()


@dataclass(frozen=True)
class _Places:
    """Where puts go: each namespace's row, and the row of each item that is there."""

    spaces: dict[Namespace, int]
    items: dict[tuple[Namespace, str], int]


def put_items(
    connection: Connection, puts: Sequence[Put], vectors: Mapping[str, NDArray[np.float32]], now: int
) -> bool:
    """Write and remove items, no two with one namespace and key; whether any was removed. `vectors` is by text."""
    numbers = dict(zip(puts_by_place(puts), take_numbers(connection, len(puts)), strict=True))
    places = _places(connection, puts, numbers)
    added: list[dict[str, Any]] = []
    replaced: list[dict[str, Any]] = []
    pieces: list[dict[str, Any]] = []
    gone: list[int] = []
    for put in puts:
        number = numbers[put.namespace, put.key]
        held = places.items.get((put.namespace, put.key))
        if put.value is None:
            gone += [] if held is None else [held]
            continue
        row = _row(put, number, now)
        if held is None:
            added.append(row | {"id": number, "namespace_id": places.spaces[put.namespace], "key": put.key})
        else:
            replaced.append({f"new_{name}": value for name, value in row.items()} | {"of_id": held})
        pieces += _pieces(held or number, put.texts, vectors)
    if replaced:
        connection.execute(_DROP_PIECES, [{"of_id": row["of_id"]} for row in replaced])
        connection.execute(_REPLACE, replaced)
    for statement, rows in ((_ADD, added), (_ADD_PIECES, pieces)):
        if rows:
            connection.execute(statement, rows)
    _touch(connection, places, puts, numbers)
    remove_items(connection, gone)
    return bool(gone)


def remove_items(connection: Connection, ids: Sequence[int]) -> None:
    """Remove the items with these row ids, and the namespaces that are left without any."""
    if not ids:
        return
    number = take_numbers(connection, 1)[0]
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        spaces = list(connection.execute(select(item.c.namespace_id).where(item.c.id.in_(chunk)).distinct()).scalars())
        connection.execute(delete(item_piece).where(item_piece.c.item_id.in_(chunk)))
        connection.execute(delete(item).where(item.c.id.in_(chunk)))
        if spaces:
            connection.execute(_TOUCH, [{"space": each, "number": number} for each in spaces])
            connection.execute(delete(item_namespace).where(item_namespace.c.id.in_(spaces), _EMPTY))


def refresh_items(connection: Connection, ids: Sequence[int], now: int) -> None:
    """Let the time to live of those of the items that have one begin anew."""
    for start in range(0, len(ids), _CHUNK):
        mine = (item.c.id.in_(ids[start : start + _CHUNK]), item.c.ttl.is_not(None))
        connection.execute(update(item).where(*mine).values(expires_at=item.c.ttl + now))


def with_ttl(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Those of the items that have a time to live."""
    found: list[int] = []
    for start in range(0, len(ids), _CHUNK):
        mine = (item.c.id.in_(ids[start : start + _CHUNK]), item.c.ttl.is_not(None))
        found += connection.execute(select(item.c.id).where(*mine)).scalars()
    return found


def hashed(words: Iterable[str]) -> NDArray[np.uint64]:
    """Terms as the ledger holds those of items, (n,): 64 bits each, so that no two meet by chance."""
    return np.array([_hash(word) for word in words], dtype="<u8")


def puts_by_place(puts: Sequence[Put]) -> dict[tuple[Namespace, str], Put]:
    """The puts by namespace and key; of several for one item, the last, in the place of the first."""
    return {(put.namespace, put.key): put for put in puts}


@lru_cache(maxsize=65536)
def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")


def _row(put: Put, number: int, now: int) -> dict[str, Any]:
    expires_at = None if put.ttl is None else now + put.ttl
    return {"put_at": now, "ttl": put.ttl, "expires_at": expires_at, "changed": number, "value": put.value}


def _pieces(number: int, texts: Sequence[str], vectors: Mapping[str, NDArray[np.float32]]) -> list[dict[str, Any]]:
    return [
        {
            "item_id": number,
            "position": position,
            "text": text,
            "terms": hashed(terms(text)).tobytes(),
            "vector": vectors[text].astype(np.float16).tobytes(),
        }
        for position, text in enumerate(texts)
    ]


def _places(connection: Connection, puts: Sequence[Put], numbers: Mapping[tuple[Namespace, str], int]) -> _Places:
    by_space: dict[Namespace, list[Put]] = {}
    for put in puts:
        by_space.setdefault(put.namespace, []).append(put)
    places = _Places({}, {})
    for namespace, mine in by_space.items():
        kept = next((put for put in mine if put.value is not None), None)
        space = _space(connection, namespace, kept, numbers)
        if space is None:  # nothing there, and nothing to be put there
            continue
        places.spaces[namespace] = space
        keys = [put.key for put in mine]
        for start in range(0, len(keys), _CHUNK):
            known = connection.execute(_KNOWN, {"space": space, "keys": keys[start : start + _CHUNK]})
            places.items.update(((namespace, row.key), row.id) for row in known)
    return places


def _space(
    connection: Connection, namespace: Namespace, kept: Put | None, numbers: Mapping[tuple[Namespace, str], int]
) -> int | None:
    """The namespace's row, made if `kept` shall go there; it becomes the person's that `kept` names."""
    path = path_of(namespace)
    row = connection.execute(_FIND_SPACE, {"of_path": path}).first()
    if kept is None:
        return None if row is None else row.id
    scope = kept.scope
    if row is not None and (scope is None or scope == _whose(row)):
        return row.id
    owner = None if scope is None else ensure_scope(connection, scope).id
    if row is not None:
        connection.execute(_OWN_SPACE.values(scope_id=owner), {"space": row.id})
        return row.id
    values = {"path": path, "scope_id": owner, "changed": numbers[namespace, kept.key]}
    return connection.execute(_ADD_SPACE, values).scalar_one()


def _whose(row: Any) -> Scope | None:
    return None if row.user is None else Scope(tenant=row.tenant, user=row.user)


def _touch(
    connection: Connection, places: _Places, puts: Sequence[Put], numbers: Mapping[tuple[Namespace, str], int]
) -> None:
    last = {
        places.spaces[put.namespace]: numbers[put.namespace, put.key]
        for put in puts
        if put.value is not None and put.namespace in places.spaces
    }
    if last:
        connection.execute(_TOUCH, [{"space": space, "number": number} for space, number in last.items()])
