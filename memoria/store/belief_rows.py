"""Beliefs as the ledger keeps them, read back.

What enters: a connection, and the number of a change. What leaves: the beliefs that changed since, whole, with all of
their evidence. What they come to is derived elsewhere (`belief_shelf.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from memoria.store import schema
from memoria.store.truth import Piece

# Built once: for a few rows, building a statement costs as much as running it.
_BELIEF, _EVIDENCE, _DEPENDENCY, _STATE = schema.belief, schema.evidence, schema.dependency, schema.belief_state
_CHANGED = (_BELIEF.c.scope_id == bindparam("of_scope"), _BELIEF.c.changed > bindparam("after"))
_STATE_OF = select(_STATE.c.changed, _STATE.c.removals).where(_STATE.c.scope_id == bindparam("of_scope"))
_ROWS = select(_BELIEF).where(*_CHANGED).order_by(_BELIEF.c.id)
_BEARINGS = (
    select(_EVIDENCE, _BELIEF.c.object)
    .join(_BELIEF, _BELIEF.c.id == _EVIDENCE.c.belief_id)
    .where(*_CHANGED)
    .order_by(_EVIDENCE.c.id)
)
_LEANS = select(_DEPENDENCY).join(_BELIEF, _BELIEF.c.id == _DEPENDENCY.c.belief_id).where(*_CHANGED)


@dataclass(frozen=True)
class BeliefRow:
    """A belief as the ledger keeps it, with the `content` of the evidence that came `first` of what is left."""

    id: int
    key: bytes
    kind: str
    slot: str
    single: bool
    subject: str
    object: str
    content: dict[str, Any]
    changed: int
    first: tuple[bool, tuple[int, int, int]] = (True, (0, 0, 0))


@dataclass(frozen=True)
class Bearing:
    """A piece of evidence as the ledger keeps it: where it stands in its episode's text, which extractor found it, what
    it says; see `Claim` for `resolved`. `taken_back` is when that was done by hand."""

    piece: Piece
    begin: int
    stop: int
    source: str
    content: dict[str, Any]
    resolved: bool = False
    taken_back: int | None = None
    moot: int | None = None

    @property
    def affirms(self) -> bool:
        """Whether it says that the belief is so."""
        return self.piece.act in ("affirm", "change")


@dataclass(frozen=True)
class Changes:
    """What changed since a number: whole beliefs with all of their evidence, and what they lean on."""

    rows: list[BeliefRow]
    bearings: list[Bearing]
    leans: list[tuple[int, int, str, str]]  # evidence, belief, subject, slot


def state_of(connection: Connection, scope_id: int) -> tuple[int, int]:
    """The number of the last change to the person's beliefs, and how often some were removed."""
    row = connection.execute(_STATE_OF, {"of_scope": scope_id}).first()
    return (row[0], row[1]) if row else (0, 0)


def changed_after(connection: Connection, scope_id: int, number: int) -> Changes:
    """The person's beliefs that changed after `number`, whole; their rows lack content."""
    which = {"of_scope": scope_id, "after": number}
    rows = [
        BeliefRow(r.id, r.key, r.kind, r.slot, bool(r.single), r.subject, r.object, {}, r.changed)
        for r in connection.execute(_ROWS, which)
    ]
    bearings = [_bearing(row) for row in connection.execute(_BEARINGS, which)]
    leans = [(r.evidence_id, r.belief_id, r.subject, r.slot) for r in connection.execute(_LEANS, which)]
    return Changes(rows, bearings, leans)


def _bearing(row: Row[Any]) -> Bearing:
    ends = [each for each in (row.retracted_at, row.moot_at) if each is not None]
    piece = Piece(
        number=row.id,
        belief=row.belief_id,
        act=row.act,
        start=row.valid_from,
        end=row.valid_to,
        said=row.said_at,
        recorded=row.recorded_at,
        retracted=min(ends, default=None),
        anything=not row.object,
        episode=row.episode_id,
        place=row.begin,
    )
    content = json.loads(row.content)
    return Bearing(piece, row.begin, row.stop, row.source, content, bool(row.resolved), row.retracted_at, row.moot_at)
