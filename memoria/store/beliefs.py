"""Beliefs in the ledger: claims come in, evidence is kept, nothing is overwritten.

What enters: `Claim`s (what an episode, or an edit by hand, says of a slot), and retractions. What leaves: row ids.
Which beliefs hold is not kept here: `truth.py` derives it.
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
from memoria.store.truth import Act

Name = tuple[str, str, str, str, Act]  # kind, subject, slot, object, act

_CHUNK = 500
_BY_KEY = select(schema.belief.c.key, schema.belief.c.id).where(
    schema.belief.c.scope_id == bindparam("of_scope"), schema.belief.c.key.in_(bindparam("keys", expanding=True))
)
_SEEN = select(
    schema.evidence.c.belief_id, schema.evidence.c.episode_id, schema.evidence.c.act, schema.evidence.c.id
).where(schema.evidence.c.episode_id.in_(bindparam("episodes", expanding=True)), schema.evidence.c.moot_at.is_(None))
_OUTRIGHT = (
    update(schema.evidence)
    .where(schema.evidence.c.id.in_(bindparam("ids", expanding=True)), schema.evidence.c.resolved == 1)
    .values(resolved=0, follows=None)
)
_TOUCH = update(schema.belief).where(schema.belief.c.id == bindparam("row")).values(changed=bindparam("number"))
_STATE = update(schema.belief_state).where(schema.belief_state.c.scope_id == bindparam("of_scope"))
_CHANGED = _STATE.values(changed=bindparam("number"))
_REMOVED = _STATE.values(changed=bindparam("number"), removals=schema.belief_state.c.removals + 1)


@dataclass(frozen=True)
class Claim:
    """What one span of an episode says. `content` (plain values) is shown, the rest decides; times are microseconds.

    `subject` and `object` are entity keys; an empty `object` speaks of the whole slot. `leans` names the slots
    (subject, slot) that the claim depends on. `episode` is a row id, None for an edit by hand. A `resolved` claim is
    what its span means beside what else is believed; one that `follows` another (its `name`) of the episode falls with
    it.
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
    resolved: bool = False
    follows: Name | None = None

    @property
    def name(self) -> Name:
        """What tells the claim from the others of its episode."""
        return (self.kind, self.subject, self.slot, self.object, self.act)


@dataclass(frozen=True)
class Span:
    """When a claim was evidence: recorded, taken back by hand, moot; microseconds."""

    recorded: int
    retracted: int | None = None
    moot: int | None = None

    @property
    def ended(self) -> int | None:
        """When it ceased to count; None while it does."""
        return self.moot if self.retracted is None else self.retracted


def add_claims(
    connection: Connection, ledger: Ledger, scope_id: int, claims: Sequence[Claim], recorded: int
) -> list[int]:
    """Keep `claims` as evidence, in order; the row id of each one's belief. A claim that an episode made is kept
    once."""
    return keep(connection, ledger, scope_id, [(claim, Span(recorded)) for claim in claims])


def keep(connection: Connection, ledger: Ledger, scope_id: int, claims: Sequence[tuple[Claim, Span]]) -> list[int]:
    """Keep claims as evidence of their own times; the row id of each one's belief."""
    if not claims:
        return []
    keys = [ledger.keyed_hash(str(scope_id), *claim.name[:4]) for claim, _ in claims]
    parents = [ledger.keyed_hash(str(scope_id), *c.follows[:4]) if c.follows else None for c, _ in claims]
    known = _known(connection, scope_id, [*keys, *filter(None, parents)])
    seen = _seen(connection, [claim for claim, _ in claims])
    numbers = iter(take_numbers(connection, 2 * len(claims)))
    fresh: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    leans: list[dict[str, Any]] = []
    follows: list[tuple[dict[str, Any], bytes, Act]] = []
    outright: list[int] = []
    for key, parent, (claim, span) in zip(keys, parents, claims, strict=True):
        if key not in known:
            known[key] = next(numbers)
            fresh.append(_belief_row(known[key], scope_id, key, claim))
        again = (known[key], claim.episode, claim.act)
        if claim.episode is not None and span.ended is None and again in seen:
            outright += [] if claim.resolved else [seen[again]]
            continue
        last = next(numbers)
        if span.ended is None:
            seen[again] = last
        rows.append(_evidence_row(last, known[key], claim, span))
        if parent is not None and claim.follows is not None:
            follows.append((rows[-1], parent, claim.follows[4]))
        leans += [
            {"evidence_id": last, "belief_id": known[key], "subject": subject, "slot": slot}
            for subject, slot in dict.fromkeys(claim.leans)
        ]
    for row, parent, act in follows:
        row["follows"] = seen.get((known.get(parent, 0), row["episode_id"], act))
    if outright:  # what another extractor had to judge is now said in so many words
        connection.execute(_OUTRIGHT, {"ids": outright})
    if rows:
        _insert(connection, fresh, rows, leans)
        touch(connection, scope_id, {row["belief_id"] for row in rows}, rows[-1]["id"])
    return [known[key] for key in keys]


def retract(connection: Connection, scope_id: int, ids: Sequence[int], at: int) -> int:
    """Take back all live evidence for beliefs (row ids) at `at`, and what falls with it; how many pieces. What was
    believed before stays told."""
    table = schema.evidence
    live = (table.c.retracted_at.is_(None), table.c.moot_at.is_(None))
    mine = (table.c.belief_id.in_(ids), table.c.act.in_(("affirm", "change")))
    found = {row.id: row.belief_id for row in connection.execute(select(table).where(*mine, *live)).all()}
    if not found:
        return 0
    falling = connection.execute(select(table).where(table.c.follows.in_(list(found)), *live)).all()
    found |= {row.id: row.belief_id for row in falling}
    connection.execute(update(table).where(table.c.id.in_(list(found))).values(retracted_at=at))
    touch(connection, scope_id, set(found.values()), take_numbers(connection, 1)[0])
    return len(found)


def make_moot(connection: Connection, scope_id: int, numbers: Sequence[int], at: int) -> None:
    """The evidence `numbers` speaks of nothing any more from `at` on."""
    table = schema.evidence
    if numbers:
        hit = update(table).where(table.c.id.in_(list(numbers))).values(moot_at=at).returning(table.c.belief_id)
        touched = set(connection.execute(hit).scalars())
        touch(connection, scope_id, touched, take_numbers(connection, 1)[0])


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


def _known(connection: Connection, scope_id: int, keys: Sequence[bytes]) -> dict[bytes, int]:
    known: dict[bytes, int] = {}
    for start in range(0, len(keys), _CHUNK):
        values = {"of_scope": scope_id, "keys": list(keys[start : start + _CHUNK])}
        known.update((row[0], row[1]) for row in connection.execute(_BY_KEY, values))
    return known


def _seen(connection: Connection, claims: Sequence[Claim]) -> dict[tuple[int, int | None, str], int]:
    episodes = sorted({each.episode for each in claims if each.episode is not None})
    seen: dict[tuple[int, int | None, str], int] = {}
    for start in range(0, len(episodes), _CHUNK):
        rows = connection.execute(_SEEN, {"episodes": episodes[start : start + _CHUNK]})
        seen.update(((row[0], row[1], row[2]), row[3]) for row in rows)
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
        "changed": number,
    }


def _evidence_row(number: int, belief: int, claim: Claim, span: Span) -> dict[str, Any]:
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
        "recorded_at": span.recorded,
        "retracted_at": span.retracted,
        "source": claim.source,
        "content": json.dumps(claim.content, ensure_ascii=False, sort_keys=True),
        "resolved": int(claim.resolved),
        "moot_at": span.moot,
        "follows": None,
    }
