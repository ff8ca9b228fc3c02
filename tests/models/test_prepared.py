"""A folder of the cache: whole or not there, made once, whoever dies or comes at the same time."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memoria.models.prepared import prepared

KILLED = """
import os, signal, sys
from pathlib import Path
from memoria.models.prepared import prepared

def make(half):
    (half / "weights").write_text("ha")
    os.kill(os.getpid(), signal.SIGKILL)

prepared(Path(sys.argv[1]), make)
"""


def whole(half: Path) -> None:
    (half / "weights").write_text("whole")


def test_what_a_killed_process_left_is_cleared_and_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    assert subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False).returncode < 0
    assert not folder.exists()
    assert any(each.name.startswith("model.part-") for each in tmp_path.iterdir())
    assert (prepared(folder, whole) / "weights").read_text() == "whole"
    assert {each.name for each in tmp_path.iterdir()} == {"model", "model.lock"}


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fails(half: Path) -> None:
        whole(half)
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        prepared(tmp_path / "model", fails)
    assert {each.name for each in tmp_path.iterdir()} == {"model.lock"}


def test_many_at_once_make_it_once(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(half: Path) -> None:
        made.append(half)
        whole(half)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: prepared(tmp_path / "model", make), range(12)))
    assert len(made) == 1
