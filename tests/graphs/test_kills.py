"""Each graph, killed between any two nodes and inside what writes, goes on to the end of an unkilled run.

`tests/graph_kills.py` kills and goes on; here the ends are compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "graph_kills.py"
NODES = {
    "conversation": ["recall", "respond", "remember"],
    "reflection": ["gather", "consolidate", "verify", "commit"],
    "approved": ["gather", "consolidate", "verify", "approve", "approve", "commit"],
    "distillation": ["select", "build", "train", "gate", "approve", "approve", "promote"],
}


@pytest.mark.slow
@pytest.mark.parametrize("graph", NODES)
def test_killed_anywhere_it_goes_on_to_the_same_end(graph: str, tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(SCRIPT.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(tmp_path), graph]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    (_, whole), *killed = [json.loads(line) for line in done.stdout.splitlines()]
    boundaries: list[str] = whole.pop("boundaries")
    assert boundaries == [f"{side} {node}" for node in NODES[graph] for side in ("before", "after")]
    assert whole["faults"] == []
    assert _came_to_something(graph, whole)
    assert [place for place, _ in killed][: len(boundaries)] == boundaries
    for number, (place, end) in enumerate(killed):
        ran = end.pop("boundaries")
        assert ran == boundaries[-len(ran) :] if ran else place == boundaries[-1], f"{place}: {ran}"
        if place.startswith("before") and number:
            assert len(ran) < len(boundaries), f"{place}: what was done was done again"
        assert end == whole, place


def _came_to_something(graph: str, end: dict[str, Any]) -> bool:
    """Whether the run did what it is for, so that two equal ends say something."""
    state = end["state"]
    if graph == "conversation":
        told = [each["text"] for each in end["episodes"]][-2:]
        return told == ["I moved to Braga. What music do I love?", "Fado, of course."] and bool(state["profile"])
    if graph == "distillation":
        return state["outcome"] == "promoted" and [end["trainer"]["serving"]] == state["served"]
    merged = [each["name"] for each in state["draft"]["duplicates"]]
    return state["outcome"] == "committed" and len(end["profiles"]) == 2 and merged == ["Ze Silva"]
