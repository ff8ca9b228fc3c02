"""Changing tastes: three ways to keep an adapter up to date over a year, beside the preference head.

What enters: a year of tastes, a recipe, a folder. What leaves: a `DriftReport`. Each month ends with

- retrain: an adapter from scratch on what memory holds for true;
- continue: last month's adapter trained on with what the month brought;
- merge: an adapter of what the month brought, averaged with the former one (the products of their factors);
- head, outdated head: a preference head of what memory holds for true, or of all that was ever said.

The year is lived by either of two mirrored people, so that what is not personal comes to one half. What was made and
measured stays in the folder, and a run that was cut short goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memoria.distill.base import Base
from memoria.distill.head import PreferenceHead
from memoria.distill.merge import merge
from memoria.distill.neutral import load_neutral
from memoria.distill.recipes import Recipe
from memoria.distill.records import Dataset, Pair, Trained
from memoria.distill.train import train
from memoria.distill.tuned import WEIGHTS, tuned
from memoria.evaluate.drift_data import Month, Year, held_out, months_of
from memoria.evaluate.drift_report import DriftReport, Point
from memoria.evaluate.mirrored_data import SIDES, Side
from memoria.models.embeddings import Embedder
from memoria.models.generation import fresh_weights, load_weights
from memoria.models.likelihood import Likelihood, Row

BASE, HEAD, OUTDATED = "base", "head", "outdated head"
RETRAIN, CONTINUE, MERGE = "retrain", "continue", "merge"
HEADS = (HEAD, OUTDATED)
ADAPTERS = (RETRAIN, CONTINUE, MERGE)
ARMS = (*HEADS, *ADAPTERS)
MONTHS = (3, 6, 9, 12)
_MONTHLY = 16  # steps of a month's own training, of the recipe's for all that memory holds

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What the runs share. `monthly`: steps of a month's own training. `months`: those in which is measured."""

    base: Base
    recipe: Recipe
    embedder: Embedder
    folder: Path
    months: Sequence[int] = MONTHS
    monthly: int = _MONTHLY
    progress: Progress = print


def evaluate_drift(year: Year, bench: Bench, *, arms: Sequence[str] = ARMS) -> DriftReport:
    """Live the year twice, and measure `arms`: heads each month, adapters in the bench's months."""
    points = [point for side in SIDES for point in _Life(year, bench, side).points(arms)]
    return DriftReport(model=bench.base.name, recipe=bench.recipe, monthly=bench.monthly, points=tuple(points))


class _Life:
    """One of the two people's year."""

    def __init__(self, year: Year, bench: Bench, side: Side) -> None:
        self.year, self.bench = year, bench
        self.side: Side = side
        self.folder = bench.folder / side
        self.asked = held_out(year)

    def points(self, arms: Sequence[str]) -> list[Point]:
        """What each arm comes to, month by month."""
        months = list(months_of(self.year, self.side))
        points: list[Point] = []
        adapters = [arm for arm in ADAPTERS if arm in arms]
        base = self._measured(BASE, 0, None) if adapters else {}
        for month in months:
            if HEAD in arms and self.side == "a":  # the twin's head is the same with other signs
                points.append(self._head(HEAD, month, month.live))
            if OUTDATED in arms and self.side == "a":
                points.append(self._head(OUTDATED, month, month.told))
            if month.number in self.bench.months and adapters:
                points.append(self._point(BASE, month, base, base))
            for arm in adapters:
                folder = self._adapter(arm, month)
                if month.number in self.bench.months and folder is not None:
                    points.append(self._point(arm, month, self._measured(arm, month.number, folder), base))
        return points

    # -- making --------------------------------------------------------------------------------------------------

    def _adapter(self, arm: str, month: Month) -> Path | None:
        """The arm's adapter at the end of a month; of `retrain` only where it is measured."""
        folder, former = (self._place(arm, month.number - back) for back in (0, 1))
        if arm == RETRAIN:
            return self._train(folder, month.live) if month.number in self.bench.months else None
        if arm == CONTINUE:
            return self._train(folder, month.new, former if month.number > 1 else None, self.bench.monthly)
        own = self._train(self._place("month", month.number), month.new, None, self.bench.monthly)
        if month.number > 1 and not (folder / WEIGHTS).exists():
            merge(load_weights(self.bench.base.place, "cpu"), [former, own], [0.5, 0.5], folder)
        return folder

    def _place(self, arm: str, month: int) -> Path:
        """Where an arm's adapter of a month lies; the first month's own is the first that merging begins with."""
        return self.folder / (f"{arm} {month}" if arm != MERGE or month > 1 else f"month {month}")

    def _train(self, folder: Path, pairs: Sequence[Pair], start: Path | None = None, steps: int | None = None) -> Path:
        if (folder / "trained.json").exists():
            return folder
        self.bench.progress(f"{self.side}: {folder.name}")
        recipe = self.bench.recipe
        if steps is not None:
            (stage,) = recipe.stages
            recipe = recipe.model_copy(update={"stages": (stage.model_copy(update={"steps": steps}),)})
        data = Dataset(tenant="default", user=f"person {self.side}", pairs=tuple(pairs))
        loaded = fresh_weights(self.bench.base.place, half=True)
        name = self.bench.base.name
        trained = train(data, recipe, loaded, folder, base=name, neutral=load_neutral(), start=start)
        (folder / "trained.json").write_text(trained.model_dump_json(), encoding="utf-8")
        return folder

    # -- measuring -----------------------------------------------------------------------------------------------

    def _measured(self, arm: str, month: int, folder: Path | None) -> dict[str, Any]:
        """How much likelier each held-out question's answer "a" is than "b", and how likely neutral text (NLL)."""
        kept = self.bench.folder / "measures" / f"{self.side if folder is not None else 'both'} {arm} {month}.json"
        if kept.exists():
            return json.loads(kept.read_text(encoding="utf-8"))
        self.bench.progress(f"{self.side}: measuring {arm} {month}")
        loaded = fresh_weights(self.bench.base.place)
        likelihood = Likelihood(loaded, tuned(loaded, folder) if folder is not None else None)
        rows = [Row(choice.ask, answer) for _, choice in self.asked for answer in (choice.a, choice.b)]
        nll, neutral = likelihood.nll(rows), load_neutral()
        found: dict[str, Any] = {
            "margins": [float(each) for each in nll[1::2] - nll[::2]],
            "chat": float(likelihood.nll([Row(*each) for each in neutral.chat]).mean()),
            "plain": float(likelihood.plain(neutral.plain).mean()),
        }
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found), encoding="utf-8")
        return found

    def _point(self, arm: str, month: Month, found: dict[str, Any], base: dict[str, Any]) -> Point:
        return Point(
            **self._judged(arm, month, found["margins"], base["margins"]),
            chat=found["chat"] / base["chat"],
            plain=found["plain"] / base["plain"],
            seconds=self._seconds(arm, month.number),
        )

    def _head(self, arm: str, month: Month, pairs: Sequence[Pair]) -> Point:
        head = PreferenceHead.fit(pairs, self.bench.embedder)
        told = [Pair(kind="edit", prompt=each.ask, chosen=each.a, rejected=each.b) for _, each in self.asked]
        return Point(**self._judged(arm, month, [float(each) for each in head.margins(told)], None))

    def _judged(self, arm: str, month: Month, margins: Sequence[float], base: Sequence[float] | None) -> dict[str, Any]:
        """Each question's outcome, by whether its taste has changed by then. "Toward the old": against the base, the
        odds moved from what is wanted now to what was wanted before."""
        new: list[float] = []
        stable: list[float] = []
        old: list[float] = []
        for number, (taste, _) in enumerate(self.asked):
            sign = 1 if taste.side(self.side, month.number) == "a" else -1
            right = _half(sign * margins[number])
            changed = taste.month is not None and month.number >= taste.month
            (new if changed else stable).append(right)
            if changed and base is not None:
                old.append(1 - _half(sign * (margins[number] - base[number])))
        return {"arm": arm, "side": self.side, "month": month.number, "new": new, "stable": stable, "old": old}

    def _seconds(self, arm: str, month: int) -> float:
        """CPU-seconds of all trainings that led to the arm's adapter of that month."""
        name = {MERGE: "month", BASE: "none"}.get(arm, arm)
        months = [month] if arm == RETRAIN else range(1, month + 1)
        found = [self.folder / f"{name} {number}" / "trained.json" for number in months]
        return sum(Trained.model_validate_json(each.read_text()).seconds for each in found if each.exists())


def _half(margin: float) -> float:
    return 1.0 if margin > 0 else 0.5 if margin == 0 else 0.0
