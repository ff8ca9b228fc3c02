"""What there is to reflect on: a person's beliefs and own turns, read in one snapshot.

What enters: a reader's connection and whose memory. What leaves: `Material`, and the `basis`: a short text that is the
same as long as nothing that a profile could rest on has changed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, select

from memoria.clock import from_micros, to_micros
from memoria.extract.proposals import own_words
from memoria.records import Episode, Fact, Preference, Scope
from memoria.store import schema
from memoria.store.belief_records import belief_of
from memoria.store.belief_rows import state_of
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.episodes import read_episodes
from memoria.store.schema_reflect import access
from memoria.store.scopes import ScopeState
from memoria.store.text import terms

SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")
VERSION = 1  # of how profiles are made: under another one everything is reflected on again


@dataclass(frozen=True)
class Known:
    """A belief that holds, its row id, and the turns that bear it out: row ids with when each was said."""

    belief: Fact | Preference
    row: int
    said: tuple[tuple[int, int], ...]  # episode row id, microseconds
    by_hand: tuple[int, ...]  # when it was affirmed by hand, microseconds
    asked: tuple[int, int]  # how often recall stated it, and when last

    @property
    def episodes(self) -> tuple[int, ...]:
        """Row ids of the turns that bear it out, in order, each once."""
        return tuple(dict.fromkeys(row for row, _ in self.said))


@dataclass(frozen=True)
class Said:
    """One of the person's own turns with its row id."""

    row: int
    episode: Episode


@dataclass(frozen=True)
class Material:
    """Everything that a profile is made of, as it stands at `at`. `moment` is that of the last turn (of the last
    edit, where there are edits alone): ages are counted from it, so that the same history always comes to the same
    profile. Both in microseconds since 1970 UTC."""

    known: tuple[Known, ...]
    turns: tuple[Said, ...]
    moment: int
    at: int

    @cached_property
    def speaking_of(self) -> dict[str, list[Said]]:
        """The turns by the terms that they hold."""
        found: dict[str, list[Said]] = defaultdict(list)
        for said in self.turns:
            for term in dict.fromkeys(terms(said.episode.text)):
                found[term].append(said)
        return found

    @property
    def good_until(self) -> int | None:
        """When something here begins to be so, or is so no longer, by itself."""
        edges = [e for each in self.known for e in (each.belief.valid_from, each.belief.valid_to) if e is not None]
        return min((to_micros(e) for e in edges if to_micros(e) > self.at), default=None)


def basis_of(connection: Connection, state: ScopeState, about: str) -> str:
    """What a profile made now would follow from; `about` says how it is made (settings, model)."""
    changed, removals = state_of(connection, state.id)
    return json.dumps([VERSION, state.last_id, state.revision, changed, removals, about])


def read_material(connection: Connection, shelf: BeliefShelf, scope: Scope, state: ScopeState, at: int) -> Material:
    """All of it, beliefs as they stand at `at` (microseconds)."""
    table = schema.episode
    rows = list(
        connection.execute(
            select(table.c.id).where(table.c.scope_id == state.id, table.c.role == "user").order_by(table.c.id)
        ).scalars()
    )
    found = read_episodes(connection, scope, state.id, rows)
    turns = tuple(Said(row, found[row]) for row in rows if row in found and own_words(found[row]))
    asked = _asked(connection, state.id)
    known = tuple(
        _known(shelf, head, belief, asked)
        for head in shelf.heads()
        if (belief := belief_of(shelf, head, scope, at)).status in ("current", "upcoming") and belief.statement
    )
    said = [to_micros(each.episode.occurred_at) for each in turns]
    moment = max(said or [when for each in known for when in each.by_hand], default=at)
    return Material(known, turns, moment, at)


def _known(shelf: BeliefShelf, head: int, belief: Fact | Preference, asked: dict[int, tuple[int, int]]) -> Known:
    pieces = shelf.state(shelf.slot_of(head)).standings[head].pieces
    affirming = [piece for piece in pieces if piece.act in ("affirm", "change")]
    counts = [asked[each] for each in shelf.group(head) if each in asked]
    return Known(
        belief=belief,
        row=head,
        said=tuple((piece.episode, piece.said) for piece in affirming if piece.episode is not None),
        by_hand=tuple(piece.said for piece in affirming if piece.episode is None),
        asked=(sum(count for count, _ in counts), max((last for _, last in counts), default=0)),
    )


def _asked(connection: Connection, scope_id: int) -> dict[int, tuple[int, int]]:
    belief = schema.belief
    joined = select(access).join(belief, belief.c.id == access.c.belief_id).where(belief.c.scope_id == scope_id)
    return {row[0]: (row[1], row[2]) for row in connection.execute(joined)}


def days_between(earlier: int, later: int) -> float:
    """Days from one moment (microseconds) to another; 0 where it is not later."""
    return max(0.0, (later - earlier) / 86_400e6)


def day_of(micros: int) -> str:
    """The day (UTC) of a moment."""
    return f"{from_micros(micros):%Y-%m-%d}"
