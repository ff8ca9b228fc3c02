"""A task on a node, without Ray: what it sends back, and what it leaves there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tiny import make_tiny

from memoria.distill.ray_perform import Parcel, work
from memoria.distill.records import Dataset
from memoria.distill.task import Result, Task


@pytest.mark.slow
def test_a_node_clears_up_after_itself_and_who_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(make_tiny(tmp_path / "tiny"))
    (tmp_path / "node").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "node"))
    with subprocess.Popen([sys.executable, "-c", ""]) as killed:
        killed.wait()
    for number in (killed.pid, os.getpid()):
        (tmp_path / "node" / f"memoria-node-{number}-x").mkdir()
    task = Task(does="measure", data=Dataset(tenant="default", user="ana"), place="elsewhere", base="tiny", arms=())
    result, files = work(Parcel(task.model_dump_json(), {}, place))
    assert (Result.model_validate(result), files) == (Result(), {})
    assert [each.name for each in (tmp_path / "node").iterdir()] == [f"memoria-node-{os.getpid()}-x"]
