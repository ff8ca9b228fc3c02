"""Whose rows: finding and making the ledger's scopes and sessions.

What enters: a `Scope` and a connection. What leaves: its small integer id and the two numbers that tell a reader
whether its cache is fresh.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from memoria.errors import UnknownUser
from memoria.records import Scope
from memoria.store import schema


@dataclass(frozen=True)
class ScopeState:
    """A scope's row: `last_id` is its newest episode, `revision` counts removals."""

    id: int
    last_id: int
    revision: int


def find_scope(connection: Connection, scope: Scope) -> ScopeState | None:
    """The scope's state; None when nothing was ever remembered for it."""
    table = schema.scope
    row = connection.execute(
        select(table.c.id, table.c.last_id, table.c.revision).where(
            table.c.tenant == scope.tenant, table.c.user == scope.user
        )
    ).first()
    return ScopeState(*row) if row else None


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
    connection.execute(insert(schema.scope).values(tenant=scope.tenant, user=scope.user, last_id=0, revision=0))
    return require_scope(connection, scope)


def ensure_session(connection: Connection, scope_id: int, name: str) -> tuple[int, int]:
    """A session's id and the next free position in it, made if it is new."""
    table, episode = schema.session, schema.episode
    where = (table.c.scope_id == scope_id, table.c.name == name)
    found = connection.execute(select(table.c.id).where(*where)).scalar()
    if found is None:
        connection.execute(insert(table).values(scope_id=scope_id, name=name))
        return connection.execute(select(table.c.id).where(*where)).scalar_one(), 0
    last = connection.execute(
        select(func.max(episode.c.position)).where(
            episode.c.scope_id == scope_id, episode.c.session_id == found
        )
    ).scalar()
    return found, 0 if last is None else last + 1
