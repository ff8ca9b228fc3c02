"""Forgetting reaches weights: what was made of something that goes serves no more, in the same unit of work.

What enters: the keys of what goes, within the erasing unit of work once it is gone. What leaves: which adapters are
quarantined, and what serves in their place: the newest older one that is made only of what is left, or none. A rebuild
is owed then. Their files go afterwards (`Registry.sweep`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from memoria.distill.lineage import lost_of
from memoria.store import adapters, due, schema
from memoria.store.adapters import QUARANTINED, AdapterRow
from memoria.store.ledger import Ledger

EXPORT = "export"  # the event that a copy left the home
PROMOTE, ROLLBACK = "promote", "rollback"  # the events by which somebody says what shall serve


@dataclass(frozen=True)
class Quarantine:
    """What was quarantined: the person's `own` adapters by id, how many of `others` were made of it, too; what is
    `serving` in the place of those that served; `numbers` are the row ids of all."""

    own: tuple[str, ...] = ()
    others: int = 0
    serving: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()


def quarantine(
    connection: Connection, ledger: Ledger, scope_id: int, keys: Iterable[bytes], erasure: int | None, at: int
) -> Quarantine:
    """Quarantine whatever was made of the beliefs and episodes with these `keys` that are gone, or say something else
    by now; `at` is microseconds since 1970 UTC."""
    touched = adapters.by_id(connection, adapters.made_of(connection, keys))
    hit = [row.id for row in touched.values() if lost_of(connection, ledger, row)]
    return _carry_out(connection, ledger, scope_id, hit, erasure, at, "forgotten")


def quarantine_taught(connection: Connection, ledger: Ledger, scope_id: int, key: bytes, at: int) -> Quarantine:
    """Quarantine whatever was made of the turn with this `key`: what the person thought of it is another thing now."""
    return _carry_out(connection, ledger, scope_id, adapters.made_of(connection, [key]), None, at, "taught anew")


def quarantine_all(
    connection: Connection, ledger: Ledger, scope_id: int, erasure: int | None, at: int, why: str
) -> Quarantine:
    """Quarantine all that was made of a person's memory: they go, or consent no more."""
    hit = {row.id for row in adapters.of_scope(connection, scope_id)} | adapters.made_of_person(connection, scope_id)
    return _carry_out(connection, ledger, scope_id, hit, erasure, at, why)


def remove_person(
    connection: Connection, ledger: Ledger, scope_id: int, keys: Iterable[bytes], erasure: int, at: int
) -> Quarantine:
    """Quarantine what was made of a person whose memory, all of these `keys`, is gone; then remove their own adapters,
    whose files belong to nobody then, their consent and their feedback."""
    own = quarantine_all(connection, ledger, scope_id, erasure, at, "forgotten")
    more = quarantine(connection, ledger, scope_id, keys, erasure, at)
    adapters.remove(connection, scope_id)
    due.remove(connection, scope_id)
    return Quarantine(own.own, own.others + more.others, (), own.numbers + more.numbers)


def exports_of(connection: Connection, numbers: Collection[int]) -> int:
    """How many copies of the adapters `numbers` (row ids) were given out of the home, where nothing reaches them."""
    if not numbers:
        return 0
    said = connection.execute(select(schema.event.c.detail).where(schema.event.c.kind == EXPORT)).scalars()
    return sum(json.loads(each).get("adapter") in numbers for each in said)


def rolled_back(connection: Connection, scope_id: int) -> set[int]:
    """The row ids of a person's adapters that somebody took out of service, and has not let serve again since."""
    table, found = schema.event, set[int]()
    mine = (table.c.scope_id == scope_id, table.c.kind.in_((PROMOTE, ROLLBACK)))
    for row in connection.execute(select(table.c.kind, table.c.detail).where(*mine).order_by(table.c.id)):
        number: int = json.loads(row.detail)["adapter"]
        (found.add if row.kind == ROLLBACK else found.discard)(number)
    return found


def would(
    connection: Connection, ledger: Ledger, scope_id: int, keys: Iterable[bytes], *, everything: bool
) -> Quarantine:
    """What `quarantine` would do, if what has these `keys` were forgotten, or all of the person."""
    own = [row.id for row in adapters.of_scope(connection, scope_id)] if everything else []
    rows = _planned(connection, adapters.made_of(connection, keys).union(own))
    gone = {row.id for row in rows}
    mine = [row for row in rows if row.scope_id == scope_id and row.status == "serving"]
    heirs = [_heir(connection, ledger, row, gone) for row in mine]
    return _told(scope_id, rows, [heir for heir in heirs if heir is not None])


def _carry_out(
    connection: Connection,
    ledger: Ledger,
    scope_id: int,
    hit: Iterable[int],
    erasure: int | None,
    at: int,
    why: str,
) -> Quarantine:
    rows = _planned(connection, hit)
    adapters.quarantine(connection, [row.id for row in rows], erasure, at)
    heirs: list[AdapterRow] = []
    for row in rows:
        heir = _heir(connection, ledger, row, ()) if row.status == "serving" else None
        if heir is not None:
            adapters.promote(connection, heir, at)
            heirs.append(heir)
    for owner in sorted({row.scope_id for row in rows}):
        due.owe(connection, owner, at, why if owner == scope_id else "forgotten")
    return _told(scope_id, rows, heirs)


def _planned(connection: Connection, hit: Iterable[int]) -> list[AdapterRow]:
    """The adapters `hit` and all that took weights of them, but those that are quarantined already."""
    rows = adapters.by_id(connection, adapters.grown_from(connection, hit))
    return [row for _, row in sorted(rows.items()) if row.status != QUARANTINED]


def _heir(connection: Connection, ledger: Ledger, row: AdapterRow, gone: Collection[int]) -> AdapterRow | None:
    """What may serve in an adapter's place: the newest older one that served, of the same base, whose sources are all
    left and that nobody took out of service."""
    unwanted = rolled_back(connection, row.scope_id).union(gone)
    for each in reversed(adapters.of_scope(connection, row.scope_id)):
        older = each.kind == row.kind and each.version < row.version and each.base == row.base
        served = older and each.status == "retired" and each.files and each.id not in unwanted
        if served and not lost_of(connection, ledger, each):
            return each
    return None


def _told(scope_id: int, rows: Iterable[AdapterRow], heirs: Iterable[AdapterRow]) -> Quarantine:
    numbers = tuple(row.id for row in rows)
    own = tuple(row.name for row in rows if row.scope_id == scope_id)
    serving = tuple(row.name for row in heirs if row.scope_id == scope_id)
    return Quarantine(own, len(numbers) - len(own), serving, numbers)
