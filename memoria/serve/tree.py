"""A person's knowledge graph as a tree for a terminal.

What enters: the graph that `graphs.named` readies. What leaves: a rich tree: the person, what is believed of them by
predicate, and under each entity what is believed of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from memoria.extract.proposals import SELF

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.MultiDiGraph[str]


def show_tree(graph: Graph, user: str) -> RenderableType:
    """The graph from the person outwards; each entity is opened where it first stands."""
    if not graph.number_of_edges():
        return Text("Nothing is believed yet.")
    root = Tree(Text(user, style="bold"), guide_style="dim")
    opened: set[str] = set()
    if SELF in graph:
        _grow(graph, SELF, root, opened)
    for node in list(graph.nodes):  # what hangs together with nothing of the person's
        if node not in opened and graph.out_degree(node) and not graph.in_degree(node):
            _grow(graph, node, root.add(Text(graph.nodes[node]["name"], style="bold")), opened)
    return root


def _grow(graph: Graph, node: str, branch: Tree, opened: set[str]) -> None:
    opened.add(node)
    edges = sorted(graph.out_edges(node, data=True), key=lambda edge: str(edge[2]["predicate"]))
    for _, target, edge in edges:
        label = Text.assemble((f"{edge['predicate']} ", "cyan"), graph.nodes[target]["name"])
        if not edge["current"]:
            label.append(f" (until {str(edge['valid_to'])[:10]})" if edge["valid_to"] else " (no longer)", style="dim")
        elif edge["needs_confirmation"]:
            label.append(" (may have changed)", style="yellow")
        grown = branch.add(label)
        if target not in opened and graph.out_degree(target):
            _grow(graph, target, grown, opened)
