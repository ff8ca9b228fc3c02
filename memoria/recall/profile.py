"""The lines of the profile that a question wants beside its turns.

What enters: the newest version's lines (those shown, and those left out that rest on one of the best turns), and the
question. What leaves: the lines to state, best first. A line is wanted where it shares words with the question, or,
where advice is asked for, where it says how the person is and likes things, of turns that are near to what is asked;
never where a belief that the context states anyway says the same, or where what it cites holds no more. How the person
speaks answers no question: the whole profile tells that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from memoria.recall.beliefs import Asked
from memoria.records import ProfileHit, Scope
from memoria.store.belief_records import belief_of
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.episodes import keys_of_rows
from memoria.store.profiles import LineRow, latest, read_lines
from memoria.store.text import terms

REACH = 3  # times k: turns that rank so far down may speak for a line
_MOST = 12
_OF_THE_PERSON = frozenset(("identity", "preferences", "routines", "concerns"))
_STRENGTH = 0.1  # of a line, against a share of words and a nearness of up to 1 each: it decides between equals


@dataclass(frozen=True)
class Wanted:
    """A question as lines are held against it: what it asks for, its `words` with how much each tells (idf), the row
    ids of its `best` turns, best first, the moment it is `at` (microseconds), and the beliefs `stated` anyway."""

    asked: Asked
    words: Mapping[str, float]
    best: tuple[int, ...]
    at: int
    stated: Collection[str]


def profile_hits(
    connection: Connection, shelf: BeliefShelf, scope: Scope, scope_id: int, wanted: Wanted
) -> list[ProfileHit]:
    """The lines that a question wants."""
    kept = latest(connection, scope_id)
    if kept is None:
        return []
    ranks = {row: rank for rank, row in enumerate(wanted.best)}
    lines = read_lines(connection, kept.id, citing=wanted.best)
    scored = ((_score(line, wanted, ranks), line) for line in lines)
    found = [(score, line) for score, line in scored if score > 0]
    found.sort(key=lambda pair: -pair[0])
    lines = [line for _, line in found if still_holds(shelf, scope, line, wanted.at)]
    keys = {row: shelf.rows[row].key.hex() for line in lines for row in line.beliefs}
    lines = [
        line for line in lines if not line.beliefs or not {keys[row] for row in line.beliefs} <= set(wanted.stated)
    ]
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


def _score(line: LineRow, wanted: Wanted, ranks: Mapping[int, int]) -> float:
    if line.kind in ("question", "style"):
        return 0.0
    shared = sum(wanted.words[term] for term in set(terms(line.text)) if term in wanted.words)
    near = 0.0
    if line.kind != "insight":  # a topic of forty turns is not near for one of them
        near = max((1 - ranks[row] / len(ranks) for row in line.episodes if row in ranks), default=0.0)
    if shared == 0 and not (wanted.asked.advice and near > 0 and line.section in _OF_THE_PERSON):
        return 0.0
    return shared / (sum(wanted.words.values()) or 1.0) + near + _STRENGTH * line.strength
