"""Erasing: out of the ledger in one unit of work, then out of every file.

What enters: row ids. What leaves: a `Receipt`. Once the unit of work is committed nothing of it is ever recalled again;
the bytes go in the steps after it (words merged, index built anew, write-ahead log emptied), and a home that was killed
between them finishes at its next opening. The log keeps ids, hashes and counts, never content.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from memoria.clock import from_micros
from memoria.extract.rejudge import Rejudge
from memoria.records import Receipt, Scope
from memoria.store import schema
from memoria.store.dialect import dialect_of
from memoria.store.episodes import remove_episodes
from memoria.store.events import append_event
from memoria.store.item_rows import items_of
from memoria.store.item_writes import remove_items
from memoria.store.job_history import hush_errors, remove_runs
from memoria.store.keeper import IndexKeeper
from memoria.store.ledger import Ledger
from memoria.store.scopes import ScopeState
from memoria.store.unbelieve import cut_beliefs, cut_evidence, drop_bare, remove_everything


def erase(
    connection: Connection,
    state: ScopeState,
    ids: Sequence[int],
    beliefs: Sequence[int],
    *,
    at: int,
    everything: bool,
    rejudge: Rejudge | None,
) -> int:
    """Remove the episodes with the beliefs that nothing else bears out, `beliefs` (row ids) themselves, sessions left
    empty, and with `everything` the person and the items of LangGraph's store that are theirs, in the caller's unit of
    work. `rejudge` judges anew what depended on them.

    The number of the erasure, under which it is finished and receipted. `at` is microseconds since 1970 UTC.
    """
    keys = _keys(connection, state, ids)
    hit = cut_beliefs(connection, beliefs) | cut_evidence(connection, ids)
    if rejudge is not None and not everything:
        hit |= rejudge.after_erasure(connection, state.id)
    believed = drop_bare(connection, state.id, hit)
    if everything:
        believed += remove_everything(connection, state.id)
        remove_runs(connection, state.id)
    hush_errors(connection, state.id)
    removed = remove_episodes(connection, state, ids)
    sessions = _drop_empty_sessions(connection, state)
    items: list[int] = []
    if everything:
        items = items_of(connection, state.id)
        remove_items(connection, items)
        connection.execute(delete(schema.idempotency).where(schema.idempotency.c.scope_id == state.id))
        connection.execute(delete(schema.scope).where(schema.scope.c.id == state.id))
    counts = {"episodes": len(removed), "sessions": sessions, "beliefs": len(believed), "items": len(items)}
    row = {"at": at, "scope_id": state.id, "done_at": None, **counts}
    number = connection.execute(insert(schema.erasure).values(row).returning(schema.erasure.c.id)).scalar_one()
    detail = {"erasure": number, "ids": keys, "belief_ids": [key.hex() for key in believed], **counts}
    append_event(connection, at=at, kind="forget", scope_id=state.id, detail=detail)
    return number


def finish(ledger: Ledger, keeper: IndexKeeper | None, now: int) -> bool:
    """Take every open erasure's bytes out of the files; whether none is open any more.

    False when another process holds the index or reads the ledger: it, or the next opening, finishes.
    """
    with ledger.read() as connection:
        if not _open(connection):
            return True
    with ledger.write() as connection:
        open_now = _open(connection)
        dialect_of(connection).merge_lexicon(connection)
    clean = keeper is None or keeper.settle()
    if not (clean and ledger.empty_log()):
        return False
    with ledger.write() as connection:
        table = schema.erasure
        connection.execute(update(table).where(table.c.id.in_(open_now)).values(done_at=now))
    return True


def receipt_of(connection: Connection, number: int, scope: Scope) -> Receipt:
    """The receipt of an erasure."""
    row = connection.execute(select(schema.erasure).where(schema.erasure.c.id == number)).one()
    return Receipt(
        number=row.id,
        tenant=scope.tenant,
        user=scope.user,
        at=from_micros(row.at),
        episodes=row.episodes,
        sessions=row.sessions,
        beliefs=row.beliefs,
        items=row.items,
        complete=row.done_at is not None,
    )


def _open(connection: Connection) -> list[int]:
    table = schema.erasure
    return list(connection.execute(select(table.c.id).where(table.c.done_at.is_(None))).scalars())


def _keys(connection: Connection, state: ScopeState, ids: Sequence[int]) -> list[str]:
    table = schema.episode
    found: list[str] = []
    for start in range(0, len(ids), 500):
        where = (table.c.scope_id == state.id, table.c.id.in_(ids[start : start + 500]))
        found += [key.hex() for key in connection.execute(select(table.c.key).where(*where)).scalars()]
    return found


def _drop_empty_sessions(connection: Connection, state: ScopeState) -> int:
    session, episode = schema.session, schema.episode
    filled = select(episode.c.session_id).where(episode.c.scope_id == state.id)
    gone = delete(session).where(session.c.scope_id == state.id, session.c.id.not_in(filled))
    return connection.execute(gone).rowcount
