"""The event log: append-only, each row hashed over the one before it.

What enters: a kind and a few ids and counts, never what anybody said. What leaves: a chain that `verify_chain` walks,
so that a row changed or removed behind memoria's back shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from memoria.store import schema

_START = bytes(32)
_LAST = select(schema.event.c.id, schema.event.c.hash).order_by(schema.event.c.id.desc()).limit(1)
_APPEND = insert(schema.event)


def append_event(
    connection: Connection, *, at: int, kind: str, scope_id: int | None, detail: Mapping[str, Any]
) -> None:
    """Append one event, at `at` microseconds, in the caller's unit of work (the only writer while it lasts)."""
    last = connection.execute(_LAST).first()
    number, before = (last[0] + 1, last[1]) if last is not None else (1, _START)
    body = json.dumps(detail, sort_keys=True, separators=(",", ":"))
    digest = _link(before, number, at, kind, scope_id, body)
    row = {"id": number, "at": at, "kind": kind, "scope_id": scope_id, "detail": body, "hash": digest}
    connection.execute(_APPEND, row)


def verify_chain(connection: Connection) -> int | None:
    """The first event whose hash or number does not fit the one before it; None when the whole log holds."""
    table = schema.event
    before, expected = _START, 1
    for row in connection.execute(select(table).order_by(table.c.id)):
        digest = _link(before, row.id, row.at, row.kind, row.scope_id, row.detail)
        if row.id != expected or digest != row.hash:
            return expected
        before, expected = row.hash, expected + 1
    return None


def _link(before: bytes, number: int, at: int, kind: str, scope_id: int | None, body: str) -> bytes:
    content = json.dumps([number, at, kind, scope_id, body], separators=(",", ":")).encode()
    return hashlib.blake2b(before + content, digest_size=32).digest()
