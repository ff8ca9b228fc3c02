"""The outbox: what the vector index has yet to learn.

What enters: ids added or removed, in the transaction that adds or removes them. What leaves: those rows in order, for
whoever keeps the index; rows go once the index holds them durably.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from memoria.store import schema
from memoria.store.ledger import take_numbers

_ADD = insert(schema.outbox)
_LAST = select(schema.counter.c.value)


@dataclass(frozen=True)
class Change:
    """One row: the `seq`-th change is to add or remove an episode's vector."""

    seq: int
    op: str
    episode_id: int


def post_added(connection: Connection, ids: Sequence[int]) -> None:
    """Post that the index lacks `ids`; the change's number is the episode's own, from the same counter."""
    connection.execute(_ADD, [{"seq": each, "op": "add", "episode_id": each} for each in ids])


def post_removed(connection: Connection, ids: Sequence[int]) -> None:
    """Post that the index must drop `ids`."""
    numbers = take_numbers(connection, len(ids))
    rows = [{"seq": seq, "op": "remove", "episode_id": each} for seq, each in zip(numbers, ids, strict=True)]
    connection.execute(_ADD, rows)


def changes_after(connection: Connection, seq: int, limit: int) -> list[Change]:
    """Up to `limit` changes that came after `seq`, in order."""
    table = schema.outbox
    rows = connection.execute(
        select(table.c.seq, table.c.op, table.c.episode_id).where(table.c.seq > seq).order_by(table.c.seq).limit(limit)
    )
    return [Change(*row) for row in rows]


def last_change(connection: Connection) -> int:
    """The number of the newest change ever posted (0 before the first)."""
    return connection.execute(_LAST).scalar_one()


def pending(connection: Connection) -> int:
    """How many changes wait."""
    return connection.execute(select(func.count()).select_from(schema.outbox)).scalar_one()


def trim(connection: Connection, applied: int) -> None:
    """Drop the changes up to `applied`, which the index holds durably."""
    connection.execute(delete(schema.outbox).where(schema.outbox.c.seq <= applied))
