"""Changing tastes: three ways to keep an adapter up to date over a year, beside the preference head.

What enters: a year of tastes, a recipe, a folder. What leaves: a `DriftReport`. In some months is distilled:

- retrain: an adapter from scratch on what memory would teach then;
- continue: the adapter of the time before, trained on with what came since;
- merge: an adapter of what came since, averaged with the former one (the products of their factors);

and in each month, for they cost nothing,

- head, outdated head: a preference head of what memory would teach, or of all that was ever said.

The year is lived by either of two mirrored people, so that what is not personal comes to one half. What was made and
measured stays in the folder, and a run that was cut short goes on.
"""

from __future__ import annotations

import hashlib
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
from memoria.distill.train import VERSION, train
from memoria.distill.tuned import tuned
from memoria.errors import InvalidInput
from memoria.evaluate.drift_data import EDITS, Month, Year, held_out, months_of
from memoria.evaluate.drift_report import DriftReport, Point
from memoria.evaluate.kept import write_whole
from memoria.evaluate.mirrored_data import SIDES, Side
from memoria.models.adapter_files import WEIGHTS
from memoria.models.embeddings import Embedder
from memoria.models.generation import fresh_weights, load_weights
from memoria.models.likelihood import Likelihood, Row

BASE, HEAD, OUTDATED = "base", "head", "outdated head"
RETRAIN, CONTINUE, MERGE = "retrain", "continue", "merge"
_OWN = "own"  # the folder of an adapter of what came since, to be merged
HEADS = (HEAD, OUTDATED)
ADAPTERS = (RETRAIN, CONTINUE, MERGE)
ARMS = (*HEADS, *ADAPTERS)
MONTHS = (3, 6, 9, 12)
OWN = 24  # steps of a training on what came since the last one; the recipe's are for all that memory holds

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What the runs share. `months`: those in which is distilled and measured; `own`: steps of a training on what came
    since the last of them."""

    base: Base
    recipe: Recipe
    embedder: Embedder
    folder: Path
    months: Sequence[int] = MONTHS
    own: int = OWN
    progress: Progress = print


def evaluate_drift(year: Year, bench: Bench, *, arms: Sequence[str] = ARMS) -> DriftReport:
    """Live the year twice, and measure `arms`: heads each month, adapters in the bench's months.

    Raises `InvalidInput` where adapters are asked for by a recipe of several stages, or in a month that is not in the
    year.
    """
    if {*ADAPTERS} & {*arms}:
        if (stages := len(bench.recipe.stages)) != 1:
            raise InvalidInput(f"Recipe {bench.recipe.name!r} has {stages} stages; name one of a single stage.")
        if not all(1 <= each <= year.months for each in bench.months):
            raise InvalidInput(f"The year has months 1 to {year.months}, not {max(bench.months)}; name others.")
    points = [point for side in SIDES for point in _Life(year, bench, side).points(arms)]
    return DriftReport(model=bench.base.name, recipe=bench.recipe, own=bench.own, points=tuple(points))


class _Life:
    """One of the two people's year."""

    def __init__(self, year: Year, bench: Bench, side: Side) -> None:
        self.year, self.bench = year, bench
        self.side: Side = side
        named = f"{VERSION} {bench.recipe.digest} {bench.own} {bench.months} {bench.base.name} {EDITS} {year}"
        self.root = bench.folder / hashlib.sha256(named.encode()).hexdigest()[:12]  # another run has another
        self.folder = self.root / side
        self.asked = held_out(year)

    def points(self, arms: Sequence[str]) -> list[Point]:
        """What each arm comes to, month by month."""
        adapters = [arm for arm in ADAPTERS if arm in arms]
        base = self._measured(BASE, 0, None) if adapters else {}
        points: list[Point] = []
        since: dict[tuple[str, str], Pair] = {}  # what came since the last distillation, the newest of each question
        former = 0
        for month in months_of(self.year, self.side):
            since |= {(pair.group, pair.prompt): pair for pair in month.new}
            points += self._heads(month, arms)
            if month.number not in self.bench.months or not adapters:
                continue
            points.append(self._point(BASE, month, base, base))
            for arm in adapters:
                folder = self._adapter(arm, month, tuple(since.values()), former)
                points.append(self._point(arm, month, self._measured(arm, month.number, folder), base))
            since, former = {}, month.number
        return points

    def _heads(self, month: Month, arms: Sequence[str]) -> list[Point]:
        """The heads' points, of the one of the two people: the other's are the same with other signs."""
        told = {HEAD: month.live, OUTDATED: month.told}
        return [self._head(arm, month, told[arm]) for arm in HEADS if arm in arms and self.side == "a"]

    # -- making --------------------------------------------------------------------------------------------------

    def _adapter(self, arm: str, month: Month, since: Sequence[Pair], former: int) -> Path:
        """The arm's adapter at the end of a month; `former`: the month it was last made in (0: never)."""
        folder = self.folder / f"{arm} {month.number}"
        if arm == RETRAIN:
            return self._train(folder, month.live)
        if arm == CONTINUE:
            return self._train(folder, since, self.folder / f"{CONTINUE} {former}" if former else None, self.bench.own)
        if not former:  # what merging begins with is what training on begins with
            return self._train(self.folder / f"{CONTINUE} {month.number}", since, None, self.bench.own)
        own = self._train(self.folder / f"{_OWN} {month.number}", since, None, self.bench.own)
        if not (folder / WEIGHTS).exists():
            first = not (self.folder / f"{MERGE} {former}").exists()
            before = self.folder / f"{CONTINUE if first else MERGE} {former}"
            merge(load_weights(self.bench.base.place, "cpu"), [before, own], [0.5, 0.5], folder)
        return folder

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
        write_whole(folder / "trained.json", trained.model_dump_json())
        return folder

    # -- measuring -----------------------------------------------------------------------------------------------

    def _measured(self, arm: str, month: int, folder: Path | None) -> dict[str, Any]:
        """How much likelier each held-out question's answer "a" is than "b", and how likely neutral text (NLL)."""
        kept = self.root / "measures" / f"{self.side if folder is not None else 'both'} {arm} {month}.json"
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
        write_whole(kept, json.dumps(found))
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
        months = [each for each in self.bench.months if each <= month]
        names = {
            RETRAIN: [f"{RETRAIN} {month}"],
            CONTINUE: [f"{CONTINUE} {each}" for each in months],
            MERGE: [f"{_OWN if number else CONTINUE} {each}" for number, each in enumerate(sorted(months))],
        }.get(arm, [])
        found = [self.folder / name / "trained.json" for name in names]
        return sum(Trained.model_validate_json(each.read_text(encoding="utf-8")).seconds for each in found)


def _half(margin: float) -> float:
    return 1.0 if margin > 0 else 0.5 if margin == 0 else 0.0
