"""Beliefs removed for good, with their evidence.

What enters: episodes that go, or beliefs. What leaves: the keys of the beliefs that nothing bears out any more; the
others stay, marked as changed, to be derived anew from what is left. Between the two, what is left may be judged anew
(`extract/rejudge.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, select, update

from memoria.store import schema
from memoria.store.beliefs import touch
from memoria.store.ledger import take_numbers
from memoria.store.profiles import cut_lines, remove_profiles

_CHUNK = 500


def cut_evidence(connection: Connection, episodes: Sequence[int]) -> set[int]:
    """Remove what the `episodes` bore out; the row ids of the beliefs that it was for."""
    hit: set[int] = set()
    evidence, reading = schema.evidence, schema.reading
    for start in range(0, len(episodes), _CHUNK):
        chunk = list(episodes[start : start + _CHUNK])
        mine = connection.execute(select(evidence.c.id).where(evidence.c.episode_id.in_(chunk))).scalars()
        hit |= unkeep(connection, list(mine))
        connection.execute(delete(reading).where(reading.c.episode_id.in_(chunk)))
    return hit


def unkeep(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Remove the evidence `numbers`, as if it had never been; the beliefs that it was for."""
    table, hit = schema.evidence, set[int]()
    for start in range(0, len(numbers), _CHUNK):
        chunk = list(numbers[start : start + _CHUNK])
        connection.execute(delete(schema.dependency).where(schema.dependency.c.evidence_id.in_(chunk)))
        hit.update(
            connection.execute(delete(table).where(table.c.id.in_(chunk)).returning(table.c.belief_id)).scalars()
        )
    return hit


def cut_beliefs(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Remove all evidence for beliefs (row ids). The turns that bore it, where they stay, are not judged anew: it would
    come back."""
    evidence, reading = schema.evidence, schema.reading
    for start in range(0, len(ids), _CHUNK):
        chunk = list(ids[start : start + _CHUNK])
        borne = select(evidence.c.episode_id).where(evidence.c.belief_id.in_(chunk))
        connection.execute(update(reading).where(reading.c.episode_id.in_(borne)).values(proposals=None))
        connection.execute(delete(schema.dependency).where(schema.dependency.c.belief_id.in_(chunk)))
        connection.execute(delete(evidence).where(evidence.c.belief_id.in_(chunk)))
    return set(ids)


def remove_evidence(connection: Connection, scope_id: int, episodes: Sequence[int]) -> list[bytes]:
    """Remove what the `episodes` bore out, and the beliefs that nothing else does; the keys of those."""
    return drop_bare(connection, scope_id, cut_evidence(connection, episodes))


def remove_everything(connection: Connection, scope_id: int) -> list[bytes]:
    """Remove every belief of the person, and every trace that there were any; their keys."""
    ids = connection.execute(select(schema.belief.c.id).where(schema.belief.c.scope_id == scope_id)).scalars().all()
    keys = drop_bare(connection, scope_id, cut_beliefs(connection, ids))
    remove_profiles(connection, scope_id)
    connection.execute(delete(schema.merge).where(schema.merge.c.scope_id == scope_id))
    connection.execute(delete(schema.belief_state).where(schema.belief_state.c.scope_id == scope_id))
    return keys


def belief_keys_of(connection: Connection, ids: Iterable[int]) -> list[bytes]:
    """The keys of the beliefs `ids` (row ids) that there are."""
    wanted, found = sorted(set(ids)), list[bytes]()
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        found += connection.execute(select(schema.belief.c.key).where(schema.belief.c.id.in_(chunk))).scalars()
    return found


def drop_bare(connection: Connection, scope_id: int, ids: Iterable[int]) -> list[bytes]:
    """Remove those of `ids` that have no evidence left, and mark the rest as changed."""
    belief, evidence = schema.belief, schema.evidence
    gone: list[bytes] = []
    left: set[int] = set()
    for each in sorted(set(ids)):
        if connection.execute(select(evidence.c.id).where(evidence.c.belief_id == each).limit(1)).first():
            left.add(each)
            continue
        cut_lines(connection, scope_id, beliefs=[each])
        where = (belief.c.id == each, belief.c.scope_id == scope_id)
        gone += connection.execute(delete(belief).where(*where).returning(belief.c.key)).scalars().all()
    if gone or left:
        touch(connection, scope_id, left, take_numbers(connection, 1)[0], removed=True)
    return gone
