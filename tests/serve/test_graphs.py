"""A graph as GraphML, Mermaid, JSON and a picture; whatever people write in it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest

from memoria import Memory
from memoria.serve.graphs import escaped, named, to_graphml, to_mermaid
from memoria.serve.layout import boxes_of
from memoria.serve.picture import draw

Cli = Callable[..., tuple[int, str, str]]
OF = ("--user", "ana")
AWKWARD = [
    '"]; click n0 "javascript:x',
    "<script>alert(1)</script>",
    "%%{init: {}}%%",
    "a\x00b\u202ec & $x^2$ `**x**`",
    "東京",
]


def graph_of(memory: Memory, values: list[str]) -> nx.MultiDiGraph:
    for number, value in enumerate(values):
        memory.believe(f"thing {number}", value, user="ana")
    return named(memory.graph(user="ana"), "ana")


def test_json(ana: Cli) -> None:
    code, shown, _ = ana("graph", *OF, "--format", "json")
    graph = json.loads(shown)
    assert code == 0
    assert {"id": "user", "name": "ana"} in graph["nodes"]
    edges = {each["statement"]: each for each in graph["edges"]}
    porto = edges["user lives in Porto"]
    assert (porto["source"], porto["target"], porto["current"]) == ("user", "porto", False)
    assert (porto["valid_from"], porto["valid_to"]) == ("2025-01-12T09:00:00+00:00", "2025-06-13T09:00:00+00:00")
    assert edges["user lives in Lisbon"]["id"] in ana("beliefs", *OF, "--json")[1]
    current = json.loads(ana("graph", *OF, "--format", "json", "--current")[1])
    assert "user lives in Porto" not in {each["statement"] for each in current["edges"]}


def test_graphml_loads_again(memory: Memory) -> None:
    graph = graph_of(memory, AWKWARD)
    again = nx.parse_graphml(to_graphml(graph), force_multigraph=True)
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert set(again.edges(keys=True)) == set(graph.edges(keys=True))
    assert {e["statement"] for *_, e in again.edges(data=True)} == {e["statement"] for *_, e in graph.edges(data=True)}


def test_mermaid_holds_nothing_that_people_wrote_as_a_mark(memory: Memory) -> None:
    lines = to_mermaid(graph_of(memory, AWKWARD)).splitlines()
    assert lines[0] == "flowchart LR"
    assert len(lines) == 1 + 6 + 5, "a line a node and an edge: no text broke out of its own"
    assert '    n0["ana"]' in lines
    for line in lines[1:]:
        assert line.count('"') == 2
        assert not set("<>`%{}") & set(line.replace("-->", ""))
    assert escaped('a "b" #1;') == "a #34;b#34; #35;1#59;"


def test_retired_beliefs_are_dotted_in_mermaid(ana: Cli) -> None:
    shown = ana("graph", *OF)[1]
    assert '-.->|"home until 2025-06-13"|' in shown
    assert '-->|"likes"|' in shown


def test_a_picture_is_written(ana: Cli, tmp_path: Path) -> None:
    code, shown, _ = ana("graph", *OF, "--png", tmp_path / "ana.png")
    assert (code, shown) == (0, f"4 beliefs are drawn in {tmp_path / 'ana.png'}.\n")
    data = (tmp_path / "ana.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert min(struct.unpack(">II", data[16:24])) > 400
    code, shown, _ = ana("graph", *OF, "--png", tmp_path / "ana.png", "--format", "json")
    assert len(json.loads(shown)["edges"]) == 4, "what is printed stays readable for a program"


def test_whatever_people_write_can_be_drawn(memory: Memory) -> None:
    assert draw(graph_of(memory, AWKWARD), "ana $1$").startswith(b"\x89PNG")


def test_no_boxes_overlap(memory: Memory) -> None:
    words = ["swimming every Tuesday evening at the pool by the river", "tea", "a dog that barks at buses"]
    boxes = boxes_of(graph_of(memory, [f"{words[n % 3]} {n}" for n in range(60)]))
    assert boxes["user"].centre == (0.0, 0.0)
    for one, other in combinations(boxes.values(), 2):
        apart = [one.high[i] <= other.low[i] or other.high[i] <= one.low[i] for i in (0, 1)]
        assert any(apart), (one.name, other.name)


def test_without_matplotlib_the_error_names_the_extra(
    ana: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    code, _, error = ana("graph", *OF, "--png", tmp_path / "ana.png")
    assert (code, "memoria-lifelong[picture]" in error, error.count("\n")) == (2, True, 1)
    assert not (tmp_path / "ana.png").exists()


def test_an_empty_graph_is_not_drawn(memory: Memory) -> None:
    memory.remember("Hello there", user="ana")
    with pytest.raises(ValueError, match="Nothing is believed of ana"):
        draw(named(memory.graph(user="ana"), "ana"), "ana")
