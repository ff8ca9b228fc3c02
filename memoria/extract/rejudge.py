"""Judging turns anew when what they depended on has gone.

What enters: a unit of work in which evidence was taken back or removed. What leaves: evidence as if the turns that are
left had been read without what went. "I gave up coffee" ends what was believed of coffee then; without that it may end
something else, or nothing. Only `resolved` evidence is touched; of turns that were read in the light of what was
believed the proposals were kept, so no turn is read again, and no model is asked.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from memoria.extract.conflict import Judge
from memoria.extract.known import Beliefs
from memoria.extract.ontology import Ontology
from memoria.extract.proposals import Proposal
from memoria.store import schema
from memoria.store.belief_rows import Bearing
from memoria.store.belief_shelf import BeliefShelf, BeliefShelves
from memoria.store.beliefs import Claim, Name, Span, keep, make_moot
from memoria.store.ledger import Ledger
from memoria.store.unbelieve import unkeep

Place = tuple[int | None, Name]  # an episode's claim


def packed(proposals: Sequence[Proposal]) -> str:
    """The proposals of one turn as text."""
    return json.dumps([{k: v for k, v in asdict(each).items() if v not in (None, ())} for each in proposals])


def _unpacked(text: str) -> list[Proposal]:
    found: list[Proposal] = []
    for values in json.loads(text):
        values["leans"] = tuple(values.get("leans", ()))
        values["causes"] = tuple((each[0], each[1]) for each in values.get("causes", ()))
        found.append(Proposal(**values))
    return found


@dataclass(frozen=True)
class _Reading:
    """A turn to be judged anew, as it was read."""

    row: int
    said: int
    recorded: int
    extractor: str
    proposals: list[Proposal]


@dataclass(frozen=True)
class _Held:
    """A resolved piece of evidence as it stands."""

    bearing: Bearing
    leans: frozenset[tuple[str, str]]

    def says(self, claim: Claim) -> bool:
        """Whether it is the same as `claim`."""
        return self.bearing.content == claim.content and self.leans == frozenset(claim.leans)


class Rejudge:
    """Judges anew in one ledger, by one ontology."""

    def __init__(self, ledger: Ledger, ontology: Ontology) -> None:
        self._ledger, self._ontology = ledger, ontology

    def after_retraction(self, connection: Connection, scope_id: int, at: int) -> None:
        """What was judged differently before `at` stays told; from then on it is as judged now."""
        readings = _readings(connection, scope_id)
        if not readings:
            return
        shelf = BeliefShelves.read(connection, scope_id)
        wanted = self._judged(shelf, readings, None)
        held = {
            place: each
            for place, all_ in _held(shelf).items()
            for each in all_
            if each.bearing.moot is None and each.bearing.taken_back is None
        }
        gone = [
            each.bearing.piece.number
            for place, each in held.items()
            if place not in wanted or not each.says(wanted[place][0])
        ]
        fresh = [
            (claim, Span(at))
            for place, (claim, _) in wanted.items()
            if place not in held or not held[place].says(claim)
        ]
        make_moot(connection, scope_id, gone, at)
        keep(connection, self._ledger, scope_id, fresh)

    def after_erasure(self, connection: Connection, scope_id: int) -> set[int]:
        """What is told of the past, too, is as if what was erased had never been; the beliefs that lost evidence."""
        readings = _readings(connection, scope_id)
        if not readings:
            return set()
        shelf = BeliefShelves.read(connection, scope_id)
        wanted = self._history(shelf, readings)
        gone: list[int] = []
        for place, all_ in _held(shelf).items():
            spans = wanted.get(place, [])
            for each in all_:
                kept = next((s for s in spans if _same(each, *s)), None)
                if kept is not None:
                    spans.remove(kept)
                else:
                    gone.append(each.bearing.piece.number)
        hit = unkeep(connection, gone)
        keep(connection, self._ledger, scope_id, [each for spans in wanted.values() for each in spans])
        return hit

    def _history(self, shelf: BeliefShelf, readings: Sequence[_Reading]) -> dict[Place, list[tuple[Claim, Span]]]:
        """The resolved claims with the times between which each was evidence: it changes at each retraction."""
        back = {(_place(shelf, b), b.taken_back) for b in _all(shelf) if b.taken_back is not None}
        moments = [_NEVER, *sorted({moment for _, moment in back})]
        found: dict[Place, list[tuple[Claim, Span]]] = defaultdict(list)
        for moment, after in zip(moments, [*moments[1:], _NEVER], strict=True):
            known = [each for each in readings if after == _NEVER or each.recorded < after]
            judged = self._judged(shelf, known, moment)
            for place, spans in found.items():
                claim, span = spans[-1]
                if span.ended is None and not (place in judged and _alike(claim, judged[place][0])):
                    by_hand = (place, moment) in back
                    end = Span(span.recorded, moment if by_hand else None, None if by_hand else moment)
                    spans[-1] = (claim, end)
            for place, (claim, recorded) in judged.items():
                if not found[place] or found[place][-1][1].ended is not None:
                    found[place].append((claim, Span(max(recorded, moment))))
        return found

    def _judged(
        self, shelf: BeliefShelf, readings: Sequence[_Reading], at: int | None
    ) -> dict[Place, tuple[Claim, int]]:
        """The resolved claims of all readings, each with when it was recorded, without what was taken back by `at`
        (None: by now)."""

        def gone(bearing: Bearing) -> bool:
            return bearing.taken_back is not None and (at is None or bearing.taken_back <= at)

        dead = {_place(shelf, b) for b in _all(shelf) if gone(b) and b.affirms}
        beliefs = Beliefs(shelf, lambda bearing: not bearing.resolved and not gone(bearing), frozenset(dead))
        found: dict[Place, tuple[Claim, int]] = {}
        for each in readings:
            for claim in Judge(self._ontology, each.extractor).claims(each.proposals, each.row, each.said, beliefs):
                if claim.resolved:
                    found.setdefault((claim.episode, claim.name), (claim, each.recorded))
        return found


_NEVER = -(2**62)


def _alike(one: Claim, other: Claim) -> bool:
    return one.content == other.content and set(one.leans) == set(other.leans)


def _same(held: _Held, claim: Claim, span: Span) -> bool:
    piece = held.bearing.piece
    return held.says(claim) and (piece.recorded, piece.retracted) == (span.recorded, span.ended)


def _all(shelf: BeliefShelf) -> Iterator[Bearing]:
    return (bearing for held in shelf.bearings.values() for bearing in held)


def _held(shelf: BeliefShelf) -> dict[Place, list[_Held]]:
    found: dict[Place, list[_Held]] = {}
    for number, held in shelf.bearings.items():
        leans: dict[int, set[tuple[str, str]]] = {}
        for evidence, slot in shelf.leans.get(number, ()):
            leans.setdefault(evidence, set()).add(slot)
        for bearing in held:
            if bearing.resolved:
                each = _Held(bearing, frozenset(leans.get(bearing.piece.number, ())))
                found.setdefault(_place(shelf, bearing), []).append(each)
    return found


def _place(shelf: BeliefShelf, bearing: Bearing) -> Place:
    row, piece = shelf.rows[bearing.piece.belief], bearing.piece
    return piece.episode, (row.kind, row.subject, row.slot, row.object, piece.act)


def _readings(connection: Connection, scope_id: int) -> list[_Reading]:
    """The person's readings that depend on beliefs, in the order of their turns."""
    reading, episode = schema.reading, schema.episode
    query: Any = (
        select(reading, episode.c.occurred_at)
        .join(episode, episode.c.id == reading.c.episode_id)
        .where(episode.c.scope_id == scope_id, reading.c.proposals.is_not(None))
        .order_by(reading.c.episode_id, reading.c.extractor)
    )
    return [
        _Reading(r.episode_id, r.occurred_at, r.recorded_at, r.extractor, _unpacked(r.proposals))
        for r in connection.execute(query)
    ]
