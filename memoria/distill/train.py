"""Training an adapter on a person's data set, on a processor.

What enters: a data set, a recipe, a model of the caller's own, a folder. What leaves: the folder as PEFT writes it,
and how the training went. A loop of our own: the same steps by TRL cost twice the time. A training that is killed goes
on from its last checkpoint, with the very batches that were left, and comes to the same weights.

LoRA: Hu et al. (2021); one for each user: OPPU, Tan et al. (2024). Prompt tuning: Lester et al. (2021).
"""

from __future__ import annotations

import hashlib
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any

from memoria.clock import processor_time
from memoria.distill.lessons import Lessons
from memoria.distill.neutral import Neutral
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.records import Dataset, LossPoint, Stopped, Trained
from memoria.distill.tuned import begun, save
from memoria.errors import TrainingFailed
from memoria.models.adapter_files import CONFIG, WEIGHTS
from memoria.models.generation import Loaded

Progress = Callable[[int, int, float], None]  # step, all steps, loss

STATE = "training.pt"  # beside the weights while a training is under way
VERSION = 3  # raise it when the same data and recipe come to other weights: then all is trained anew
_EVERY = 20.0  # CPU-seconds between two checkpoints


@dataclass
class _State:
    """How far a training is."""

    step: int = 0  # of all stages together
    seconds: float = 0.0
    tokens: int = 0
    losses: list[LossPoint] | None = None

    def points(self) -> list[LossPoint]:
        self.losses = self.losses if self.losses is not None else []
        return self.losses


def train(
    data: Dataset,
    recipe: Recipe,
    loaded: Loaded,
    folder: Path,
    *,
    base: str,
    neutral: Neutral,
    progress: Progress | None = None,
    start: Path | None = None,
) -> Trained:
    """Train by `recipe` and write the adapter into `folder` (made if missing; what an interrupted training left there
    is gone on with).

    Args:
        loaded: the base, which PEFT changes: the caller's own (`generation.fresh_weights`).
        base: the name that servers know the base by.
        progress: called after each step with (step, all steps, loss).
        start: the folder of an adapter of the recipe's form, to begin from instead of from nothing.

    Raises:
        InvalidInput: there is nothing to learn from, or `start` has another form.
        ModelUnavailable: PEFT is missing.
        TrainingFailed: the loss is no number any more.
    """
    torch: Any = import_module("torch")
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = begun(loaded, recipe, base, start)
        run = _Run(model, loaded, data, recipe, neutral, folder, progress, _name(data, recipe, base, neutral, start))
        stopped = run.all_stages()
    save(model, folder)
    (folder / STATE).unlink(missing_ok=True)
    return run.told(stopped)


def peak_mb() -> float:
    """The most memory that this process ever had resident, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_000_000 if sys.platform == "darwin" else 1000)


class _Run:
    """One training under way."""

    def __init__(
        self,
        model: Any,
        loaded: Loaded,
        data: Dataset,
        recipe: Recipe,
        neutral: Neutral,
        folder: Path,
        progress: Progress | None,
        name: str,
    ) -> None:
        self.model, self.loaded, self.data, self.recipe = model, loaded, data, recipe
        self.neutral, self.folder, self.progress, self.name = neutral, folder, progress, name
        self.state = _State()
        self.torch: Any = import_module("torch")
        self.trainable = [each for each in model.parameters() if each.requires_grad]
        self.steps = sum(stage.steps for stage in recipe.stages)

    def told(self, stopped: Stopped) -> Trained:
        """How it went."""
        state = self.state
        return Trained(
            steps=state.step,
            seconds=round(state.seconds, 2),
            peak_mb=round(peak_mb(), 1),
            tokens=state.tokens,
            losses=tuple(state.points()),
            stopped=stopped,
        )

    def all_stages(self) -> Stopped:
        """Take the steps that are left; why it ended."""
        resumed = self._resumed()
        before = 0
        for number, stage in enumerate(self.recipe.stages):
            if self.state.step < before + stage.steps:
                stopped = self._stage(number, stage, before, resumed)
                resumed = None
                if stopped:
                    return stopped
            before += stage.steps
        return "done"

    def _stage(self, number: int, stage: Stage, before: int, resumed: Any) -> Stopped | None:
        torch, state = self.torch, self.state
        optimizer = torch.optim.AdamW(self.trainable, lr=stage.rate, weight_decay=0.0)
        mine = resumed if resumed is not None and resumed["stage"] == number else None
        if mine is not None:
            optimizer.load_state_dict(mine["optimizer"])
        known = mine["reference"] if mine is not None else None
        rows = Lessons(self.model, self.loaded, self.data, self.recipe, stage, self.neutral, known)
        kept = begun_at = processor_time()
        name = f"{number + 1} {stage.loss}"
        for step in range(state.step - before, stage.steps):
            for group in optimizer.param_groups:
                group["lr"] = stage.rate * _warmth(step, stage.steps)
            loss, tokens = rows.loss(step)
            value = self._finite(loss)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.trainable, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            now = processor_time()
            state.seconds, begun_at = state.seconds + now - begun_at, now
            state.step, state.tokens = state.step + 1, state.tokens + tokens
            state.points().append(LossPoint(step=state.step, stage=name, loss=round(value, 4)))
            if self.progress is not None:
                self.progress(state.step, self.steps, value)
            if (stopped := self._over_budget()) is not None:
                return stopped
            if now - kept > _EVERY:
                self._keep(number, optimizer, rows.reference)
                kept = now
        return None

    def _finite(self, loss: Any) -> float:
        value = float(loss.detach())
        if not isfinite(value):
            raise TrainingFailed(
                f"The training by {self.recipe.name!r} diverged at step {self.state.step + 1} of {self.steps} (its "
                f"loss is {value}); lower the recipe's rate."
            )
        return value

    def _over_budget(self) -> Stopped | None:
        budget = self.recipe.budget
        if self.state.step == self.steps:
            return None
        if self.state.seconds >= budget.seconds:
            return "seconds"
        return "tokens" if budget.tokens is not None and self.state.tokens >= budget.tokens else None

    def _keep(self, number: int, optimizer: Any, reference: list[tuple[float, float]]) -> None:
        weights = {name: each.detach() for name, each in self.model.named_parameters() if each.requires_grad}
        kept: dict[str, Any] = {
            "name": self.name,
            "stage": number,
            "weights": weights,
            "optimizer": optimizer.state_dict(),
            "reference": reference,
            "chance": self.torch.get_rng_state(),  # of dropout
            "step": self.state.step,
            "seconds": self.state.seconds,
            "tokens": self.state.tokens,
            "losses": [each.model_dump() for each in self.state.points()],
        }
        half = self.folder / f"{STATE}.part"
        self.torch.save(kept, half)
        half.replace(self.folder / STATE)

    def _resumed(self) -> Any:
        """What an interrupted training of just this left; None where there is none."""
        path = self.folder / STATE
        kept: Any = None
        with suppress(Exception):  # missing, or of another version: then it begins anew
            kept = self.torch.load(path, weights_only=True)
        if kept is None or kept.get("name") != self.name:
            return None
        parameters = dict(self.model.named_parameters())
        with self.torch.no_grad():
            for name, values in kept["weights"].items():
                parameters[name].copy_(values)
        self.torch.set_rng_state(kept["chance"])
        points = [LossPoint.model_validate(each) for each in kept["losses"]]
        self.state = _State(kept["step"], kept["seconds"], kept["tokens"], points)
        return kept


def _name(data: Dataset, recipe: Recipe, base: str, neutral: Neutral, start: Path | None) -> str:
    """A name for just this training: a checkpoint of another is not gone on with."""
    made = hashlib.sha256(f"{VERSION} {recipe.digest} {base!r} {neutral.replay!r} {data.model_dump_json()}".encode())
    if start is not None:
        for each in (CONFIG, WEIGHTS):
            made.update((start / each).read_bytes())
    return made.hexdigest()


def _warmth(step: int, steps: int) -> float:
    """The share of the rate at a step: rising over the first tenth, then falling to nothing."""
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else max(0.05, (steps - step) / (steps - warm))
