"""Two names taken for one entity's: kept as rows that can be undone, never by rewriting.

What enters: entity keys. What leaves: the merges of a person, in the order they were made.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from memoria.store import schema
from memoria.store.beliefs import touch
from memoria.store.ledger import take_numbers

USER, RESOLVE = "user", "resolve"  # who makes merges
_TABLE = schema.merge
_MERGES_OF = (
    select(
        _TABLE.c.entity, _TABLE.c.same_as, _TABLE.c.recorded_at, _TABLE.c.undone_at, _TABLE.c.made_by, _TABLE.c.score
    )
    .where(_TABLE.c.scope_id == bindparam("of_scope"))
    .order_by(_TABLE.c.id)
)


@dataclass(frozen=True)
class Merge:
    """Two entity keys taken for one entity's from `recorded` until `undone` (microseconds).

    `made_by` is "user", or "resolve" with the `score` (0 to 1) that the two names had.
    """

    entity: str
    same_as: str
    recorded: int
    undone: int | None = None
    made_by: str = USER
    score: float | None = None


def add_merge(connection: Connection, scope_id: int, merge: Merge) -> None:
    """Take `merge.entity` for the same as `merge.same_as` from now on."""
    number = take_numbers(connection, 1)[0]
    row = {
        "id": number,
        "scope_id": scope_id,
        "entity": merge.entity,
        "same_as": merge.same_as,
        "recorded_at": merge.recorded,
        "made_by": merge.made_by,
        "score": merge.score,
    }
    connection.execute(insert(schema.merge).values(row))
    touch(connection, scope_id, set(), number, removed=True)


def undo_merge(connection: Connection, scope_id: int, entity: str, at: int) -> int:
    """Take `entity` for itself again; how many merges that undid."""
    table = schema.merge
    where = (table.c.scope_id == scope_id, table.c.entity == entity, table.c.undone_at.is_(None))
    count = connection.execute(update(table).where(*where).values(undone_at=at)).rowcount
    if count:
        touch(connection, scope_id, set(), take_numbers(connection, 1)[0], removed=True)
    return count


def merges_of(connection: Connection, scope_id: int) -> list[Merge]:
    """All merges of the person's entities, undone ones too, in the order they were made."""
    return [Merge(*row) for row in connection.execute(_MERGES_OF, {"of_scope": scope_id})]
