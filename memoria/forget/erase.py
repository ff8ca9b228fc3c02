"""Erasing: out of the ledger in one unit of work, then out of every file.

What enters: row ids. What leaves: a `Receipt`. Once the unit of work is committed nothing of it is ever recalled again;
the bytes go in the steps after it (words merged, index built anew, write-ahead log emptied), and a home that was killed
between them finishes at its next opening. The log keeps ids, hashes and counts, never content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from memoria.clock import from_micros
from memoria.distill.quarantine import Quarantine, exports_of, quarantine, remove_person
from memoria.distill.registry import Registry
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
from memoria.store.unbelieve import belief_keys_of, cut_beliefs, cut_evidence, drop_bare, remove_everything


@dataclass(frozen=True)
class Erased:
    """The number of an erasure, under which it is finished and receipted, and what became of adapters."""

    number: int
    weights: Quarantine
    exported: int


def erase(
    connection: Connection,
    ledger: Ledger,
    state: ScopeState,
    ids: Sequence[int],
    beliefs: Sequence[int],
    *,
    at: int,
    everything: bool,
    rejudge: Rejudge | None,
) -> Erased:
    """Remove the episodes with the beliefs that nothing else bears out, `beliefs` (row ids) themselves, sessions left
    empty, and with `everything` the person and the items of LangGraph's store that are theirs, in the caller's unit of
    work. `rejudge` judges anew what depended on them. What was distilled of any of it serves no more.

    `at` is microseconds since 1970 UTC.
    """
    keys = _keys(connection, state, ids)
    hit = cut_beliefs(connection, beliefs) | cut_evidence(connection, ids)
    if rejudge is not None and not everything:
        hit |= rejudge.after_erasure(connection, state.id)
    touched = [*map(bytes.fromhex, keys), *belief_keys_of(connection, hit)]
    believed = drop_bare(connection, state.id, hit)
    if everything:
        believed += remove_everything(connection, state.id)
        remove_runs(connection, state.id)
    hush_errors(connection, state.id)
    removed, sessions = remove_episodes(connection, state, ids), _drop_empty_sessions(connection, state)
    items = items_of(connection, state.id) if everything else []
    remove_items(connection, items)
    counts = {"episodes": len(removed), "sessions": sessions, "beliefs": len(believed), "items": len(items)}
    number = _numbered(connection, state, at, counts)
    reach = remove_person if everything else quarantine
    weights = reach(connection, ledger, state.id, [*touched, *believed], number, at)
    if everything:
        _drop_scope(connection, state)
    named = {"ids": keys, "belief_ids": [key.hex() for key in believed], "adapters": weights.numbers}
    detail = named | counts | {"erasure": number}
    append_event(connection, at=at, kind="forget", scope_id=state.id, detail=detail)
    return Erased(number, weights, exports_of(connection, weights.numbers))


def finish(ledger: Ledger, keeper: IndexKeeper | None, registry: Registry, now: int) -> bool:
    """Take every open erasure's bytes out of the files; whether none is open any more.

    False when another process holds the index, reads the ledger, or trains on what went: it, or the next opening,
    finishes. The files of adapters that are quarantined for another reason go, too.
    """
    swept = registry.sweep()
    with ledger.read() as connection:
        if not _open(connection):
            return True
    with ledger.write() as connection:
        open_now = _open(connection)
        dialect_of(connection).merge_lexicon(connection)
    clean = keeper is None or keeper.settle()
    if not (swept and clean and ledger.empty_log()):
        return False
    with ledger.write() as connection:
        table = schema.erasure
        connection.execute(update(table).where(table.c.id.in_(open_now)).values(done_at=now))
    return True


def receipt_of(connection: Connection, erased: Erased, scope: Scope) -> Receipt:
    """The receipt of an erasure."""
    row = connection.execute(select(schema.erasure).where(schema.erasure.c.id == erased.number)).one()
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
        quarantined=erased.weights.own,
        quarantined_elsewhere=erased.weights.others,
        serving=erased.weights.serving,
        exported=erased.exported,
    )


def _numbered(connection: Connection, state: ScopeState, at: int, counts: Mapping[str, int]) -> int:
    row = {"at": at, "scope_id": state.id, "done_at": None, **counts}
    return connection.execute(insert(schema.erasure).values(row).returning(schema.erasure.c.id)).scalar_one()


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


def _drop_scope(connection: Connection, state: ScopeState) -> None:
    connection.execute(delete(schema.idempotency).where(schema.idempotency.c.scope_id == state.id))
    connection.execute(delete(schema.scope).where(schema.scope.c.id == state.id))


def _drop_empty_sessions(connection: Connection, state: ScopeState) -> int:
    session, episode = schema.session, schema.episode
    filled = select(episode.c.session_id).where(episode.c.scope_id == state.id)
    gone = delete(session).where(session.c.scope_id == state.id, session.c.id.not_in(filled))
    return connection.execute(gone).rowcount
