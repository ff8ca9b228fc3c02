"""How distillation stands with a person: whether they consent, and whether a rebuild is owed.

What enters: whose row, in the caller's unit of work. What leaves: the scopes that a job should distil anew.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, or_, select, update

from memoria.records import Scope
from memoria.store import schema
from memoria.store.schema_adapters import distillation, feedback


def consent_of(connection: Connection, scope_id: int) -> bool | None:
    """Whether the person consents to being distilled; None where they never said."""
    said = connection.execute(select(distillation.c.consent).where(distillation.c.scope_id == scope_id)).scalar()
    return None if said is None else bool(said)


def keep_consent(connection: Connection, scope_id: int, given: bool) -> None:
    """The person gives their consent to being distilled, or withholds it."""
    table = distillation
    done = connection.execute(update(table).where(table.c.scope_id == scope_id).values(consent=int(given)))
    if done.rowcount == 0:
        connection.execute(insert(table).values(scope_id=scope_id, consent=int(given)))


def owe(connection: Connection, scope_id: int, at: int, why: str) -> None:
    """A rebuild is owed to the person since `at`: one that was begun before does not make up for it."""
    values = {"due_since": at, "why": why}
    done = connection.execute(update(distillation).where(distillation.c.scope_id == scope_id).values(values))
    if done.rowcount == 0:
        connection.execute(insert(distillation).values(scope_id=scope_id, due_since=at, why=why))


def due(connection: Connection) -> list[Scope]:
    """Everybody to whom a rebuild is owed and who does not withhold consent, the longest owed first."""
    table, scope = distillation, schema.scope
    willing = or_(table.c.consent.is_(None), table.c.consent != 0)
    query = select(scope.c.tenant, scope.c.user).join(table, table.c.scope_id == scope.c.id)
    query = query.where(table.c.due_since.is_not(None), willing).order_by(table.c.due_since, scope.c.id)
    return [Scope(tenant=row.tenant, user=row.user) for row in connection.execute(query)]


def due_since(connection: Connection, scope_id: int) -> int | None:
    """Since when a rebuild is owed to the person, in microseconds; None where none is."""
    return connection.execute(select(distillation.c.due_since).where(distillation.c.scope_id == scope_id)).scalar()


def clear_due(connection: Connection, scope_id: int, before: int | None = None) -> None:
    """Nothing is owed any more; with `before` (microseconds) only what was owed by then."""
    where = [distillation.c.scope_id == scope_id]
    if before is not None:
        where.append(distillation.c.due_since <= before)
    connection.execute(update(distillation).where(*where).values(due_since=None, why=None))


def remove(connection: Connection, scope_id: int) -> None:
    """Remove what is kept of the person's consent, debts and feedback."""
    connection.execute(delete(feedback).where(feedback.c.scope_id == scope_id))
    connection.execute(delete(distillation).where(distillation.c.scope_id == scope_id))
