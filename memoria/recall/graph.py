"""The knowledge graph as a signal: what stands near to what the question names.

What enters: a person's beliefs and the entities of a question. What leaves: a share for each episode: personalised
PageRank (Haveliwala 2002; for memory, HippoRAG, Gutiérrez et al. 2024) over entities and the episodes that bear out
facts about them, on a list of edges that is built once for a shelf.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memoria.store.belief_shelf import ALIAS, BeliefShelf, names_of

if TYPE_CHECKING:
    import networkx as nx

_DAMPING, _ROUNDS = 0.5, 6  # a short reach: what is three steps away says little about a question


class BeliefGraph:
    """Nodes are entity keys and episode row ids; an episode is tied to the entities that its facts speak of."""

    def __init__(self, shelf: BeliefShelf) -> None:
        self._places: dict[str | int, int] = {}
        heads: list[int] = []
        tails: list[int] = []
        for number, row in shelf.rows.items():
            if not row.object or row.kind == ALIAS:
                continue
            ends = {shelf.canonical(row.subject)}
            ends.add(row.slot if row.kind == "preference" else shelf.canonical(row.object))
            nodes = [self._place(key) for key in sorted(ends)]
            episodes = {b.piece.episode for b in shelf.bearings.get(number, ()) if b.piece.episode is not None}
            for episode in episodes:
                for node in nodes:
                    heads.append(node)
                    tails.append(self._place(episode))
            if len(nodes) == 2:
                heads.append(nodes[0])
                tails.append(nodes[1])
        self._from = np.array(heads + tails, dtype=np.int64)
        self._to = np.array(tails + heads, dtype=np.int64)
        self._degree = np.maximum(np.bincount(self._from, minlength=len(self._places)), 1).astype(np.float64)
        self._episodes = np.array([key for key in self._places if isinstance(key, int)], dtype=np.int64)
        self._at = np.array([at for key, at in self._places.items() if isinstance(key, int)], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def near(self, seeds: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Episode row ids and their shares of the walk from the entities `seeds`; empty when none is known."""
        size = len(self._places)
        start = np.zeros(size)
        for key in seeds:
            if key in self._places:
                start[self._places[key]] = 1.0 / np.log2(2 + self._degree[self._places[key]])  # hubs say little
        if not start.any():
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        start /= start.sum()
        rank = start
        for _ in range(_ROUNDS):
            flow = (rank / self._degree)[self._from]
            rank = (1 - _DAMPING) * start + _DAMPING * np.bincount(self._to, weights=flow, minlength=size)
        return self._episodes, rank[self._at].astype(np.float32)

    def _place(self, key: str | int) -> int:
        return self._places.setdefault(key, len(self._places))


def to_networkx(shelf: BeliefShelf) -> nx.MultiDiGraph[str]:
    """The person's graph: a node for each entity (`name`), an edge for each belief that says something (`kind`,
    `statement`, `predicate`, `current`, `needs_confirmation`, `valid_from`, `valid_to` as microseconds or "")."""
    import networkx as nx  # noqa: PLC0415  # a fifth of a second, and only for whoever looks at the graph

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    names = names_of(shelf)
    for head in shelf.heads():
        row = shelf.rows[head]
        content = row.content
        standing = shelf.state(shelf.slot_of(head)).standings.get(head)
        if standing is None or not standing.periods:
            continue
        last = standing.periods[-1]
        source = shelf.canonical(row.subject)
        # A taste's object is only its way, for or against: what it is of stands in the slot.
        taste = row.slot.startswith("likes ")
        target = row.slot if taste else shelf.canonical(row.object)
        graph.add_node(source, name=names.get(source, source))
        graph.add_node(target, name=content["topic"] if taste else names.get(target, target))
        graph.add_edge(
            source,
            target,
            key=row.key.hex(),
            kind=row.kind,
            predicate=content.get("predicate", row.slot),
            statement=content["statement"],
            current=standing.holds,
            needs_confirmation=bool(shelf.shaken_by(head)),
            valid_from=last.start if last.start is not None else "",
            valid_to=last.end if last.end is not None else "",
        )
    return graph
