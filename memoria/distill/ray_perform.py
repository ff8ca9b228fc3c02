"""The work with a language model, on the nodes of a Ray cluster instead of in a process apart.

What enters: a task, from any thread of the process that has the memory open. What leaves: its result, and the files of
what was trained. A node needs memoria and the base model, and nothing of the home: the ledger is opened on one machine,
which alone decides what serves. A node that dies has its task done by another. A person's words travel in Ray's
messages and lie in a node's memory while it works, as the files of an adapter do in its temporary folder; what a
killed worker left there goes with the node's next task.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from memoria.distill.base import base_of
from memoria.distill.process import Heard, Perform
from memoria.distill.task import Result, Task, perform
from memoria.errors import MemoriaError, ModelUnavailable, TrainingFailed
from memoria.settings import DistilSettings, Settings

Files = dict[str, bytes]

_LOOK_EVERY, _REACH_WITHIN, _END_WITHIN = 1.0, 10.0, 10.0  # seconds
_PLACE = "memoria-node-"  # then the number of the process that works there
_NO_CLUSTER = "There is no Ray cluster at {} ({}); see there: ray status"
_NO_RAY = 'Ray is missing; install it with: pip install "memoria-lifelong[distil,ray]"'


@dataclass(frozen=True)
class Parcel:
    """A task for another machine: `files` of each arm's adapter, by the arm's name; `model` as in the settings."""

    task: str
    files: dict[str, Files]
    model: str | None


@contextmanager
def on_ray(settings: Settings, *, address: str | None = None, retries: int = 3) -> Generator[tuple[Perform, int]]:
    """What does tasks on the cluster at `address` (None: one of this machine, begun for it), and how many it can do at
    once: a task takes `distil.threads` processors. Raises `ModelUnavailable`."""
    ray = _ray()
    begun = not ray.is_initialized()
    if begun:
        _reach(address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        alone = {"include_dashboard": False} if address is None else {}
        try:
            ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", **alone)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ModelUnavailable(_NO_CLUSTER.format(address, error)) from error
    try:
        threads = settings.distil.threads
        remote = ray.remote(num_cpus=threads, max_retries=retries)(work)
        model = settings.distil.model

        def done(task: Task, heard: Heard | None) -> Result:
            return _done(ray, remote.options(name=f"memoria {task.does}"), task, model, heard)

        yield done, max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
    finally:
        if begun:
            ray.shutdown()


def work(parcel: Parcel) -> tuple[dict[str, Any], Files]:
    """Do a task on a node: its result as plain values, and the files of what was trained."""
    _tidy()
    base = base_of(Settings(distil=DistilSettings(model=parcel.model)))
    with tempfile.TemporaryDirectory(prefix=f"{_PLACE}{os.getpid()}-") as place:
        made = Path(place) / "made"
        made.mkdir()
        task = Task.model_validate_json(parcel.task)
        arms = [
            arm.model_copy(update={"adapter": str(_unpacked(Path(place) / f"arm-{number}", parcel.files[arm.name]))})
            if arm.name in parcel.files
            else arm
            for number, arm in enumerate(task.arms)
        ]
        folder = str(made) if task.folder is not None else None
        result = perform(task.model_copy(update={"place": base.place, "folder": folder, "arms": tuple(arms)}))
        return result.model_dump(mode="json"), _packed(made)  # JSON has no NaN, which a ruined model measures


def _done(ray: Any, remote: Any, task: Task, model: str | None, heard: Heard | None) -> Result:
    arms = {arm.name: _packed(Path(arm.adapter)) for arm in task.arms if arm.adapter is not None}
    promise = remote.remote(Parcel(task.model_dump_json(), arms, model))
    try:
        while not ray.wait([promise], timeout=_LOOK_EVERY)[0]:
            if heard is not None:
                heard({"waiting": True})
        result, files = ray.get(promise)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, MemoriaError):
            raise error.cause from error
        raise TrainingFailed(f"A task on a Ray node failed ({type(error.cause).__name__}: {error.cause}).") from error
    except ray.exceptions.RayError as error:
        raise TrainingFailed(f"The Ray cluster lost a task ({type(error).__name__}); see: ray status") from error
    except BaseException:
        ray.cancel(promise)  # it clears up after itself
        if not ray.wait([promise], timeout=_END_WITHIN)[0]:
            ray.cancel(promise, force=True)
        raise
    if task.folder is not None:
        shutil.rmtree(task.folder, ignore_errors=True)  # what a training here, cut short, left
        _unpacked(Path(task.folder), files)
    return Result.model_validate(result)


def _tidy() -> None:
    """Remove what killed workers left on this node."""
    psutil: Any = import_module("psutil")
    for each in Path(tempfile.gettempdir()).glob(f"{_PLACE}*"):
        number = each.name.removeprefix(_PLACE).partition("-")[0]
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            shutil.rmtree(each, ignore_errors=True)


def _packed(folder: Path) -> Files:
    return {str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()}


def _unpacked(folder: Path, files: Files) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return folder


def _reach(address: str | None) -> None:
    """Ray itself tries for many minutes."""
    host, _, port = (address or "").rpartition(":")
    if port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=_REACH_WITHIN).close()
        except OSError as error:
            raise ModelUnavailable(_NO_CLUSTER.format(address, error)) from error


def _ray() -> Any:
    try:
        ray: Any = import_module("ray")
        import_module("ray.exceptions")
        return ray
    except ImportError as error:
        raise ModelUnavailable(_NO_RAY) from error
