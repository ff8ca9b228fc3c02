"""From validated turns to episodes in the ledger, in one unit of work.

What enters: turns and whose they are. What leaves: the episodes that were new. Embedding, the slow part, happens
before the write begins and only for turns not known yet; inside it everything is checked once more where another
process may have written for the same person meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from memoria.clock import to_micros
from memoria.models.embeddings import Embedder
from memoria.records import Episode, Scope, Trust, Turn
from memoria.remember.same import Said, keys_of
from memoria.remember.trust import trust_of, without_echo
from memoria.store import embeddings, schema
from memoria.store.episodes import Draft, add_episodes, episode_of, known_keys
from memoria.store.events import append_event
from memoria.store.ledger import Ledger
from memoria.store.scopes import ScopeState, ensure_scope, find_scope


class Reader(Protocol):
    """Reads what new episodes say, before they are kept, and believes it in the unit of work that keeps them."""

    def read(self, episodes: Sequence[Episode]) -> list[Any]:
        """What each episode proposes."""
        ...

    def believe(
        self,
        connection: Connection,
        scope_id: int,
        rows: Sequence[int],
        episodes: Sequence[Episode],
        proposals: Sequence[Any],
        recorded: int,
    ) -> list[int]:
        """Keep the proposals of the episodes now at ledger `rows`."""
        ...


Progress = Callable[[int, int], None]  # turns done, turns in all
Vectors = dict[int, NDArray[np.float32]]  # by the turn's place in the delivery

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


def ingest(
    ledger: Ledger,
    embedder: Embedder,
    delivery: Delivery,
    reader: Reader | None = None,
    progress: Progress | None = None,
) -> list[Episode]:
    """Keep what is new of a delivery, and with a `reader` what it says; return the new episodes, in order.

    Raises `EmbeddingMismatch` when the home's vectors come from another model, `StorageFull` or `StoreBusy` when the
    ledger took nothing.
    """
    said = [each for each in (_said(turn, delivery) for turn in delivery.turns) if each.text.strip()]
    if not said:
        return []
    with ledger.read() as connection:
        embeddings.require_model(connection, embedder.identity, embedder.dimension)
        before = find_scope(connection, delivery.scope)
        fresh = _fresh(ledger, connection, before, delivery, said)
    vectors = _embed(embedder, fresh, progress)
    read = _read(reader, delivery, fresh)
    with ledger.write() as connection:
        state = ensure_scope(connection, delivery.scope)
        if state != before:  # somebody wrote for this person while we embedded
            fresh = _fresh(ledger, connection, state, delivery, said)
            late = {i: d for i, d in fresh.items() if i not in vectors}
            vectors |= _embed(embedder, late, None)
            read |= _read(reader, delivery, late)
        ids, kept = _write(connection, embedder, delivery, state, fresh, vectors)
        if reader is not None and kept:
            proposals = [read[i] for i in fresh]
            reader.believe(connection, state.id, ids, kept, proposals, to_micros(delivery.now))
        return kept


def _read(reader: Reader | None, delivery: Delivery, fresh: dict[int, Draft]) -> dict[int, Any]:
    if reader is None:
        return {}
    recorded = to_micros(delivery.now)
    found = reader.read([episode_of(draft, delivery.scope, 0, recorded) for draft in fresh.values()])
    return dict(zip(fresh, found, strict=True))


def _said(turn: Turn, delivery: Delivery) -> Said:
    moment = (turn.time or delivery.now).astimezone(UTC)
    return Said(
        session=turn.session or delivery.session or f"{moment:%Y-%m-%d}",
        speaker=turn.speaker or turn.role,
        role=turn.role,
        trust=trust_of(turn, delivery.trust),
        text=without_echo(turn.text),
        moment=moment,
        dated=turn.time is not None,
        id=turn.id,
        metadata=json.dumps(turn.metadata, ensure_ascii=False) if turn.metadata else None,
    )


def _fresh(
    ledger: Ledger, connection: Connection, state: ScopeState | None, delivery: Delivery, said: Sequence[Said]
) -> dict[int, Draft]:
    """The turns not in the ledger yet, by place; none at all under an idempotency key that was used before."""
    key = delivery.idempotency_key
    if state is not None and key is not None and _used(connection, state.id, key):
        return {}
    keys = keys_of(ledger, connection, state, delivery.scope, said)
    known = known_keys(connection, state.id, keys) if state is not None else set[bytes]()
    return {
        i: Draft(
            key=key,
            session=each.session,
            speaker=each.speaker,
            role=each.role,
            trust=each.trust,
            text=each.text,
            occurred_at=to_micros(each.moment),
            metadata=each.metadata,
        )
        for i, (each, key) in enumerate(zip(said, keys, strict=True))
        if key not in known
    }


def _embed(embedder: Embedder, fresh: dict[int, Draft], progress: Progress | None) -> Vectors:
    places = list(fresh)
    vectors: Vectors = {}
    for start in range(0, len(places), _EMBED_AT_ONCE):
        chunk = places[start : start + _EMBED_AT_ONCE]
        vectors.update(zip(chunk, embedder.embed([fresh[i].heard for i in chunk]), strict=True))
        if progress is not None:
            progress(len(vectors), len(places))
    return vectors


def _write(
    connection: Connection,
    embedder: Embedder,
    delivery: Delivery,
    state: ScopeState,
    fresh: dict[int, Draft],
    vectors: Vectors,
) -> tuple[list[int], list[Episode]]:
    recorded = to_micros(delivery.now)
    key = delivery.idempotency_key
    if key is not None and not _used(connection, state.id, key):
        connection.execute(insert(schema.idempotency).values(scope_id=state.id, key=key, recorded_at=recorded))
    if not fresh:
        return [], []
    if not embeddings.require_model(connection, embedder.identity, embedder.dimension):
        embeddings.set_model(connection, embedder.identity, embedder.dimension)
    drafts = list(fresh.values())
    ids, positions = add_episodes(connection, state, drafts, np.stack([vectors[i] for i in fresh]), recorded)
    detail = {"count": len(ids), "first": ids[0], "last": ids[-1]}
    append_event(connection, at=recorded, kind="remember", scope_id=state.id, detail=detail)
    return ids, [episode_of(d, delivery.scope, at, recorded) for d, at in zip(drafts, positions, strict=True)]


def _used(connection: Connection, scope_id: int, key: str) -> bool:
    table = schema.idempotency
    query = select(table.c.key).where(table.c.scope_id == scope_id, table.c.key == key)
    return connection.execute(query).first() is not None
