"""Beliefs as records: what the shelf derived, put into words and dates.

What enters: a shelf and a belief's row id. What leaves: a `Fact` or a `Preference`, and the `Evidence` for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from memoria.clock import from_micros
from memoria.errors import UnknownBelief
from memoria.records import Evidence, Fact, Preference, Scope
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.episodes import read_episodes
from memoria.store.truth import Period, Standing


def belief_of(shelf: BeliefShelf, number: int, scope: Scope, at: int) -> Fact | Preference:
    """The record of the belief that stands for row `number`, as true at `at` (microseconds)."""
    head = shelf.same[number]
    row = shelf.rows[head]
    standing = shelf.state(shelf.slot_of(head)).standings.get(head) or Standing()
    last = next((p for p in standing.periods if p.covers(at)), standing.periods[-1] if standing.periods else None)
    recorded = min((b.piece.recorded for n in shelf.group(head) for b in shelf.bearings.get(n, ())), default=0)
    successor = last.superseded_by if last is not None else None
    common: dict[str, Any] = {
        "id": row.key.hex(),
        "tenant": scope.tenant,
        "user": scope.user,
        "subject": row.content.get("subject", row.subject),
        "statement": row.content["statement"],
        "status": _status(last, at),
        "valid_from": _moment(last.start) if last else None,
        "valid_to": _moment(last.end) if last else None,
        "periods": tuple((_moment(p.start), _moment(p.end)) for p in standing.periods),
        "recorded_at": from_micros(recorded),
        "retired_at": _moment(last.retired) if last and last.end is not None else None,
        "needs_confirmation": standing.doubted or bool(shelf.shaken_by(head)),
        "superseded_by": shelf.rows[successor].key.hex() if successor is not None else None,
        "evidence": len(standing.pieces),
        "revision": revision_of(shelf, head),
    }
    content: Mapping[str, Any] = row.content
    if row.kind == "preference":
        keys = ("topic", "polarity", "strength", "context", "explicit")
        return Preference.model_construct(kind="preference", **common, **{key: content.get(key) for key in keys})
    return Fact.model_construct(
        kind="fact", **common, predicate=content["predicate"], object=content.get("object", row.object)
    )


def revision_of(shelf: BeliefShelf, number: int) -> int:
    """The number of the last change to anything in the belief's slot."""
    return max(shelf.rows[each].changed for each in shelf.slots[shelf.slot_of(number)])


def evidence_of(connection: Connection, shelf: BeliefShelf, number: int, scope: Scope, scope_id: int) -> list[Evidence]:
    """All evidence for and against the belief, in the order it was recorded."""
    head = shelf.same[number]
    members = [*shelf.group(head), *(n for n in shelf.slots[shelf.slot_of(head)] if not shelf.rows[n].object)]
    borne = sorted((b for n in members for b in shelf.bearings.get(n, ())), key=lambda b: b.piece.number)
    episodes = read_episodes(
        connection, scope, scope_id, sorted({b.piece.episode for b in borne if b.piece.episode is not None})
    )
    found: list[Evidence] = []
    for bearing in borne:
        piece = bearing.piece
        episode = episodes.get(piece.episode) if piece.episode is not None else None
        found.append(
            Evidence(
                episode_id=episode.id if episode else None,
                quote=episode.text[bearing.begin : bearing.stop] if episode else "",
                act=piece.act,
                said_at=from_micros(piece.said),
                recorded_at=from_micros(piece.recorded),
                retracted_at=_moment(piece.retracted),
                source=bearing.source,
            )
        )
    return found


def row_of(shelf: BeliefShelf, public: str) -> int:
    """The row id of the belief with this public id. Raises `UnknownBelief`."""
    for number, row in shelf.rows.items():
        if row.key.hex() == public and row.object:
            return number
    raise UnknownBelief(f"There is no belief {public!r} in this memory; list them with: memoria beliefs")


def _status(last: Period | None, at: int) -> str:
    if last is None:
        return "retracted"
    if last.covers(at):
        return "current"
    if last.start is not None and last.start > at:
        return "upcoming"
    return "superseded" if last.superseded_by is not None else "ended"


def _moment(micros: int | None) -> datetime | None:
    return from_micros(micros) if micros is not None else None
