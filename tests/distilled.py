"""A person whose preferences even hashed embeddings tell apart, and a language model that is none.

What enters: a Memory. What leaves: its settings; what the event log says was promoted; a `Perform` in the place of a
process with a language model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text

from memoria import Memory
from memoria.distill.measure import Measures
from memoria.distill.process import Heard
from memoria.distill.records import Trained
from memoria.distill.task import Result, Task
from memoria.settings import DistilSettings, GateSettings

LIKES = ["I love jazz.", "I love tea.", "I love hiking.", "I love trains.", "I love painting."]


def distil_settings(*kinds: Any, **more: Any) -> DistilSettings:
    """Nothing here asks a language model unless `kinds` hold "adapter"."""
    values: dict[str, Any] = {"kinds": kinds or ("head",), "card_by": "head", "gate": GateSettings(pairs=10)}
    return DistilSettings(**values | more)


def promotions(memory: Memory) -> list[tuple[int, str]]:
    """Each promotion in the event log: whose (the scope's number), and of what."""
    query = text("SELECT scope_id, json_extract(detail, '$.name') FROM event WHERE kind = 'promote' ORDER BY id")
    with memory._ledger.read() as connection:
        return [(row[0], row[1]) for row in connection.execute(query)]


def statuses(memory: Memory, user: str = "ana") -> list[tuple[str, str]]:
    return [(each.id, each.status) for each in memory.adapters(user=user)]


def pretend(task: Task, heard: Heard | None) -> Result:
    """Train nothing, and find that it became better by it."""
    if task.does == "train":
        assert task.folder is not None
        (Path(task.folder) / "adapter_model.safetensors").write_bytes(b"weights")
        (Path(task.folder) / "adapter_config.json").write_text("{}")
        if heard is not None:
            heard({"step": 1, "steps": 1, "loss": 2.0})
        return Result(trained=Trained(steps=1, seconds=0.0, peak_mb=1.0, tokens=8))
    pairs = task.data.pairs_of("held_out")
    groups = tuple(each.group for each in pairs)
    return Result(
        measures={
            arm.name: Measures(margins=(1.0 if arm.adapter else -1.0,) * len(pairs), groups=groups, chosen=2.0)
            for arm in task.arms
        }
    )
