"""A person's knowledge graph in the languages that other tools read: GraphML, Mermaid, JSON.

What enters: the graph that `Memory.graph` gives. What leaves: text. What people wrote goes in as they wrote it, but for
what would be read as the language's own marks.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from memoria.clock import from_micros
from memoria.extract.proposals import SELF

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.MultiDiGraph[str]

_LONGEST = 60  # characters of a label
# What XML 1.0 cannot hold at all, and what would turn the direction of the text around it.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_PLAIN = " .,'!?-()/:"  # what stands in a Mermaid label as it is, beside letters and digits


def named(graph: Graph, user: str, *, current: bool = False) -> Graph:
    """The graph ready to be written: the person under their own name, times as ISO 8601, no unprintable signs; with
    `current` without what is so no longer."""
    import networkx as nx

    ready: Graph = nx.MultiDiGraph()
    for source, target, key, edge in graph.edges(keys=True, data=True):
        if current and not edge["current"]:
            continue
        for node in (source, target):
            name = user if node == SELF else str(graph.nodes[node]["name"])
            ready.add_node(_clean(node), name=_clean(name))
        values = {name: _clean(value) if isinstance(value, str) else value for name, value in edge.items()}
        values |= {name: _iso(edge[name]) for name in ("valid_from", "valid_to")}
        ready.add_edge(_clean(source), _clean(target), key=key, **values)
    return ready


def to_graphml(graph: Graph) -> str:
    """GraphML, which networkx, Gephi, yEd and Cytoscape read. An edge's id is its belief's."""
    import networkx as nx

    return "\n".join(nx.generate_graphml(graph))


def to_json(graph: Graph) -> str:
    """`{"nodes": [{id, name}], "edges": [{id, source, target, …}]}`."""
    nodes = [{"id": node, **values} for node, values in graph.nodes(data=True)]
    edges = [
        {"id": key, "source": source, "target": target, **values}
        for source, target, key, values in graph.edges(keys=True, data=True)
    ]
    return json.dumps({"nodes": nodes, "edges": edges}, ensure_ascii=False, indent=2)


def to_mermaid(graph: Graph) -> str:
    """A Mermaid flowchart, which GitHub draws: current beliefs as whole arrows, retired ones dotted."""
    places = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    lines += [f'    {places[node]}["{escaped(values["name"])}"]' for node, values in graph.nodes(data=True)]
    for source, target, edge in graph.edges(data=True):
        arrow = "-->" if edge["current"] else "-.->"
        lines.append(f'    {places[source]} {arrow}|"{escaped(_label(edge))}"| {places[target]}')
    return "\n".join(lines)


def escaped(text: str) -> str:
    """`text` as a Mermaid label: every sign that Mermaid, or the page around it, might read is written as a number."""
    flat = shortened(" ".join(text.split()), _LONGEST)
    return "".join(sign if sign.isalnum() or sign in _PLAIN or ord(sign) > 127 else f"#{ord(sign)};" for sign in flat)


def shortened(text: str, most: int) -> str:
    """`text`, cut with a mark where it has more than `most` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _label(edge: dict[str, Any]) -> str:
    until = f" until {edge['valid_to'][:10]}" if not edge["current"] and edge["valid_to"] else ""
    return f"{edge['predicate']}{until}"


def _iso(micros: int | str) -> str:
    return from_micros(micros).isoformat() if isinstance(micros, int) else ""


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("", text)
