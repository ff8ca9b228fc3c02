"""Adapters in the ledger: what they are, what they were made of, which one serves.

What enters: an adapter's facts, in the caller's unit of work. What leaves: rows. A row is written once the files lie
whole where it says; `status` is changed only here. No word of anybody is in a row: sources are ids and keyed hashes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from memoria.store import schema
from memoria.store.schema_adapters import adapter, adapter_source

_CHUNK = 500
QUARANTINED = "quarantined"
ENDED = ("retired", "rejected")  # that had their day: of older ones the files go, and the row stays


@dataclass(frozen=True)
class SourceRow:
    """What an adapter was made of: a belief or an episode by its key, or an adapter by its row id. `hash` names what it
    said then."""

    kind: str
    key: bytes
    hash: bytes


@dataclass(frozen=True)
class NewAdapter:
    """What a row is made of; see `schema_adapters`."""

    kind: str
    base: str
    recipe: str
    digest: str
    files: Mapping[str, str]
    sources: Sequence[SourceRow]
    figures: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class AdapterRow:
    """An adapter; times are microseconds since 1970 UTC. `verdict` is JSON."""

    id: int
    scope_id: int
    kind: str
    version: int
    status: str
    made_at: int
    promoted_at: int | None
    ended_at: int | None
    erasure: int | None
    base: str
    recipe: str
    digest: str
    parent_id: int | None
    folder: str
    files: dict[str, str]
    figures: dict[str, Any]
    verdict: str | None

    @property
    def name(self) -> str:
        """Its public id within its person's memory."""
        return f"{self.kind}-{self.version}"


def number_key(number: int) -> bytes:
    """An adapter's row id as the key of a source."""
    return number.to_bytes(16, "big")


def add(connection: Connection, scope_id: int, made: NewAdapter, at: int, parent_id: int | None = None) -> AdapterRow:
    """Keep a candidate, as the next version of its kind; its `folder` is yet to be set. `parent_id` is the adapter that
    it goes on from."""
    mine = (adapter.c.scope_id == scope_id, adapter.c.kind == made.kind)
    last = connection.execute(select(func.max(adapter.c.version)).where(*mine)).scalar() or 0
    row = {
        "scope_id": scope_id,
        "kind": made.kind,
        "version": last + 1,
        "status": "candidate",
        "made_at": at,
        "base": made.base,
        "recipe": made.recipe,
        "digest": made.digest,
        "parent_id": parent_id,
        "folder": "",
        "files": json.dumps(dict(made.files), sort_keys=True),
        "figures": json.dumps(dict(made.figures), sort_keys=True),
    }
    number = connection.execute(insert(adapter).values(row).returning(adapter.c.id)).scalar_one()
    unique = {(each.kind, each.key): each.hash for each in made.sources}
    sources = [{"adapter_id": number, "kind": k, "key": key, "hash": said} for (k, key), said in unique.items()]
    if sources:
        connection.execute(insert(adapter_source), sources)
    return by_id(connection, [number])[number]


def set_folder(connection: Connection, number: int, folder: str) -> None:
    """Say where the files of an adapter lie, relative to the home."""
    connection.execute(update(adapter).where(adapter.c.id == number).values(folder=folder))


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, AdapterRow]:
    """The adapters of these row ids that there are, of whomever."""
    return {row.id: row for chunk in _chunks(list(ids)) for row in _rows(connection, adapter.c.id.in_(chunk))}


def of_scope(connection: Connection, scope_id: int) -> list[AdapterRow]:
    """A person's adapters, in the order they were made."""
    return _rows(connection, adapter.c.scope_id == scope_id)


def every(connection: Connection) -> list[AdapterRow]:
    """The adapters of everybody, in the order they were made."""
    return _rows(connection, adapter.c.id > 0)


def named(connection: Connection, scope_id: int, kind: str, version: int) -> AdapterRow | None:
    """One of a person's adapters, or None."""
    mine = (adapter.c.scope_id == scope_id, adapter.c.kind == kind, adapter.c.version == version)
    return next(iter(_rows(connection, *mine)), None)


def of_digest(connection: Connection, scope_id: int, kind: str, digest: str) -> AdapterRow | None:
    """The newest of a person's adapters that was made so and is not quarantined, or None."""
    mine = (adapter.c.scope_id == scope_id, adapter.c.digest == digest, adapter.c.kind == kind)
    found = _rows(connection, *mine, adapter.c.status != QUARANTINED)
    return found[-1] if found else None


def serving(connection: Connection, scope_id: int, kind: str) -> AdapterRow | None:
    """The adapter of a kind that serves a person, or None."""
    mine = (adapter.c.scope_id == scope_id, adapter.c.kind == kind, adapter.c.status == "serving")
    return next(iter(_rows(connection, *mine)), None)


def sources_of(connection: Connection, number: int) -> list[SourceRow]:
    """What an adapter was made of."""
    table = adapter_source
    query = select(table).where(table.c.adapter_id == number).order_by(table.c.kind, table.c.key)
    return [SourceRow(row.kind, row.key, row.hash) for row in connection.execute(query)]


def source_counts(connection: Connection, number: int) -> dict[str, int]:
    """How many sources of each kind an adapter was made of."""
    table = adapter_source
    query = select(table.c.kind, func.count()).where(table.c.adapter_id == number).group_by(table.c.kind)
    return {row[0]: row[1] for row in connection.execute(query)}


def made_of(connection: Connection, keys: Iterable[bytes]) -> set[int]:
    """The row ids of the adapters, of whomever, that were made of a belief or an episode with one of these keys and are
    not quarantined."""
    table, found = adapter_source, set[int]()
    query = select(table.c.adapter_id).join(adapter).where(adapter.c.status != QUARANTINED, table.c.kind != "adapter")
    for chunk in _chunks(sorted(set(keys))):
        found.update(connection.execute(query.where(table.c.key.in_(chunk))).scalars())
    return found


def made_of_person(connection: Connection, scope_id: int) -> set[int]:
    """The row ids of the adapters, of whomever, that were made of anything in a person's memory and are not
    quarantined."""
    found: set[int] = set()
    for table in (schema.episode, schema.belief):
        joined = select(adapter_source.c.adapter_id).join(table, table.c.key == adapter_source.c.key).join(adapter)
        mine = joined.where(table.c.scope_id == scope_id, adapter_source.c.kind != "adapter")
        found.update(connection.execute(mine.where(adapter.c.status != QUARANTINED).distinct()).scalars())
    return found


def grown_from(connection: Connection, ids: Iterable[int]) -> set[int]:
    """The row ids of `ids` and of all that took weights of them, through any number of steps."""
    found, fresh = set(ids), set(ids)
    table = adapter_source
    while fresh:
        took = set[int]()
        for chunk in _chunks(sorted(fresh)):
            keys = [number_key(each) for each in chunk]
            from_keys = select(table.c.adapter_id).where(table.c.kind == "adapter", table.c.key.in_(keys))
            grown = or_(adapter.c.parent_id.in_(chunk), adapter.c.id.in_(from_keys))
            took.update(connection.execute(select(adapter.c.id).where(grown)).scalars())
        fresh = took - found
        found |= fresh
    return found


def set_verdict(connection: Connection, number: int, status: str, verdict: str) -> None:
    """Keep what the gate said of a candidate."""
    connection.execute(update(adapter).where(adapter.c.id == number).values(status=status, verdict=verdict))


def retire(connection: Connection, number: int, at: int) -> None:
    """Let an adapter serve no longer."""
    connection.execute(update(adapter).where(adapter.c.id == number).values(status="retired", ended_at=at))


def promote(connection: Connection, row: AdapterRow, at: int) -> None:
    """Let an adapter serve; what served in its place retires."""
    before = serving(connection, row.scope_id, row.kind)
    if before is not None and before.id != row.id:
        retire(connection, before.id, at)
    values = {"status": "serving", "promoted_at": at, "ended_at": None}
    connection.execute(update(adapter).where(adapter.c.id == row.id).values(values))


def quarantine(connection: Connection, ids: Iterable[int], erasure: int | None, at: int) -> None:
    """Nothing made of what is gone serves any more; its files are to go, too."""
    values = {"status": QUARANTINED, "erasure": erasure, "ended_at": at}
    for chunk in _chunks(sorted(ids)):
        connection.execute(update(adapter).where(adapter.c.id.in_(chunk)).values(values))


def emptied(connection: Connection, ids: Sequence[int]) -> None:
    """Note that the files of these adapters are gone."""
    for chunk in _chunks(ids):
        connection.execute(update(adapter).where(adapter.c.id.in_(chunk)).values(files="{}"))


def remove(connection: Connection, scope_id: int) -> None:
    """Remove every adapter of a person; their files belong to nobody then."""
    mine = select(adapter.c.id).where(adapter.c.scope_id == scope_id)
    connection.execute(delete(adapter_source).where(adapter_source.c.adapter_id.in_(mine)))
    connection.execute(delete(adapter).where(adapter.c.scope_id == scope_id))


def _rows(connection: Connection, *where: ColumnElement[bool]) -> list[AdapterRow]:
    return [_row(row) for row in connection.execute(select(adapter).where(*where).order_by(adapter.c.id))]


def _row(row: Row[Any]) -> AdapterRow:
    values: dict[str, Any] = dict(row._mapping)  # pyright: ignore[reportPrivateUsage]  # SQLAlchemy's documented name
    return AdapterRow(**values | {"files": json.loads(row.files), "figures": json.loads(row.figures)})


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
