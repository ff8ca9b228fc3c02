"""Learning: turns are read, and what they say is kept as evidence.

What enters: episodes with their row ids, inside the unit of work that keeps them. What leaves: claims in the ledger,
and a mark on each episode that this extractor has read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from memoria.clock import Clock, to_micros
from memoria.extract.conflict import Beliefs, Judge
from memoria.extract.ontology import Ontology
from memoria.extract.proposals import SELF, Batching, Extractor, Proposal, checked
from memoria.extract.rejudge import packed
from memoria.records import Episode, Scope
from memoria.store import schema
from memoria.store.belief_shelf import ALIAS, BeliefShelf, BeliefShelves, names_of
from memoria.store.beliefs import Claim, add_claims
from memoria.store.episodes import read_episodes
from memoria.store.ledger import Ledger
from memoria.store.scopes import require_scope

_READ_AT_ONCE = 200
_MOST_NAMES = 100
_NAMED = frozenset(("person", "animal", "organisation", "place"))


class Learner:
    """Reads with one extractor, judges by one ontology, writes into one ledger."""

    def __init__(self, ledger: Ledger, shelves: BeliefShelves, extractor: Extractor, ontology: Ontology) -> None:
        self._ledger, self._shelves = ledger, shelves
        self.extractor = extractor
        self._judge = Judge(ontology, extractor.name)

    def learn(self, scope: Scope, clock: Clock, limit: int | None = None) -> int:
        """Read up to `limit` turns that this extractor has not read; how many were. Each batch is kept before the next
        is read, so that an error takes nothing back. Raises `UnknownUser` and what the extractor raises."""
        done = 0
        while limit is None or done < limit:
            with self._ledger.read() as connection:
                state = require_scope(connection, scope)
                most = _READ_AT_ONCE if limit is None else min(_READ_AT_ONCE, limit - done)
                rows = self.unread(connection, state.id, most)
                found = read_episodes(connection, scope, state.id, rows)
            if not rows:
                break
            episodes = [found[row] for row in rows]
            batches = self.extractor.batches(episodes) if isinstance(self.extractor, Batching) else [episodes]
            for batch in batches:
                self._learn_batch(state.id, rows[: len(batch)], batch, clock)
                rows = rows[len(batch) :]
                done += len(batch)
        return done

    def _learn_batch(self, scope_id: int, rows: Sequence[int], episodes: Sequence[Episode], clock: Clock) -> None:
        with self._ledger.read() as connection:
            known = _names(self._shelves.shelf(connection, scope_id))
        proposals = self.read(episodes, known)
        with self._ledger.write() as connection:
            # Somebody may have forgotten, or read, some of them meanwhile.
            left = set(self.unread(connection, scope_id, len(rows), rows))
            kept = [i for i, row in enumerate(rows) if row in left]
            self.believe(
                connection,
                scope_id,
                [rows[i] for i in kept],
                [episodes[i] for i in kept],
                [proposals[i] for i in kept],
                to_micros(clock()),
            )

    def read(self, episodes: Sequence[Episode], known: Sequence[str] = ()) -> list[list[Proposal]]:
        """The checked proposals of each episode: the slow part, before any unit of work begins."""
        if not episodes:
            return []
        found = self.extractor.extract(episodes, known)
        return [checked(each, episode) for each, episode in zip(found, episodes, strict=True)]

    def believe(
        self,
        connection: Connection,
        scope_id: int,
        rows: Sequence[int],
        episodes: Sequence[Episode],
        proposals: Sequence[Sequence[Proposal]],
        recorded: int,
    ) -> list[int]:
        """Keep what `episodes` (at ledger `rows`) propose; the row ids of the beliefs. In the caller's unit of work."""
        beliefs = Beliefs.before(min(rows), self._shelves.shelf(connection, scope_id)) if any(proposals) else None
        claims: list[Claim] = []
        marks: list[dict[str, Any]] = []
        for row, episode, each in zip(rows, episodes, proposals, strict=True):
            made = self._judge.claims(each, row, to_micros(episode.occurred_at), beliefs) if beliefs and each else []
            depends = beliefs is not None and (beliefs.consulted or any(claim.resolved for claim in made))
            again = packed(each) if depends and each else None
            marks.append(
                {"episode_id": row, "extractor": self.extractor.name, "recorded_at": recorded, "proposals": again}
            )
            claims += made
        if marks:
            connection.execute(insert(schema.reading), marks)
        return add_claims(connection, self._ledger, scope_id, claims, recorded)

    def unread(
        self, connection: Connection, scope_id: int, limit: int, among: Sequence[int] | None = None
    ) -> list[int]:
        """Up to `limit` row ids of the person's episodes (of those `among`) that this extractor has not read, in
        order."""
        episode, reading = schema.episode, schema.reading
        seen = select(reading.c.episode_id).where(reading.c.extractor == self.extractor.name)
        query = select(episode.c.id).where(episode.c.scope_id == scope_id, episode.c.id.not_in(seen))
        if among is not None:
            query = query.where(episode.c.id.in_(among))
        return list(connection.execute(query.order_by(episode.c.id).limit(limit)).scalars())


def _names(shelf: BeliefShelf) -> list[str]:
    """The names of people, animals, organisations and places that beliefs are about, the latest first."""
    names = names_of(shelf)
    found: dict[str, None] = {}
    for number in sorted(shelf.rows, reverse=True):
        row = shelf.rows[number]
        named = row.object and (row.kind == ALIAS or row.content.get("kind") in _NAMED)
        found.update(dict.fromkeys(key for key in (row.subject, row.object if named else SELF) if key != SELF))
    return [names[key] for key in found if names[key]][:_MOST_NAMES]
