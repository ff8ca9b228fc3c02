"""Episodes in the ledger: written, removed and read back, always within one scope.

What enters: `Draft`s (turns made ready, each with its embedding) and ids. What leaves: `Episode` records and vectors.
A write touches episode, embedding, lexicon, outbox and scope together, in the caller's unit of work.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from memoria.clock import from_micros
from memoria.records import Episode, Role, Scope, SessionSummary, Trust
from memoria.store import outbox, schema
from memoria.store.dialect import dialect_of
from memoria.store.ledger import take_numbers
from memoria.store.profiles import cut_lines
from memoria.store.scopes import ScopeState, ensure_session
from memoria.store.text import terms
from memoria.store.unbelieve import remove_evidence

HAS_DIGIT, HAS_QUESTION = 1, 2
_CHUNK = 500  # ids bound in one statement; SQLite's own limit is far higher, Postgres plans long lists badly

Vector = NDArray[np.float32]

# Built once: for a small write, building a statement costs as much as running it.
_KNOWN = select(schema.episode.c.key).where(
    schema.episode.c.scope_id == bindparam("of_scope"),
    schema.episode.c.key.in_(bindparam("keys", expanding=True)),
)
# By id alone: with the scope in the condition, SQLite walks all of the person's rows. Whose they are is checked after.
_READ = (
    select(schema.episode, schema.session.c.name)
    .join(schema.session, schema.session.c.id == schema.episode.c.session_id)
    .where(schema.episode.c.id.in_(bindparam("ids", expanding=True)))
)
_KEYS = select(schema.episode.c.position, schema.episode.c.key).where(
    schema.episode.c.scope_id == bindparam("of_scope"),
    schema.episode.c.session_id == bindparam("of_session"),
    schema.episode.c.position >= bindparam("first"),
    schema.episode.c.position < bindparam("end"),
)
_ADD_EPISODE = insert(schema.episode)
_ADD_EMBEDDING = insert(schema.embedding)
_RAISE_LAST = update(schema.scope).where(schema.scope.c.id == bindparam("of_scope")).values(last_id=bindparam("last"))


@dataclass(frozen=True)
class Draft:
    """A turn ready to be kept. `key` (16 bytes) makes it the same turn; times are microseconds since 1970 UTC."""

    key: bytes
    session: str
    speaker: str
    role: Role
    trust: Trust
    text: str
    occurred_at: int
    metadata: str | None

    @property
    def heard(self) -> str:
        """What is embedded and searched: who said it, and what."""
        return f"{self.speaker}: {self.text}"


def known_keys(connection: Connection, scope_id: int, keys: Sequence[bytes]) -> set[bytes]:
    """Those of `keys` that the scope already holds."""
    found: set[bytes] = set()
    for start in range(0, len(keys), _CHUNK):
        values = {"of_scope": scope_id, "keys": keys[start : start + _CHUNK]}
        found.update(connection.execute(_KNOWN, values).scalars())
    return found


def keys_between(connection: Connection, scope_id: int, session_id: int, first: int, end: int) -> dict[int, bytes]:
    """The keys of a session's episodes at the positions from `first` up to, but not, `end`."""
    values = {"of_scope": scope_id, "of_session": session_id, "first": first, "end": end}
    return {row.position: row.key for row in connection.execute(_KEYS, values).all()}


def add_episodes(
    connection: Connection,
    state: ScopeState,
    drafts: Sequence[Draft],
    vectors: NDArray[np.float32],
    recorded: int,
) -> tuple[list[int], list[int]]:
    """Keep `drafts` (none of them known yet) with their vectors, float32 (n, dimension).

    Their new row ids, and each one's position in its session.
    """
    ids = list(take_numbers(connection, len(drafts)))
    places: dict[str, list[int]] = {}
    rows: list[dict[str, Any]] = []
    lexicon: list[dict[str, Any]] = []
    for number, draft in zip(ids, drafts, strict=True):
        if draft.session not in places:
            places[draft.session] = list(ensure_session(connection, state.id, draft.session))
        words = terms(draft.heard)
        rows.append(_row(draft, number, state.id, places[draft.session], len(words), recorded))
        lexicon.append({"id": number, "body": " ".join(marked(state.id, word) for word in words)})
    connection.execute(_ADD_EPISODE, rows)
    halves = vectors.astype(np.float16)
    packed = [{"episode_id": n, "vector": half.tobytes()} for n, half in zip(ids, halves, strict=True)]
    connection.execute(_ADD_EMBEDDING, packed)
    dialect_of(connection).add_terms(connection, lexicon)
    outbox.post_added(connection, ids)
    connection.execute(_RAISE_LAST, {"of_scope": state.id, "last": ids[-1]})
    return ids, [row["position"] for row in rows]


def marked(scope_id: int, term: str) -> str:
    """A term as the lexicon holds it: marked with whose it is."""
    return f"{scope_id}x{term}"


def _row(draft: Draft, number: int, scope_id: int, place: list[int], length: int, recorded: int) -> dict[str, Any]:
    session_id, position = place
    place[1] += 1
    digit = HAS_DIGIT if any(c.isdigit() for c in draft.text) else 0
    question = HAS_QUESTION if "?" in draft.text or "？" in draft.text else 0
    return {
        "id": number,
        "scope_id": scope_id,
        "session_id": session_id,
        "position": position,
        "key": draft.key,
        "speaker": draft.speaker,
        "role": draft.role,
        "trust": draft.trust,
        "occurred_at": draft.occurred_at,
        "recorded_at": recorded,
        "length": length,
        "shape": digit | question,
        "text": draft.text,
        "metadata": draft.metadata,
    }


def remove_episodes(connection: Connection, state: ScopeState, ids: Sequence[int]) -> list[int]:
    """Remove the scope's episodes among `ids` from ledger and lexicon, with the beliefs that nothing else bears out,
    and post it for the index; those removed."""
    table = schema.episode
    mine: list[int] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        found = connection.execute(select(table.c.id).where(table.c.scope_id == state.id, table.c.id.in_(chunk)))
        mine.extend(found.scalars())
    if not mine:
        return []
    cut_lines(connection, state.id, episodes=mine)
    remove_evidence(connection, state.id, mine)
    dialect_of(connection).remove_terms(connection, mine)
    for start in range(0, len(mine), _CHUNK):
        chunk = mine[start : start + _CHUNK]
        connection.execute(delete(schema.embedding).where(schema.embedding.c.episode_id.in_(chunk)))
        connection.execute(delete(table).where(table.c.id.in_(chunk)))
    outbox.post_removed(connection, mine)
    bump = update(schema.scope).where(schema.scope.c.id == state.id)
    connection.execute(bump.values(revision=schema.scope.c.revision + 1))
    return mine


def numbers_of(connection: Connection, scope_id: int, public: Sequence[str]) -> dict[str, int]:
    """The row ids of the scope's episodes by their public ids; unknown ones are left out."""
    table = schema.episode
    keys = [key for key in (_key_of(each) for each in dict.fromkeys(public)) if key is not None]
    found: dict[str, int] = {}
    for start in range(0, len(keys), _CHUNK):
        where = (table.c.scope_id == scope_id, table.c.key.in_(keys[start : start + _CHUNK]))
        rows = connection.execute(select(table.c.id, table.c.key).where(*where))
        found.update((row.key.hex(), row.id) for row in rows)
    return found


def row_ids(connection: Connection, scope_id: int, public: Sequence[str]) -> list[int]:
    """The row ids of the scope's episodes with these public ids; unknown ones are left out."""
    return list(numbers_of(connection, scope_id, public).values())


def keys_of_rows(connection: Connection, scope_id: int, rows: Sequence[int]) -> dict[int, str]:
    """The public ids of the scope's episodes among the row ids `rows`."""
    table = schema.episode
    found: dict[int, str] = {}
    for start in range(0, len(rows), _CHUNK):
        where = (table.c.scope_id == scope_id, table.c.id.in_(rows[start : start + _CHUNK]))
        found.update((r.id, r.key.hex()) for r in connection.execute(select(table.c.id, table.c.key).where(*where)))
    return found


def rows_of(connection: Connection, scope_id: int, session: str | None, last: int | None) -> list[int]:
    """The row ids of the scope's episodes, rising: of the session of that name or of all, only the `last` so many."""
    table = schema.episode
    query = select(table.c.id).where(table.c.scope_id == scope_id)
    if session is not None:
        named = select(schema.session.c.id).where(
            schema.session.c.scope_id == scope_id, schema.session.c.name == session
        )
        query = query.where(table.c.session_id.in_(named))
    query = query.order_by(table.c.id.desc())
    return list(connection.execute(query if last is None else query.limit(last)).scalars())[::-1]


def sessions_of(connection: Connection, scope_id: int) -> list[SessionSummary]:
    """The scope's sessions with how much was said in each, and when; in the order of their first turns."""
    table, session = schema.episode, schema.session
    begun, ended = func.min(table.c.occurred_at), func.max(table.c.occurred_at)
    query = (
        select(session.c.name, func.count(), begun, ended)
        .join(session, session.c.id == table.c.session_id)
        .where(table.c.scope_id == scope_id)
        .group_by(session.c.id)
        .order_by(begun, session.c.id)
    )
    return [
        SessionSummary(name=name, turns=turns, begun_at=from_micros(first), ended_at=from_micros(last))
        for name, turns, first, last in connection.execute(query)
    ]


def _key_of(public: str) -> bytes | None:
    try:
        return bytes.fromhex(public)
    except ValueError:
        return None


def read_episodes(connection: Connection, scope: Scope, scope_id: int, ids: Sequence[int]) -> dict[int, Episode]:
    """The scope's episodes among the row `ids`, by row id; what is gone or another person's is left out."""
    found: dict[int, Episode] = {}
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(_READ, {"ids": ids[start : start + _CHUNK]}).all()
        found.update((row.id, _episode(row, scope)) for row in rows if row.scope_id == scope_id)
    return found


def episode_of(draft: Draft, scope: Scope, position: int, recorded: int) -> Episode:
    """The record of a draft just kept, as reading it back would give it."""
    return Episode.model_construct(
        id=draft.key.hex(),
        tenant=scope.tenant,
        user=scope.user,
        session=draft.session,
        position=position,
        speaker=draft.speaker,
        role=draft.role,
        trust=draft.trust,
        text=draft.text,
        occurred_at=from_micros(draft.occurred_at),
        recorded_at=from_micros(recorded),
        metadata=json.loads(draft.metadata) if draft.metadata else {},
    )


def _episode(row: Row[Any], scope: Scope) -> Episode:
    # Trusted: it was validated on its way in, and recall hydrates on every question.
    return Episode.model_construct(
        id=row.key.hex(),
        tenant=scope.tenant,
        user=scope.user,
        session=row.name,
        position=row.position,
        speaker=row.speaker,
        role=row.role,
        trust=row.trust,
        text=row.text,
        occurred_at=from_micros(row.occurred_at),
        recorded_at=from_micros(row.recorded_at),
        metadata=json.loads(row.metadata) if row.metadata else {},
    )
