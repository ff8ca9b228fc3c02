"""Learning: turns are read, and what they say is kept as evidence.

What enters: episodes with their row ids, inside the unit of work that keeps them. What leaves: claims in the ledger,
and a mark on each episode that this extractor has read it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from memoria.extract.conflict import Beliefs, Judge
from memoria.extract.ontology import Ontology
from memoria.extract.proposals import Extractor, Proposal, checked
from memoria.records import Episode
from memoria.store import schema
from memoria.store.belief_shelf import BeliefShelves
from memoria.store.beliefs import Claim, add_claims
from memoria.store.ledger import Ledger


class Learner:
    """Reads with one extractor, judges by one ontology, writes into one ledger."""

    def __init__(self, ledger: Ledger, shelves: BeliefShelves, extractor: Extractor, ontology: Ontology) -> None:
        self._ledger, self._shelves = ledger, shelves
        self.extractor = extractor
        self._judge = Judge(ontology, extractor.name)

    def read(self, episodes: Sequence[Episode]) -> list[list[Proposal]]:
        """The checked proposals of each episode: the slow part, before any unit of work begins."""
        if not episodes:
            return []
        found = self.extractor.extract(episodes, ())
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
        marks = [{"episode_id": row, "extractor": self.extractor.name} for row in rows]
        if marks:
            connection.execute(insert(schema.reading), marks)
        if not any(proposals):
            return []
        beliefs = Beliefs(self._shelves.shelf(connection, scope_id))
        sessions: dict[str, int] = {}
        claims: list[Claim] = []
        for row, episode, each in zip(rows, episodes, proposals, strict=True):
            session = sessions.setdefault(episode.session, len(sessions))
            claims += self._judge.claims(each, episode, row, session, beliefs)
        return add_claims(connection, self._ledger, scope_id, claims, recorded)

    def unread(self, connection: Connection, scope_id: int, limit: int) -> list[int]:
        """Up to `limit` row ids of the person's episodes that this extractor has not read, in order."""
        episode, reading = schema.episode, schema.reading
        seen = select(reading.c.episode_id).where(reading.c.extractor == self.extractor.name)
        query = select(episode.c.id).where(episode.c.scope_id == scope_id, episode.c.id.not_in(seen))
        return list(connection.execute(query.order_by(episode.c.id).limit(limit)).scalars())
