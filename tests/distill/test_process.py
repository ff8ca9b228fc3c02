"""The process apart: its result, its errors, its memory, and that it dies with whoever asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock
from tiny import make_tiny

from memoria.distill.process import LOCK, perform_apart
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.records import Dataset, Pair
from memoria.distill.task import Arm, Task
from memoria.errors import InvalidInput, TrainingFailed

pytestmark = pytest.mark.slow

PAIRS = tuple(
    Pair(kind="edit", prompt=f"seat {n}?", chosen="window", rejected="aisle!", group=str(n), split=split)
    for n, split in enumerate(["train", "held_out"] * 4)
)
DATA = Dataset(tenant="default", user="ana", pairs=PAIRS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny(tmp_path_factory.mktemp("tiny")))


def task(place: str, folder: Path, *, steps: int = 5, data: Dataset = DATA) -> Task:
    recipe = Recipe(name="test", stages=(Stage(steps=steps, batch=4, rate=0.01),))
    return Task(does="train", data=data, place=place, base="tiny", recipe=recipe, folder=str(folder))


def test_it_trains_and_measures(place: str, tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    made = perform_apart(task(place, tmp_path / "a"), memory_mb=2500, cache_dir=tmp_path / "c", heard=heard.append)
    assert made.trained is not None
    assert [each["step"] for each in heard if "step" in each] == [1, 2, 3, 4, 5]
    arms = (Arm(name="base"), Arm(name="own", adapter=str(tmp_path / "a")), Arm(name="told", system="Window!"))
    asked = Task(does="measure", data=DATA, place=place, base="tiny", arms=arms)
    measured = perform_apart(asked, memory_mb=2500, cache_dir=tmp_path / "c").measures
    assert {name: len(each.margins) for name, each in measured.items()} == {"base": 4, "own": 4, "told": 4}
    assert measured["own"].chosen is not None
    assert measured["base"].chosen is not None
    assert measured["own"].chosen < measured["base"].chosen != measured["told"].chosen
    assert measured["base"].plain == measured["told"].plain


def test_what_it_raises_arrives(place: str, tmp_path: Path) -> None:
    empty = Dataset(tenant="default", user="ana")
    with pytest.raises(InvalidInput, match="nothing to learn from"):
        perform_apart(task(place, tmp_path / "a", data=empty), memory_mb=2500, cache_dir=tmp_path)
    with pytest.raises(TrainingFailed, match=r"more than 200 MB.*memory_mb"):
        perform_apart(task(place, tmp_path / "a"), memory_mb=200, cache_dir=tmp_path)


def test_a_cache_that_cannot_be_locked_is_named(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingFailed, match=r"training\.lock.*Not a directory.*MEMORIA_CACHE"):
        perform_apart(task(place, tmp_path / "a"), memory_mb=2500, cache_dir=tmp_path / "file" / "c")
    (tmp_path / LOCK).mkdir()
    with pytest.raises(TrainingFailed, match=r"training\.lock.*directory.*MEMORIA_CACHE"):
        perform_apart(task(place, tmp_path / "a"), memory_mb=2500, cache_dir=tmp_path)


def test_what_a_library_prints_is_not_taken_for_an_answer(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy = """
        import os, sys
        class Noisy:
            def find_spec(self, name, *_):
                if name == "torch":
                    print("Welcome!", flush=True)
                    os.write(1, b"Again: ")
        sys.meta_path.insert(0, Noisy())
    """
    (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(noisy))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    asked = Task(does="measure", data=DATA, place=place, base="tiny", arms=())
    assert perform_apart(asked, memory_mb=2500, cache_dir=tmp_path / "c").measures == {}


def test_whoever_hears_may_end_it(place: str, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def heard(facts: dict[str, Any]) -> None:
        if facts.get("step") == 2:
            raise Stop

    before = set(psutil.Process().children())
    with pytest.raises(Stop):
        perform_apart(task(place, tmp_path / "a", steps=100_000), memory_mb=2500, cache_dir=tmp_path, heard=heard)
    assert set(psutil.Process().children()) <= before
    with FileLock(tmp_path / LOCK, timeout=5):  # the machine is free again
        pass


def test_one_training_at_a_time_has_the_machine(place: str, tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    lock = FileLock(tmp_path / LOCK)
    lock.acquire()

    def hears(facts: dict[str, Any]) -> None:
        heard.append(facts)
        if facts.get("waiting"):
            lock.release()  # without effect the second time

    perform_apart(task(place, tmp_path / "a"), memory_mb=2500, cache_dir=tmp_path, heard=hears)
    assert {"waiting": True} in heard[:2]
    assert [each["step"] for each in heard if "step" in each][-1] == 5


def test_it_dies_with_its_parent(place: str, tmp_path: Path) -> None:
    asked = task(place, tmp_path / "a", steps=1_000_000).model_dump_json()
    script = f"""
        from memoria.distill.process import perform_apart
        from memoria.distill.task import Task
        from pathlib import Path
        import sys
        task = Task.model_validate_json(sys.stdin.read())
        told = lambda said: print(said, flush=True)
        perform_apart(task, memory_mb=2500, cache_dir=Path({str(tmp_path)!r}), heard=told)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdin as stdin, parent.stdout as stdout:
        stdin.write(asked)
        stdin.close()
        while "step" not in (line := stdout.readline()):
            assert line, "it ended"
        child = psutil.Process(parent.pid).children()[0]
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 60
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
