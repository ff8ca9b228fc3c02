"""What a training process is given, what it does, and what it answers.

What enters: a `Task`. What leaves: a `Result`. It is the whole of the work with a language model, in whichever process
it is called: `process.py` calls it in one apart, a test in its own.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from memoria.distill.measure import Measures, measure
from memoria.distill.neutral import load_neutral
from memoria.distill.recipes import Recipe
from memoria.distill.records import Dataset, Trained
from memoria.distill.train import Progress, train
from memoria.distill.tuned import tuned
from memoria.models.generation import fresh_weights, load_weights
from memoria.models.likelihood import Likelihood
from memoria.records import Record


class Arm(Record):
    """Something to be measured: the base with an `adapter`'s folder, or with a `system` text, or as it is."""

    name: str
    adapter: str | None = None
    system: str = ""


class Task(Record):
    """`data` with what to do: train by `recipe` into `folder`, or measure `arms` (`facts`: on facts as well, `neutral`:
    on neutral text as well).

    `place` is where the base lies, `base` the name that servers know it by.
    """

    does: Literal["train", "measure"]
    data: Dataset
    place: str
    base: str
    threads: int = 1
    recipe: Recipe | None = None
    folder: str | None = None
    arms: tuple[Arm, ...] = ()
    facts: bool = False
    neutral: bool = True


class Result(Record):
    """What came of it: how the training went, or what each arm measured."""

    trained: Trained | None = None
    measures: dict[str, Measures] = Field(default_factory=dict)


def perform(task: Task, progress: Progress | None = None) -> Result:
    """Do it. Raises `InvalidInput`, `ModelUnavailable`."""
    torch: Any = import_module("torch")
    torch.set_num_threads(task.threads)
    if task.does == "measure":
        return Result(measures={arm.name: _measured(task, arm) for arm in task.arms})
    assert task.recipe is not None
    assert task.folder is not None
    loaded = fresh_weights(task.place, half=True)
    trained = train(
        task.data,
        task.recipe,
        loaded,
        Path(task.folder),
        base=task.base,
        neutral=load_neutral(),
        progress=progress,
    )
    return Result(trained=trained)


def _measured(task: Task, arm: Arm) -> Measures:
    loaded = load_weights(task.place, "cpu") if arm.adapter is None else fresh_weights(task.place)
    model = tuned(loaded, Path(arm.adapter)) if arm.adapter is not None else None
    neutral = load_neutral() if task.neutral else None
    return measure(Likelihood(loaded, model), task.data, neutral, system=arm.system, facts=task.facts)
