"""Where the boxes of a drawn graph lie.

What enters: a graph with names. What leaves: a `Box` for each node, in inches, the person's at the origin. A spring
layout (Fruchterman and Reingold 1991) brings together what belongs together; then boxes that overlap push each other
apart until none does.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memoria.extract.proposals import SELF
from memoria.serve.graphs import shortened

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.MultiDiGraph[str]

LINE, SMALL_LINE = 0.155, 0.135  # inches: heights of a line of a name, and of what is said of it
_LETTER, _PADDING, _AIR = 0.079, 0.2, 0.17  # inches: a letter's width, a box's own rim, the space between boxes
_WIDTH, _LONGEST = 20, 60  # characters in a line, and in all
_WIDER = 1.5  # than high: as screens and pages are
_SEED, _ROUNDS = 7, 600
_IN_ONE_RING, _INNER, _ROOM = 14, 0.6, 2.4


@dataclass(frozen=True)
class Box:
    """A node's box: the lines of its `name`, over them what is said of it, and where its corners lie."""

    name: tuple[str, ...]
    says: tuple[str, ...]
    centre: tuple[float, float]
    width: float
    height: float

    @property
    def low(self) -> tuple[float, float]:
        """The corner at the left below."""
        return self.centre[0] - self.width / 2, self.centre[1] - self.height / 2

    @property
    def high(self) -> tuple[float, float]:
        """The corner at the right above."""
        return self.centre[0] + self.width / 2, self.centre[1] + self.height / 2


def boxes_of(graph: Graph) -> dict[str, Box]:
    """The boxes of all nodes. A node that one arrow alone leads to says in its box what the arrow means."""
    nodes = list(graph.nodes)
    names = [_lines(str(graph.nodes[node]["name"])) for node in nodes]
    says = [_said_of(graph, node) for node in nodes]
    sizes = np.array([_size(name, said, node == SELF) for name, said, node in zip(names, says, nodes, strict=True)])
    places = _apart(_spread(graph, nodes, sizes), sizes + _AIR, nodes.index(SELF) if SELF in nodes else None)
    return {
        node: Box(name, said, (float(place[0]), float(place[1])), float(size[0]), float(size[1]))
        for node, name, said, place, size in zip(nodes, names, says, places, sizes, strict=True)
    }


def _said_of(graph: Graph, node: str) -> tuple[str, ...]:
    arrows: list[Mapping[str, Any]] = [edge for _, _, edge in graph.in_edges(node, data=True)]
    return _lines(str(arrows[0]["predicate"])) if len(arrows) == 1 and node != SELF else ()


def _lines(text: str) -> tuple[str, ...]:
    return tuple(textwrap.wrap(shortened(" ".join(text.split()), _LONGEST), _WIDTH)) or ("?",)


def _size(name: tuple[str, ...], says: tuple[str, ...], person: bool) -> tuple[float, float]:
    scale = 1.4 if person else 1.0
    longest = max(max(map(_wide, name)) * scale, max(map(_wide, says), default=0) * 0.85)
    return longest * _LETTER + _PADDING, LINE * scale * len(name) + SMALL_LINE * len(says) + _PADDING


def _wide(line: str) -> float:
    return sum(1.0 if ord(sign) < 0x1100 else 1.8 for sign in line)  # Chinese signs and their like are square


def _spread(graph: Graph, nodes: list[str], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (n, 2), on a sheet some times as large as all boxes together: what is tied to the person stands around
    them, like by like, and springs draw the rest to where it belongs."""
    import networkx as nx

    tied: nx.Graph[str] = nx.Graph(graph.to_undirected())
    tied.add_node(SELF)
    for group in list(nx.connected_components(tied)):
        if SELF not in group:
            tied.add_edge(SELF, max(group, key=tied.degree))  # else it would drift away
    near = sorted(tied[SELF], key=lambda node: (_likeness(graph, node), nodes.index(node)))
    rings = 1 if len(near) <= _IN_ONE_RING else 2
    turn = 2 * pi / max(len(near), 1)
    start = {
        node: (r * cos(turn * i - pi), r * sin(turn * i - pi))
        for i, node in enumerate(near)
        for r in (1.0 if rings == 1 or i % 2 else _INNER,)
    } | {SELF: (0.0, 0.0)}
    for node in (each for each in nodes if each not in start):
        x, y = start[next((each for each in tied[node] if each in start), SELF)]
        start[node] = (1.3 * x, 1.3 * y)
    fixed = [SELF, *near]
    found = nx.spring_layout(tied, pos=start, fixed=fixed, seed=_SEED, iterations=60) if len(tied) > 1 else start
    places = np.array([found[node] for node in nodes], dtype=np.float64)
    area = float(np.prod(sizes + _AIR, axis=1).sum()) * _ROOM
    reach = sqrt(area / _WIDER) / 2
    return np.clip(places, -1.35, 1.35) * reach * np.array([_WIDER, 1.0])


def _likeness(graph: Graph, node: str) -> tuple[str, str]:
    """Sorts like by like: facts by predicate, then tastes."""
    arrows: list[Mapping[str, Any]] = [edge for _, _, edge in graph.in_edges(node, data=True)]
    return (str(arrows[0]["kind"]), str(arrows[0]["predicate"])) if arrows else ("", "")


def _apart(places: NDArray[np.float64], sizes: NDArray[np.float64], fixed: int | None) -> NDArray[np.float64]:
    """The places, moved as little as it takes for no two boxes to overlap; the `fixed` one stays."""
    nudge = np.random.default_rng(_SEED).normal(0, 1e-3, places.shape)  # two on one spot: which way?
    if fixed is not None:
        nudge[fixed] = 0
    found: Any = places + nudge
    need: Any = (sizes[:, None, :] + sizes[None, :, :]) / 2
    for _ in range(_ROUNDS):
        gap = found[:, None, :] - found[None, :, :]
        over = need - np.abs(gap)
        clash = (over > 1e-3).all(axis=2)
        np.fill_diagonal(clash, False)
        if not clash.any():
            break
        across = over[..., 0] < over[..., 1]  # the shorter way out
        push = np.stack([across, ~across], axis=2) * over * np.sign(gap) * clash[..., None]
        step = 0.3 * push.sum(axis=1)
        if fixed is not None:
            step[fixed] = 0
        found = found + step
    return found
