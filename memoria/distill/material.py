"""What may be learnt of a person, read in one snapshot.

What enters: a reader's connection and whose memory. What leaves: `Material`: beliefs that hold, each with just the
evidence that counts, the turns in order, and what the person thought of the assistant's. What counts are the person's
own words (and what they stated by hand): never a tool's, a page's or an assistant's, and never a turn whose metadata
say `"train": false`. A belief that needs confirmation, or that nothing else bears out, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection

from memoria.clock import from_micros
from memoria.extract.proposals import own_words
from memoria.records import Episode, Fact, Preference, Scope
from memoria.store.belief_records import belief_of
from memoria.store.belief_rows import Bearing
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.episodes import read_episodes, rows_of
from memoria.store.feedback import Feedback, feedback_of


@dataclass(frozen=True)
class Known:
    """A belief that holds, in the words of the evidence that counts: `object` is what it says, `quotes` are the words
    that bear it out, `said` is when they were said last (microseconds). `statements` has what each of `ids` says: a
    belief that goes by two names has two."""

    belief: Fact | Preference
    object: str
    quotes: tuple[str, ...]
    said: tuple[int, int, int]
    statements: dict[str, str]
    episode_ids: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The belief's public ids."""
        return tuple(self.statements)


@dataclass(frozen=True)
class Material:
    """Everything that a data set is made of. `feedback` is by the ids of the turns."""

    known: tuple[Known, ...] = ()
    turns: tuple[Episode, ...] = ()
    feedback: dict[str, Feedback] = field(default_factory=dict[str, Feedback])


def read_material(connection: Connection, shelf: BeliefShelf, scope: Scope, scope_id: int, at: int) -> Material:
    """What may be learnt of the person of `scope`, as it is so at `at` (microseconds)."""
    rows = rows_of(connection, scope_id, None, None)
    turns = read_episodes(connection, scope, scope_id, rows)
    known = [each for head in shelf.heads() if (each := _known(shelf, head, scope, turns, at)) is not None]
    known.sort(key=lambda each: (each.said, each.belief.statement))
    return Material(tuple(known), tuple(turns[row] for row in rows), feedback_of(connection, scope_id))


def may_learn(turn: Episode) -> bool:
    """Whether nobody said that a turn must not be learnt from."""
    return turn.metadata.get("train") is not False


def _known(shelf: BeliefShelf, head: int, scope: Scope, turns: dict[int, Episode], at: int) -> Known | None:
    belief = belief_of(shelf, head, scope, at)
    if belief.status != "current" or belief.needs_confirmation:
        return None
    borne = sorted(_counting(shelf, head, turns), key=lambda pair: pair[1].piece.order)
    if not borne:
        return None
    content = borne[0][1].content
    statements: dict[str, str] = {}
    for number, bearing in borne:
        statements.setdefault(shelf.rows[number].key.hex(), str(bearing.content["statement"]))
    heard = [(turns[b.piece.episode], b) for _, b in borne if b.piece.episode is not None]
    first = from_micros(borne[0][1].piece.said) if belief.valid_from is None else belief.valid_from
    return Known(
        belief=belief.model_copy(update={"statement": str(content["statement"]), "valid_from": first}),
        object=str(content.get("object") or content.get("value") or ""),
        quotes=tuple(dict.fromkeys(turn.text[b.begin : b.stop] for turn, b in heard)),
        said=borne[-1][1].piece.order,
        statements=statements,
        episode_ids=tuple(dict.fromkeys(turn.id for turn, _ in heard)),
    )


def _counting(shelf: BeliefShelf, head: int, turns: dict[int, Episode]) -> Iterator[tuple[int, Bearing]]:
    """The belief's rows with each piece of evidence that says that it is so, is not taken back, and counts."""
    for number in shelf.group(head):
        for bearing in shelf.bearings.get(number, ()):
            piece = bearing.piece
            if not bearing.affirms or piece.retracted is not None:
                continue
            turn = turns.get(piece.episode) if piece.episode is not None else None
            mine = piece.episode is None or (turn is not None and turn.trust == "user" and may_learn(turn))
            if mine and (turn is None or own_words(turn)):
                yield number, bearing
