"""What the person thought of an assistant's turn, in the ledger.

What enters: a connection within a unit of work, and whose row. What leaves: `Feedback`, the newest of each turn. It is
removed with its turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select

from memoria.store import schema
from memoria.store.ledger import take_numbers
from memoria.store.schema_adapters import feedback

_CHUNK = 500


@dataclass(frozen=True)
class Feedback:
    """`score` is 1 or -1; `correction` what the person wrote in the turn's place. `number` tells it from what they
    thought before and after."""

    score: int
    correction: str | None
    number: int = field(default=0, compare=False)


def keep(connection: Connection, scope_id: int, episode: int, given: Feedback, at: int) -> None:
    """Keep feedback on the episode (row id) in the place of what was said of it before."""
    connection.execute(delete(feedback).where(feedback.c.episode_id == episode))
    row = {"scope_id": scope_id, "episode_id": episode, "score": given.score, "correction": given.correction, "at": at}
    connection.execute(insert(feedback).values(id=take_numbers(connection, 1)[0], **row))


def feedback_of(connection: Connection, scope_id: int) -> dict[str, Feedback]:
    """All feedback of the person by the public ids of the episodes."""
    episode = schema.episode
    query = (
        select(episode.c.key, feedback.c.score, feedback.c.correction, feedback.c.id)
        .join(episode, episode.c.id == feedback.c.episode_id)
        .where(feedback.c.scope_id == scope_id)
    )
    return {row.key.hex(): Feedback(row.score, row.correction, row.id) for row in connection.execute(query)}


def stands(connection: Connection, taught: Mapping[str, int]) -> bool:
    """Whether the person thinks of each turn what they thought when its feedback had this number, by public ids."""
    episode, keys = schema.episode, [bytes.fromhex(each) for each in taught]
    found: dict[str, int] = {}
    for start in range(0, len(keys), _CHUNK):
        query = select(episode.c.key, feedback.c.id).join(episode, episode.c.id == feedback.c.episode_id)
        rows = connection.execute(query.where(episode.c.key.in_(keys[start : start + _CHUNK])))
        found.update((row.key.hex(), row.id) for row in rows)
    return found == taught


def corrections_of(connection: Connection, scope_id: int, episodes: Sequence[int] | None = None) -> dict[int, str]:
    """What the person wrote in the place of turns, by the row ids of these `episodes` (None: of all)."""
    table = feedback
    query = select(table.c.episode_id, table.c.correction).where(
        table.c.scope_id == scope_id, table.c.correction.is_not(None)
    )
    if episodes is None:
        return {row.episode_id: row.correction for row in connection.execute(query)}
    found: dict[int, str] = {}
    for start in range(0, len(episodes), _CHUNK):
        chunk = query.where(table.c.episode_id.in_(list(episodes[start : start + _CHUNK])))
        found.update((row.episode_id, row.correction) for row in connection.execute(chunk))
    return found
