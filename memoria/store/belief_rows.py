"""Beliefs as the ledger keeps them, read back.

What enters: a connection, and the number of a change. What leaves: the beliefs that changed since, whole, with all of
their evidence. What they come to is derived elsewhere (`belief_shelf.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from memoria.store import schema
from memoria.store.truth import Piece


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
    table = schema.belief_state
    query = select(table.c.changed, table.c.removals).where(table.c.scope_id == scope_id)
    row = connection.execute(query).first()
    return (row[0], row[1]) if row else (0, 0)


def changed_after(connection: Connection, scope_id: int, number: int) -> Changes:
    """The person's beliefs that changed after `number`, whole; their rows lack content."""
    belief, evidence, dependency = schema.belief, schema.evidence, schema.dependency
    mine = (belief.c.scope_id == scope_id, belief.c.changed > number)
    rows = [
        BeliefRow(r.id, r.key, r.kind, r.slot, bool(r.single), r.subject, r.object, {}, r.changed)
        for r in connection.execute(select(belief).where(*mine).order_by(belief.c.id))
    ]
    joined = select(evidence, belief.c.object).join(belief, belief.c.id == evidence.c.belief_id)
    found = connection.execute(joined.where(*mine).order_by(evidence.c.id))
    of = select(dependency).join(belief, belief.c.id == dependency.c.belief_id)
    leans = [(r.evidence_id, r.belief_id, r.subject, r.slot) for r in connection.execute(of.where(*mine))]
    return Changes(rows, [_bearing(row) for row in found], leans)


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
