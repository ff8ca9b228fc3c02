"""Beliefs in the ledger: claims come in, evidence is kept, nothing is overwritten.

What enters: `Claim`s (what an episode, or an edit by hand, says of a slot), retractions, and ids of episodes that go.
What leaves: row ids and the rows that changed. Which beliefs hold is not kept here: `truth.py` derives it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from memoria.errors import EditConflict
from memoria.store import schema
from memoria.store.ledger import Ledger, take_numbers
from memoria.store.truth import Act, Piece

_CHUNK = 500
_BY_KEY = select(schema.belief.c.key, schema.belief.c.id).where(
    schema.belief.c.scope_id == bindparam("of_scope"), schema.belief.c.key.in_(bindparam("keys", expanding=True))
)
_SEEN = select(schema.evidence.c.belief_id, schema.evidence.c.episode_id, schema.evidence.c.act).where(
    schema.evidence.c.episode_id.in_(bindparam("episodes", expanding=True))
)
_TOUCH = update(schema.belief).where(schema.belief.c.id == bindparam("row")).values(changed=bindparam("number"))
_STATE = update(schema.belief_state).where(schema.belief_state.c.scope_id == bindparam("of_scope"))
_CHANGED = _STATE.values(changed=bindparam("number"))
_REMOVED = _STATE.values(changed=bindparam("number"), removals=schema.belief_state.c.removals + 1)


@dataclass(frozen=True)
class Claim:
    """What one span of an episode says. `content` (plain values) is shown, the rest decides; times are microseconds.

    `subject` and `object` are entity keys; an empty `object` speaks of the whole slot. `leans` names the slots
    (subject, slot) that the claim depends on. `episode` is a row id, None for an edit by hand.
    """

    kind: str
    subject: str
    slot: str
    object: str
    single: bool
    act: Act
    said: int
    source: str
    content: dict[str, Any] = field(default_factory=dict[str, Any])
    episode: int | None = None
    begin: int = 0
    stop: int = 0
    valid_from: int | None = None
    valid_to: int | None = None
    leans: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class BeliefRow:
    """A belief as the ledger keeps it."""

    id: int
    key: bytes
    kind: str
    slot: str
    single: bool
    subject: str
    object: str
    content: dict[str, Any]
    changed: int


@dataclass(frozen=True)
class Changes:
    """What changed since a number: whole beliefs with all of their evidence, and what they lean on."""

    rows: list[BeliefRow]
    pieces: list[tuple[Piece, int, int, str]]  # with begin, stop, source
    leans: list[tuple[int, int, str, str]]  # evidence, belief, subject, slot


def state_of(connection: Connection, scope_id: int) -> tuple[int, int]:
    """The number of the last change to the person's beliefs, and how often some were removed."""
    table = schema.belief_state
    query = select(table.c.changed, table.c.removals).where(table.c.scope_id == scope_id)
    row = connection.execute(query).first()
    return (row[0], row[1]) if row else (0, 0)


def add_claims(
    connection: Connection, ledger: Ledger, scope_id: int, claims: Sequence[Claim], recorded: int
) -> list[int]:
    """Keep `claims` as evidence, in order; the row id of each one's belief. A claim that an episode made is kept
    once."""
    if not claims:
        return []
    keys = [ledger.keyed_hash(str(scope_id), each.kind, each.subject, each.slot, each.object) for each in claims]
    known = _known(connection, scope_id, keys)
    seen = _seen(connection, claims)
    numbers = iter(take_numbers(connection, 2 * len(claims)))
    fresh: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    leans: list[dict[str, Any]] = []
    last = 0
    for key, claim in zip(keys, claims, strict=True):
        if key not in known:
            known[key] = next(numbers)
            fresh.append(_belief_row(known[key], scope_id, key, claim))
        again = (known[key], claim.episode, claim.act)
        if claim.episode is not None and again in seen:
            continue
        seen.add(again)
        last = next(numbers)
        rows.append(_evidence_row(last, known[key], claim, recorded))
        leans += [
            {"evidence_id": last, "belief_id": known[key], "subject": subject, "slot": slot}
            for subject, slot in dict.fromkeys(claim.leans)
        ]
    if rows:
        _insert(connection, fresh, rows, leans)
        touch(connection, scope_id, {row["belief_id"] for row in rows}, last)
    return [known[key] for key in keys]


def retract(connection: Connection, scope_id: int, ids: Sequence[int], at: int) -> int:
    """Take back all live evidence for beliefs (row ids) at `at`; how many pieces. What was believed before stays
    told."""
    table = schema.evidence
    where = (table.c.belief_id.in_(ids), table.c.retracted_at.is_(None), table.c.act.in_(("affirm", "change")))
    count = connection.execute(update(table).where(*where).values(retracted_at=at)).rowcount
    if count:
        touch(connection, scope_id, set(ids), take_numbers(connection, 1)[0])
    return count


def require_unchanged(connection: Connection, scope_id: int, ids: Iterable[int], revision: int) -> None:
    """Compare and set: raises `EditConflict` when a belief among `ids` changed after `revision`."""
    table = schema.belief
    query = select(func.max(table.c.changed)).where(table.c.scope_id == scope_id, table.c.id.in_(list(ids)))
    now = connection.execute(query).scalar()
    if now != revision:
        raise EditConflict(
            f"The belief changed meanwhile (its revision is {now}, not {revision}); nothing was written. "
            "Read it again and repeat the edit."
        )


def changed_after(connection: Connection, scope_id: int, number: int) -> Changes:
    """The person's beliefs that changed after `number`, whole."""
    belief, evidence, dependency = schema.belief, schema.evidence, schema.dependency
    mine = (belief.c.scope_id == scope_id, belief.c.changed > number)
    rows = [
        BeliefRow(r.id, r.key, r.kind, r.slot, bool(r.single), r.subject, r.object, json.loads(r.content), r.changed)
        for r in connection.execute(select(belief).where(*mine).order_by(belief.c.id))
    ]
    joined = select(evidence, belief.c.object).join(belief, belief.c.id == evidence.c.belief_id)
    pieces = [
        (
            Piece(
                number=r.id,
                belief=r.belief_id,
                act=r.act,
                start=r.valid_from,
                end=r.valid_to,
                said=r.said_at,
                recorded=r.recorded_at,
                retracted=r.retracted_at,
                anything=not r.object,
                episode=r.episode_id,
            ),
            r.begin,
            r.stop,
            r.source,
        )
        for r in connection.execute(joined.where(*mine).order_by(evidence.c.id))
    ]
    of = select(dependency).join(belief, belief.c.id == dependency.c.belief_id)
    leans = [(r.evidence_id, r.belief_id, r.subject, r.slot) for r in connection.execute(of.where(*mine))]
    return Changes(rows, pieces, leans)


def _known(connection: Connection, scope_id: int, keys: Sequence[bytes]) -> dict[bytes, int]:
    known: dict[bytes, int] = {}
    for start in range(0, len(keys), _CHUNK):
        values = {"of_scope": scope_id, "keys": list(keys[start : start + _CHUNK])}
        known.update((row[0], row[1]) for row in connection.execute(_BY_KEY, values))
    return known


def _seen(connection: Connection, claims: Sequence[Claim]) -> set[tuple[int, int | None, str]]:
    episodes = sorted({each.episode for each in claims if each.episode is not None})
    seen: set[tuple[int, int | None, str]] = set()
    for start in range(0, len(episodes), _CHUNK):
        rows = connection.execute(_SEEN, {"episodes": episodes[start : start + _CHUNK]})
        seen.update((row[0], row[1], row[2]) for row in rows)
    return seen


def _insert(
    connection: Connection, fresh: list[dict[str, Any]], rows: list[dict[str, Any]], leans: list[dict[str, Any]]
) -> None:
    if fresh:
        connection.execute(insert(schema.belief), fresh)
    connection.execute(insert(schema.evidence), rows)
    if leans:
        connection.execute(insert(schema.dependency), leans)


def touch(connection: Connection, scope_id: int, ids: set[int], number: int, *, removed: bool = False) -> None:
    """Mark beliefs (row ids), and the person, as changed at `number`."""
    if ids:
        connection.execute(_TOUCH, [{"row": each, "number": number} for each in sorted(ids)])
    statement = _REMOVED if removed else _CHANGED
    if connection.execute(statement, {"of_scope": scope_id, "number": number}).rowcount == 0:
        row = {"scope_id": scope_id, "changed": number, "removals": int(removed)}
        connection.execute(insert(schema.belief_state).values(row))


def _belief_row(number: int, scope_id: int, key: bytes, claim: Claim) -> dict[str, Any]:
    return {
        "id": number,
        "scope_id": scope_id,
        "key": key,
        "kind": claim.kind,
        "slot": claim.slot,
        "single": int(claim.single),
        "subject": claim.subject,
        "object": claim.object,
        "content": json.dumps(claim.content, ensure_ascii=False, sort_keys=True),
        "changed": number,
    }


def _evidence_row(number: int, belief: int, claim: Claim, recorded: int) -> dict[str, Any]:
    return {
        "id": number,
        "belief_id": belief,
        "episode_id": claim.episode,
        "begin": claim.begin,
        "stop": claim.stop,
        "act": claim.act,
        "valid_from": claim.valid_from,
        "valid_to": claim.valid_to,
        "said_at": claim.said,
        "recorded_at": recorded,
        "source": claim.source,
    }
