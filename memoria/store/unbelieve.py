"""Beliefs removed for good, with their evidence.

What enters: episodes that go, or beliefs. What leaves: the keys of the beliefs that nothing bears out any more; the
others stay, marked as changed, to be derived anew from what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from memoria.store import schema
from memoria.store.beliefs import touch
from memoria.store.ledger import take_numbers

_CHUNK = 500


def remove_evidence(connection: Connection, scope_id: int, episodes: Sequence[int]) -> list[bytes]:
    """Remove what the `episodes` bore out, and the beliefs that nothing else does; the keys of those."""
    hit: set[int] = set()
    evidence = schema.evidence
    for start in range(0, len(episodes), _CHUNK):
        chunk = list(episodes[start : start + _CHUNK])
        mine = connection.execute(select(evidence.c.id, evidence.c.belief_id).where(evidence.c.episode_id.in_(chunk)))
        for number, belief in mine.all():
            connection.execute(delete(schema.dependency).where(schema.dependency.c.evidence_id == number))
            hit.add(belief)
        connection.execute(delete(evidence).where(evidence.c.episode_id.in_(chunk)))
        connection.execute(delete(schema.reading).where(schema.reading.c.episode_id.in_(chunk)))
    return _drop_bare(connection, scope_id, hit)


def remove_beliefs(connection: Connection, scope_id: int, ids: Sequence[int]) -> list[bytes]:
    """Remove beliefs (row ids) with all of their evidence; their keys."""
    for start in range(0, len(ids), _CHUNK):
        chunk = list(ids[start : start + _CHUNK])
        connection.execute(delete(schema.dependency).where(schema.dependency.c.belief_id.in_(chunk)))
        connection.execute(delete(schema.evidence).where(schema.evidence.c.belief_id.in_(chunk)))
    return _drop_bare(connection, scope_id, set(ids))


def remove_everything(connection: Connection, scope_id: int) -> list[bytes]:
    """Remove every belief of the person, and every trace that there were any; their keys."""
    ids = connection.execute(select(schema.belief.c.id).where(schema.belief.c.scope_id == scope_id)).scalars().all()
    keys = remove_beliefs(connection, scope_id, ids)
    connection.execute(delete(schema.merge).where(schema.merge.c.scope_id == scope_id))
    connection.execute(delete(schema.belief_state).where(schema.belief_state.c.scope_id == scope_id))
    return keys


def _drop_bare(connection: Connection, scope_id: int, ids: set[int]) -> list[bytes]:
    """Remove those of `ids` that have no evidence left, and mark the rest as changed."""
    belief, evidence = schema.belief, schema.evidence
    if not ids:
        return []
    gone: list[bytes] = []
    left: set[int] = set()
    for each in sorted(ids):
        if connection.execute(select(evidence.c.id).where(evidence.c.belief_id == each).limit(1)).first():
            left.add(each)
            continue
        where = (belief.c.id == each, belief.c.scope_id == scope_id)
        gone += connection.execute(delete(belief).where(*where).returning(belief.c.key)).scalars().all()
    touch(connection, scope_id, left, take_numbers(connection, 1)[0], removed=True)
    return gone
