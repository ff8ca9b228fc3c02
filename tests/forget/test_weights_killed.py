"""Killed while it forgets, or while one is added: nothing made of what is forgotten serves, nothing is half there."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest
from adapting import WORD, add, fill, folders, statuses, traces
from conftest import DIMENSION, Clock

from memoria import HashEmbeddings, Memory, Settings
from memoria.records import Receipt

KILLED = f"""
    import os, signal, sys
    import memoria.distill.registry as registry, memoria.distill.sweep as sweep, memoria.forget.eraser as eraser
    import memoria.store.adapters as adapters
    from memoria import HashEmbeddings, Memory
    from memoria.store.adapter_files import AdapterFiles
    from memoria.store.ledger import Ledger

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    def remove_one(self, folder):
        next((self._home / folder).iterdir()).unlink()
        die()

    def put(self, made, number, before=AdapterFiles.put):
        before(self, made, number)
        die()

    memory = Memory(sys.argv[1], embeddings=HashEmbeddings({DIMENSION}))
    point = sys.argv[2]
    if point == "quarantining":
        adapters.quarantine = die
    elif point == "erased":
        eraser.finish = die
    elif point == "removing":
        AdapterFiles.remove = remove_one
    elif point == "removed":
        adapters.emptied = die
    elif point == "swept":
        Ledger.empty_log = die
    elif point == "sealed":
        Ledger.write = die
    elif point == "put":
        AdapterFiles.put = put
"""
FORGET = f"""
    memory.forget(user="ana", query="{WORD}")
"""
ADD = """
    sys.path.insert(0, sys.argv[3])
    from adapting import add
    add(memory, words="cashews")
"""


def killed(home: Path, point: str, act: str) -> None:
    """Do `act` in a process of its own that is killed at `point`."""
    script = textwrap.dedent(KILLED) + textwrap.dedent(act)
    command = [sys.executable, "-c", script, str(home), point, str(Path(__file__).parents[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("weights") / "home"
    with Memory(home, embeddings=HashEmbeddings(DIMENSION), settings=Settings(), clock=Clock()) as memory:
        fill(memory)
    return home


def opened(home: Path) -> Memory:
    clock = Clock()
    clock.now += timedelta(days=1)
    return Memory(home, embeddings=HashEmbeddings(DIMENSION), settings=Settings(), clock=clock)


@pytest.mark.parametrize("point", ["quarantining", "erased", "removing", "removed", "swept"])
def test_killed_while_it_forgets_nothing_of_it_is_served(point: str, planted: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(planted, tmp_path / "killed"))
    killed(home, point, FORGET)
    with opened(home) as memory:
        if point == "quarantining":  # the unit of work was undone: nothing is forgotten, all goes on
            assert statuses(memory)["lora-2"] == "serving"
            assert isinstance(memory.forget(user="ana", query=WORD), Receipt)
        assert statuses(memory) == {"lora-1": "serving", "lora-2": "quarantined", "card-1": "quarantined"}
        assert memory.serving("card", user="ana") is None
        assert folders(memory) == ["1"]
        assert memory.verify() == []
        assert memory.verify_forgotten() == []
    assert traces(home) == []


@pytest.mark.parametrize("point", ["sealed", "put"])
def test_killed_while_one_is_added_it_is_not_there_at_all(point: str, planted: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(planted, tmp_path / "killed"))
    killed(home, point, ADD)
    left = {"sealed": [".making", "1", "2", "3"], "put": [".making", "1", "2", "3", "4"]}
    assert sorted(each.name for each in (home / "adapters").iterdir()) == left[point]
    with opened(home) as memory:
        assert folders(memory) == ["1", "2", "3"]
        assert list((home / "adapters" / ".making").iterdir()) == []
        assert memory.verify() == []
        assert add(memory).folder == "adapters/4"
        assert memory.verify() == []
