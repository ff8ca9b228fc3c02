"""Whose rows: finding and making the ledger's scopes and sessions.

What enters: a `Scope` and a connection. What leaves: its small integer id and the two numbers that tell a reader
whether its cache is fresh.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select

from memoria.errors import UnknownUser
from memoria.records import Scope
from memoria.store import schema

# Built once: for a small write, building a statement costs as much as running it.
_FIND_SCOPE = select(schema.scope.c.id, schema.scope.c.last_id, schema.scope.c.revision).where(
    schema.scope.c.tenant == bindparam("of_tenant"), schema.scope.c.user == bindparam("of_user")
)
_ADD_SCOPE = insert(schema.scope).returning(schema.scope.c.id)
_LAST_POSITION = (
    select(func.max(schema.episode.c.position))
    .where(
        schema.episode.c.scope_id == schema.session.c.scope_id,
        schema.episode.c.session_id == schema.session.c.id,
    )
    .scalar_subquery()
)
_FIND_SESSION = select(schema.session.c.id, _LAST_POSITION).where(
    schema.session.c.scope_id == bindparam("of_scope"), schema.session.c.name == bindparam("called")
)
_ADD_SESSION = insert(schema.session).returning(schema.session.c.id)


@dataclass(frozen=True)
class ScopeState:
    """A scope's row: `last_id` is its newest episode, `revision` counts removals."""

    id: int
    last_id: int
    revision: int


def find_scope(connection: Connection, scope: Scope) -> ScopeState | None:
    """The scope's state; None when nothing was ever remembered for it."""
    row = connection.execute(_FIND_SCOPE, {"of_tenant": scope.tenant, "of_user": scope.user}).first()
    return ScopeState(*row) if row else None


def scopes_of(connection: Connection, tenant: str | None) -> list[Scope]:
    """Every scope (of `tenant`), by tenant and name."""
    table = schema.scope
    query = select(table.c.tenant, table.c.user).order_by(table.c.tenant, table.c.user)
    rows = connection.execute(query if tenant is None else query.where(table.c.tenant == tenant))
    return [Scope(tenant=row.tenant, user=row.user) for row in rows]


def scope_ids(connection: Connection, tenant: str | None = None) -> list[tuple[int, str]]:
    """The number and the tenant of every scope (of `tenant`), by number."""
    table = schema.scope
    query = select(table.c.id, table.c.tenant).order_by(table.c.id)
    rows = connection.execute(query if tenant is None else query.where(table.c.tenant == tenant))
    return [(row.id, row.tenant) for row in rows]


def require_scope(connection: Connection, scope: Scope) -> ScopeState:
    """The scope's state. Raises `UnknownUser` (which tells nothing of other people)."""
    state = find_scope(connection, scope)
    if state is None:
        raise UnknownUser(
            f"Nothing is remembered for user {scope.user!r} in tenant {scope.tenant!r}; "
            "check the name, or remember something for them first."
        )
    return state


def ensure_scope(connection: Connection, scope: Scope) -> ScopeState:
    """The scope's state, made if it is new."""
    state = find_scope(connection, scope)
    if state is not None:
        return state
    values = {"tenant": scope.tenant, "user": scope.user, "last_id": 0, "revision": 0}
    return ScopeState(connection.execute(_ADD_SCOPE, values).scalar_one(), 0, 0)


def find_session(connection: Connection, scope_id: int, name: str) -> tuple[int, int] | None:
    """A session's id and the next free position in it; None when there is no such session."""
    row = connection.execute(_FIND_SESSION, {"of_scope": scope_id, "called": name}).first()
    return None if row is None else (row[0], 0 if row[1] is None else row[1] + 1)


def ensure_session(connection: Connection, scope_id: int, name: str) -> tuple[int, int]:
    """A session's id and the next free position in it, made if it is new."""
    found = find_session(connection, scope_id, name)
    if found is not None:
        return found
    return connection.execute(_ADD_SESSION, {"scope_id": scope_id, "name": name}).scalar_one(), 0
