"""The lines of the profile that a question wants beside its turns.

What enters: the newest version's lines, and the question. What leaves: the lines to state, best first. A line is wanted
where it shares words with the question, or, where advice is asked for, where it says how the person is and likes
things; never where a belief that the context states anyway says the same, or where what it cites holds no more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from memoria.recall.beliefs import Asked
from memoria.records import ProfileHit, Scope
from memoria.store.belief_records import belief_of
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.episodes import keys_of_rows
from memoria.store.profiles import LineRow, latest, read_lines
from memoria.store.text import terms

_MOST = 12
_OF_THE_PERSON = frozenset(("identity", "preferences", "routines", "concerns", "style"))
_WORD = 1.0  # what a share of the question's words adds to a line's strength


def profile_hits(
    connection: Connection,
    shelf: BeliefShelf,
    scope: Scope,
    scope_id: int,
    asked: Asked,
    words: Sequence[str],
    at: int,
    stated: Collection[str],
) -> list[ProfileHit]:
    """The lines for a question of `words`, asked at `at` (microseconds); `stated` are beliefs the context states."""
    kept = latest(connection, scope_id)
    if kept is None:
        return []
    found = [(score, line) for line in read_lines(connection, kept.id) if (score := _score(line, asked, words)) > 0]
    found.sort(key=lambda pair: -pair[0])
    lines = [line for _, line in found if still_holds(shelf, scope, line, at)]
    keys = {row: shelf.rows[row].key.hex() for line in lines for row in line.beliefs}
    lines = [line for line in lines if not line.beliefs or not {keys[row] for row in line.beliefs} <= set(stated)]
    lines = lines[:_MOST]
    names = keys_of_rows(connection, scope_id, sorted({row for line in lines for row in line.episodes}))
    return [
        ProfileHit(
            section=line.section,
            text=line.text,
            belief_ids=tuple(keys[row] for row in line.beliefs),
            episode_ids=tuple(names[row] for row in line.episodes if row in names),
        )
        for line in lines
    ]


def still_holds(shelf: BeliefShelf, scope: Scope, line: LineRow, at: int) -> bool:
    """Whether everything that a line says of beliefs is so at `at`: the history may have gone on since it was made."""
    return all(
        row in shelf.rows and belief_of(shelf, row, scope, at).status in ("current", "upcoming") for row in line.beliefs
    )


def _score(line: LineRow, asked: Asked, words: Sequence[str]) -> float:
    if line.kind == "question":
        return 0.0
    mine = set(terms(line.text))
    share = len(mine.intersection(words)) / max(1, len(set(words)))
    if share == 0 and not (asked.advice and line.section in _OF_THE_PERSON):
        return 0.0
    return _WORD * share + line.strength
