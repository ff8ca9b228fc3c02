"""What a wish to forget means, in episodes.

What enters: one selector. What leaves: the row ids it takes, of episodes and of beliefs. A query takes what mentions
all of its words, and what means nearly the same; a belief takes the turns it rests on. A dry run shows exactly which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import ColumnElement, Connection, select

from memoria.clock import to_micros
from memoria.errors import InvalidInput
from memoria.models.embeddings import Embedder
from memoria.recall.lexical import score_lexical
from memoria.store import embeddings, schema
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.episodes import row_ids
from memoria.store.feedback import corrections_of
from memoria.store.scopes import ScopeState, find_session
from memoria.store.shelf import Shelves
from memoria.store.text import terms

NEARLY_THE_SAME = 0.8  # cosine: paraphrases of one sentence lie above it, two sentences on one subject below
_ALL_WORDS = 0.999


@dataclass(frozen=True)
class Wish:
    """What shall be forgotten: exactly one of these."""

    ids: Sequence[str] | None = None
    query: str | None = None
    session: str | None = None
    before: datetime | None = None
    everything: bool = False

    def check(self) -> None:
        """Raise `InvalidInput` unless exactly one selector is given."""
        given = [
            name
            for name, value in vars(self).items()
            if value is not None and value is not False  # an empty list of ids is a selector, of nothing
        ]
        if len(given) != 1:
            said = " and ".join(given) or "nothing"
            raise InvalidInput(f"forget was given {said}; give one of ids, query, session, before, everything.")
        if self.before is not None and self.before.tzinfo is None:
            raise InvalidInput(f"before {self.before.isoformat()} has no time zone; give an aware datetime.")


@dataclass(frozen=True)
class Taken:
    """Row ids: `episodes`, `beliefs` named themselves, and `bare`, all beliefs that nothing will bear out any more."""

    episodes: list[int]
    beliefs: list[int]
    bare: list[int]


def taken(
    connection: Connection,
    state: ScopeState,
    wish: Wish,
    shelves: Shelves,
    beliefs: BeliefShelf,
    embedder: Callable[[], Embedder],
) -> Taken:
    """What `wish` takes of one person's memory. Raises `InvalidInput` for what is not there."""
    named: list[int] = []
    if wish.ids is not None:
        keys = {row.key.hex(): number for number, row in beliefs.rows.items()}
        named = sorted({same for each in wish.ids if each in keys for same in beliefs.group(keys[each])})
        episodes = _by_ids(connection, state, [each for each in wish.ids if each not in keys])
        borne = {b.piece.episode for number in named for b in beliefs.bearings.get(number, ())}
        episodes = sorted({*episodes, *(each for each in borne if each is not None)})
    else:
        episodes = wished(connection, state, wish, shelves, embedder)
        if wish.query is not None:
            named = _mentioning(beliefs, wish.query, set(episodes))
    gone = set(episodes)
    bare = [
        number
        for number, held in beliefs.bearings.items()
        if number in named or wish.everything or all(b.piece.episode in gone for b in held)
    ]
    return Taken(episodes, named, bare)


def _by_ids(connection: Connection, state: ScopeState, ids: Sequence[str]) -> list[int]:
    found = row_ids(connection, state.id, list(ids))
    if len(found) != len(set(ids)):
        missing = len(set(ids)) - len(found)
        raise InvalidInput(f"{missing} of the ids are not in this memory; nothing was forgotten. Check them.")
    return found


def _mentioning(beliefs: BeliefShelf, query: str, gone: set[int]) -> list[int]:
    """The beliefs made by hand, without a turn, that mention all words of `query`."""
    words = set(terms(query))
    return [
        number
        for number, row in beliefs.rows.items()
        if words
        and words.issubset(terms(str(row.content.get("statement", ""))))
        and all(b.piece.episode is None or b.piece.episode in gone for b in beliefs.bearings.get(number, ()))
    ]


def wished(
    connection: Connection, state: ScopeState, wish: Wish, shelves: Shelves, embedder: Callable[[], Embedder]
) -> list[int]:
    """The row ids of the episodes that a wish other than by ids takes of one person's memory, in order."""
    table = schema.episode
    if wish.query is not None:
        return _by_query(connection, state, wish.query, shelves, embedder)
    if wish.session is not None:
        session = find_session(connection, state.id, wish.session)
        if session is None:
            raise InvalidInput(f"There is no session {wish.session!r}; nothing was forgotten. Check its name.")
        return _where(connection, state, table.c.session_id == session[0])
    if wish.before is not None:
        return _where(connection, state, table.c.occurred_at < to_micros(wish.before))
    return _where(connection, state, table.c.id > 0)


def _where(connection: Connection, state: ScopeState, condition: ColumnElement[bool]) -> list[int]:
    table = schema.episode
    query = select(table.c.id).where(table.c.scope_id == state.id, condition).order_by(table.c.id)
    return list(connection.execute(query).scalars())


def _by_query(
    connection: Connection, state: ScopeState, query: str, shelves: Shelves, embedder: Callable[[], Embedder]
) -> list[int]:
    shelf = shelves.shelf(connection, state)
    words = list(dict.fromkeys(terms(query)))
    shelf.learn(connection, state.id, words)
    scores = score_lexical(shelf, np.ones(len(shelf), dtype=np.bool_), words)
    mentions = shelf.ids[scores.cover > _ALL_WORDS] if words else shelf.ids[:0]
    ids, _, vectors = embeddings.matrix_of(connection, state.id)
    mentions = {int(each) for each in mentions} | _corrected(connection, state, words)
    near = ids[vectors.astype(np.float32) @ embedder().embed_query(query) >= NEARLY_THE_SAME] if len(ids) else ids
    return sorted(mentions | {int(each) for each in near})


def _corrected(connection: Connection, state: ScopeState, words: Sequence[str]) -> set[int]:
    """The turns in whose place the person wrote something that mentions all the words."""
    written = corrections_of(connection, state.id) if words else dict[int, str]()
    return {number for number, text in written.items() if set(words).issubset(terms(text))}
