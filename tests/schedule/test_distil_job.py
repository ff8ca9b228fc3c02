"""The jobs `distil` and `rebuild` by a worker, up to a training in a process apart."""

from __future__ import annotations

import threading
import time as clock
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import DIMENSION
from distilled import LIKES, distil_settings, promotions, statuses
from memoria_graphs.jobs import ACTIONS, distil_action, rebuild_action, trainer_of
from tiny import make_tiny

from memoria import HashEmbeddings, Memory, Settings
from memoria.errors import TrainingFailed
from memoria.schedule import Action, Jobs, RunRecord, Worker
from memoria.schedule.config import jobs_of
from memoria.settings import DistilSettings, GateSettings

KEYS = {"retries": 0, "backoff": 0, "budget": {"seconds": 600}}
ANY = GateSettings(pairs=10, gain=0, keep=1, confidence=0.51, chosen=1e6, chat=1e6, plain=1e6)


class Homes:
    """Opens the test's home, and jobs over it."""

    def __init__(self, home: Path, settings: Settings, opened: ExitStack) -> None:
        self.home, self.settings, self.opened = home, settings, opened

    def memory(self, distil: DistilSettings, **more: Any) -> Memory:
        settings = self.settings.model_copy(update={"distil": distil, **more})
        memory = self.opened.enter_context(Memory(self.home, embeddings=HashEmbeddings(DIMENSION), settings=settings))
        if not memory.users():
            for user in ("ana", "bo"):
                memory.remember(LIKES, user=user, session="s")
        return memory

    def jobs(self, memory: Memory, actions: Mapping[str, Action] = ACTIONS, **worker: Any) -> Jobs:
        each = {"distil": KEYS | {"interval": "1d"}, "rebuild": KEYS | {"interval": "10m", "per": "home"}}
        config = jobs_of({"worker": worker, "jobs": each}, "test_distil_job.py")
        return self.opened.enter_context(Jobs(memory, config=config, actions=actions))


@pytest.fixture
def homes(home: Path, settings: Settings) -> Iterator[Homes]:
    with ExitStack() as opened:
        yield Homes(home, settings, opened)


def run(jobs: Jobs, name: str, user: str | None = None) -> RunRecord:
    (made,) = Worker(jobs).run_now(name, user=user)
    return made


def test_a_person_is_distilled_once_and_then_skipped(homes: Homes) -> None:
    memory = homes.memory(distil_settings())
    jobs = homes.jobs(memory)
    assert [each.outcome for each in Worker(jobs).run_now("distil")] == ["promoted head-1"] * 2
    again = run(jobs, "distil", "ana")
    assert (again.state, (again.outcome or "")[:18]) == ("done", "too little changed")
    assert promotions(memory) == [(1, "head-1"), (2, "head-1")]


def test_the_rebuilder_makes_anew_just_what_is_owed(homes: Homes) -> None:
    memory = homes.memory(distil_settings())
    jobs = homes.jobs(memory)
    Worker(jobs).run_now("distil")
    assert run(jobs, "rebuild").outcome == "nobody is owed a rebuild"
    memory.forget(user="bo", ids=[memory.beliefs(user="bo", about="jazz")[0].id])
    assert run(jobs, "rebuild").outcome == "1 promoted"
    assert (statuses(memory), memory.owed()) == ([("head-1", "serving")], [])
    assert statuses(memory, "bo") == [("head-1", "quarantined"), ("head-2", "serving")]


def test_nobody_is_taken_for_another_whose_names_read_alike(homes: Homes) -> None:
    memory = homes.memory(distil_settings())
    jobs = homes.jobs(memory)
    people = [{"tenant": "a/b", "user": "c"}, {"tenant": "a", "user": "b/c"}]
    for whose in people:
        memory.remember(LIKES, session="s", **whose)
        memory.distill(**whose)
        memory.forget(ids=[memory.beliefs(about="jazz", **whose)[0].id], **whose)
    assert run(jobs, "rebuild").outcome == "2 promoted"
    assert [memory.adapters(**whose)[-1].status for whose in people] == ["serving"] * 2


def test_who_cannot_be_rebuilt_holds_up_nobody_else(homes: Homes) -> None:
    memory = homes.memory(distil_settings())
    Worker(homes.jobs(memory)).run_now("distil")
    for user in ("ana", "bo"):
        memory.forget(user=user, ids=[memory.beliefs(user=user, about="jazz")[0].id])

    def trainer(memory: Memory, run: Any) -> Any:
        made = trainer_of(memory, run)

        class Picky(type(made)):  # type: ignore[misc]
            def train(self, sources: Any) -> Any:
                if sources.user == "ana":
                    raise TrainingFailed("the disk is full")
                return super().train(sources)

        return Picky(memory, heard=made.heard, also=made.also)

    failed = run(homes.jobs(memory, {"distil": distil_action(), "rebuild": rebuild_action(trainer)}), "rebuild")
    assert (failed.state, statuses(memory, "bo")[-1]) == ("failed", ("head-2", "serving"))
    assert "1 could not be distilled, the first because: the disk is full (1 promoted)" in (failed.error or "")
    assert [each.user for each in memory.owed()] == ["ana"]


def tiny(folder: Path, steps: int) -> dict[str, Any]:
    """Settings by which a tiny model is trained for so many steps, and whatever is a bit better may serve."""
    (folder / "configs" / "distil").mkdir(parents=True)
    recipe = f"stages: [{{steps: {steps}, batch: 8, rate: 0.01, replay: 0}}]\n"
    (folder / "configs" / "distil" / "quick.yaml").write_text(recipe)
    model = str(make_tiny(folder / "tiny"))
    distil = distil_settings("head", "adapter", model=model, recipe="quick", gate=ANY, memory_mb=4000)
    return {"distil": distil, "folder": folder / "configs"}


@pytest.mark.slow
def test_an_adapter_is_trained_judged_and_serves(homes: Homes, tmp_path: Path) -> None:
    memory = homes.memory(**tiny(tmp_path, steps=5))
    jobs = homes.jobs(memory)
    assert run(jobs, "distil", "ana").outcome == "promoted head-1, lora-1"
    lora = memory.adapter("lora-1", user="ana")
    assert lora.permit.may
    assert lora.adapter.figures["trained"]["steps"] == 5
    assert lora.adapter.verdict is not None
    assert {"right", "base right", "chat", "base chat"} <= lora.adapter.verdict.figures.keys()
    assert (run(jobs, "distil", "ana").outcome or "").startswith("too little changed")


@pytest.mark.slow
def test_who_stops_a_worker_ends_its_training_and_the_next_goes_on(homes: Homes, tmp_path: Path) -> None:
    memory = homes.memory(**tiny(tmp_path, steps=1_000_000))
    jobs = homes.jobs(memory, stop_within="60s")
    worker = Worker(jobs)

    def stop() -> None:
        while not any("memoria.distill.worker" in _command(each) for each in psutil.Process().children()):
            clock.sleep(0.05)
        worker.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    (made,) = worker.run_now("distil", user="ana")
    stopper.join()
    assert [each.ended for each in made.attempts] == ["released"]
    assert not [each for each in psutil.Process().children() if "memoria.distill.worker" in _command(each)]
    assert statuses(memory) == [("head-1", "candidate")]
    recipe = tmp_path / "configs" / "distil" / "quick.yaml"
    recipe.write_text(recipe.read_text().replace("1000000", "5"))
    people = [each for each in memory.users() if each.user == "ana"]
    (made,) = Worker(jobs).run_for("distil", people)
    assert (made.outcome, len(made.attempts)) == ("promoted head-1, lora-1", 2), "the same run was gone on with"
    assert sorted(promotions(memory)) == [(1, "head-1"), (1, "lora-1")]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
