"""Forty people distilled with two nodes of a Ray cluster, of which one worker is killed in the middle."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import DIMENSION
from distilled import LIKES, distil_settings, promotions
from memoria_graphs.many import distil_many
from tiny import make_tiny

from memoria import HashEmbeddings, InvalidInput, Memory, Settings
from memoria.distill.ray_perform import on_ray
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.records import Dataset
from memoria.distill.task import Task
from memoria.distill.train import STATE
from memoria.errors import LeaseLost, ModelUnavailable
from memoria.models.adapter_files import WEIGHTS
from memoria.settings import GateSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:.*accelerator visible devices.*:FutureWarning"),  # Ray's own, of an upgrade
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves its processes' pipes to the garbage collector
]

PEOPLE = 40
ANY = GateSettings(pairs=10, gain=0, keep=1, confidence=0.51, chosen=1e6, chat=1e6, plain=1e6, swapped=0)


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    """A cluster of two nodes, each with one processor, all on this machine."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    head = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    """Settings by which a tiny model is trained in a moment, and whatever is a bit better may serve."""
    (tmp_path / "configs" / "distil").mkdir(parents=True)
    quick = "stages: [{steps: 5, batch: 8, rate: 0.01, replay: 0}]\n"
    (tmp_path / "configs" / "distil" / "quick.yaml").write_text(quick)
    model = str(make_tiny(tmp_path / "tiny"))
    distil = distil_settings("head", "adapter", model=model, recipe="quick", gate=ANY)
    return Settings(cache_dir=tmp_path / "cache", folder=tmp_path / "configs", distil=distil)


class Killer(threading.Thread):
    """Kills a worker of Ray's by SIGKILL once it is at a task and some people are done."""

    def __init__(self, memory: Memory, after: int) -> None:
        super().__init__(daemon=True)
        self.memory, self.after = memory, after
        self.killed: str | None = None

    def run(self) -> None:
        while self.killed is None:
            time.sleep(0.05)
            if len(promotions(self.memory)) >= self.after:
                self._kill_one()

    def _kill_one(self) -> None:
        for each in psutil.Process().children(recursive=True):
            try:
                title = " ".join(each.cmdline())
                if title.startswith("ray::memoria"):
                    each.kill()
                    self.killed = title
                    return
            except psutil.NoSuchProcess:
                continue


def test_each_is_promoted_exactly_once_though_a_worker_is_killed(address: str, home: Path, small: Settings) -> None:
    with Memory(home, embeddings=HashEmbeddings(DIMENSION), settings=small) as memory:
        for number in range(PEOPLE):
            memory.remember(LIKES, user=f"user-{number}", session="s")
        killer = Killer(memory, after=20)
        killer.start()
        runs = distil_many(memory, memory.users(), executor="ray", address=address)
        killer.join(timeout=1)
        assert killer.killed, "nothing was killed"
        assert Counter((each.state, each.outcome, each.error) for each in runs) == {
            ("done", "promoted head-1, lora-1", None): PEOPLE
        }
        assert Counter(promotions(memory)) == {
            (number, name): 1 for number in range(1, PEOPLE + 1) for name in ("head-1", "lora-1")
        }
        for scope in memory.users():
            assert [each.status for each in memory.adapters(user=scope.user)] == ["serving", "serving"]
        assert memory.verify() == []


def test_errors_of_a_node_arrive_and_who_hears_may_end_a_task(address: str, small: Settings, tmp_path: Path) -> None:
    recipe = Recipe(name="endless", stages=(Stage(steps=1_000_000),))
    assert small.distil.model is not None
    empty = Dataset(tenant="default", user="ana")
    task = Task(
        does="train", data=empty, place="elsewhere", base="tiny", recipe=recipe, folder=str(tmp_path / "a"), threads=1
    )

    def lost(_: dict[str, Any]) -> None:
        if places():
            raise LeaseLost("another worker has it")

    def places() -> list[Path]:
        return list(Path(tempfile.gettempdir()).glob("memoria-node-*"))

    with on_ray(small, address=address) as (perform, at_once):
        assert at_once == 2
        with pytest.raises(InvalidInput, match="nothing to learn from"):
            perform(task, None)
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / STATE).write_bytes(b"of a training on this machine")
        quick = recipe.model_copy(update={"stages": (Stage(steps=1),)})
        perform(task.model_copy(update={"data": _some(), "recipe": quick}), None)
        assert WEIGHTS in {each.name for each in (tmp_path / "a").iterdir()}
        assert not (tmp_path / "a" / STATE).exists()
    with on_ray(small, address=address) as (perform, _), pytest.raises(LeaseLost):
        perform(task.model_copy(update={"data": _some()}), lost)
    assert places() == [], "a node keeps something of a person"


def test_without_a_cluster_it_says_so(small: Settings) -> None:
    with (
        pytest.raises(ModelUnavailable, match=r"no Ray cluster at 127\.0\.0\.1:1 "),
        on_ray(small, address="127.0.0.1:1"),
    ):
        pass


def _some() -> Dataset:
    with_pairs: Any = {
        "kind": "edit",
        "prompt": "Which seat?",
        "chosen": "The window.",
        "rejected": "The aisle.",
        "group": "seat",
    }
    return Dataset.model_validate({"tenant": "default", "user": "ana", "pairs": [with_pairs]})
