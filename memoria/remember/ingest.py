"""From validated turns to episodes in the ledger, in one unit of work.

What enters: turns and whose they are. What leaves: the episodes that were new. Embedding, the slow part, happens
before the write begins and only for turns not known yet; inside it everything is checked once more, because another
process may have written the same turns meanwhile.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from memoria.clock import to_micros
from memoria.models.embeddings import Embedder
from memoria.records import Episode, Scope, Trust, Turn
from memoria.remember.trust import trust_of
from memoria.store import embeddings, schema
from memoria.store.episodes import Draft, add_episodes, episode_of, known_keys
from memoria.store.events import append_event
from memoria.store.ledger import Ledger
from memoria.store.scopes import ScopeState, ensure_scope, find_scope

Progress = Callable[[int, int], None]  # turns done, turns in all

_EMBED_AT_ONCE = 64


@dataclass(frozen=True)
class Delivery:
    """Turns as one caller hands them over. `now` (aware) is when; it stands in for times that turns lack."""

    scope: Scope
    turns: Sequence[Turn]
    session: str | None
    trust: Trust | None
    idempotency_key: str | None
    now: datetime


def ingest(ledger: Ledger, embedder: Embedder, delivery: Delivery, progress: Progress | None = None) -> list[Episode]:
    """Keep what is new of a delivery and return it, in order.

    Raises `EmbeddingMismatch` when the home's vectors come from another model, `StorageFull` or `StoreBusy` when the
    ledger took nothing.
    """
    drafts = draft_turns(ledger, delivery)
    if not drafts:
        return []
    with ledger.read() as connection:
        embeddings.require_model(connection, embedder.identity, embedder.dimension)
        before = find_scope(connection, delivery.scope)
        fresh = _unknown(connection, before, delivery.idempotency_key, drafts)
    vectors = _embed(embedder, [draft.heard for draft in fresh], progress)
    with ledger.write() as connection:
        state = ensure_scope(connection, delivery.scope)
        if state != before:  # somebody wrote for this person while we embedded
            known = {draft.key for draft in _unknown(connection, state, delivery.idempotency_key, fresh)}
            keep = [i for i, draft in enumerate(fresh) if draft.key in known]
            fresh, vectors = [fresh[i] for i in keep], vectors[keep]
        return _write(connection, embedder, delivery, state, fresh, vectors)


def draft_turns(ledger: Ledger, delivery: Delivery) -> list[Draft]:
    """Each turn made ready, with the key that makes it the same turn when it comes again.

    The key covers scope, session, role, speaker and text, with the turn's own time and id where it has them, and how
    many turns like it came before it in this delivery: a history sent again keeps one of each.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    drafts: list[Draft] = []
    for turn in delivery.turns:
        said = (turn.time or delivery.now).astimezone(UTC)
        session = turn.session or delivery.session or f"{said:%Y-%m-%d}"
        speaker = turn.speaker or turn.role
        time = turn.time.astimezone(UTC).isoformat() if turn.time else ""
        same = (session, turn.role, speaker, turn.text, time, turn.id or "")
        seen[same] += 1
        drafts.append(
            Draft(
                key=ledger.keyed_hash(delivery.scope.tenant, delivery.scope.user, *same, str(seen[same])),
                session=session,
                speaker=speaker,
                role=turn.role,
                trust=trust_of(turn, delivery.trust),
                text=turn.text,
                occurred_at=to_micros(said),
                metadata=json.dumps(turn.metadata, ensure_ascii=False) if turn.metadata else None,
            )
        )
    return drafts


def _unknown(
    connection: Connection, state: ScopeState | None, idempotency_key: str | None, drafts: Sequence[Draft]
) -> list[Draft]:
    """The drafts not in the ledger yet; none at all under an idempotency key that was used before."""
    if state is None:
        return list(drafts)
    if idempotency_key is not None and _used(connection, state.id, idempotency_key):
        return []
    known = known_keys(connection, state.id, [draft.key for draft in drafts])
    return [draft for draft in drafts if draft.key not in known]


def _embed(embedder: Embedder, texts: Sequence[str], progress: Progress | None) -> NDArray[np.float32]:
    vectors = np.empty((len(texts), embedder.dimension), dtype=np.float32)
    for start in range(0, len(texts), _EMBED_AT_ONCE):
        vectors[start : start + _EMBED_AT_ONCE] = embedder.embed(texts[start : start + _EMBED_AT_ONCE])
        if progress is not None:
            progress(min(start + _EMBED_AT_ONCE, len(texts)), len(texts))
    return vectors


def _write(
    connection: Connection,
    embedder: Embedder,
    delivery: Delivery,
    state: ScopeState,
    drafts: Sequence[Draft],
    vectors: NDArray[np.float32],
) -> list[Episode]:
    recorded = to_micros(delivery.now)
    key = delivery.idempotency_key
    if key is not None and not _used(connection, state.id, key):
        connection.execute(insert(schema.idempotency).values(scope_id=state.id, key=key, recorded_at=recorded))
    if not drafts:
        return []
    if not embeddings.require_model(connection, embedder.identity, embedder.dimension):
        embeddings.set_model(connection, embedder.identity, embedder.dimension)
    ids, positions = add_episodes(connection, state, drafts, vectors, recorded)
    detail = {"count": len(ids), "first": ids[0], "last": ids[-1]}
    append_event(connection, at=recorded, kind="remember", scope_id=state.id, detail=detail)
    return [episode_of(d, delivery.scope, at, recorded) for d, at in zip(drafts, positions, strict=True)]


def _used(connection: Connection, scope_id: int, key: str) -> bool:
    table = schema.idempotency
    query = select(table.c.key).where(table.c.scope_id == scope_id, table.c.key == key)
    return connection.execute(query).first() is not None
