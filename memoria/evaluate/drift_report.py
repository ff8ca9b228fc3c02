"""What a year of changing tastes came to, as values and as a table.

What enters: an arm's outcomes on the held-out questions of a month. What leaves: JSON with stable keys, or a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from rich.table import Table

from memoria.distill.recipes import Recipe
from memoria.evaluate.metrics import mean
from memoria.records import Record

_Z = 1.96


class Point(Record):
    """An arm at the end of a month of one person's. Of each held-out question: `new` and `stable` are 1 where what the
    person wants now is likelier, of tastes that have changed by then or have not; `old` is 1 where the odds of a
    changed one are nearer to what was wanted before than the base's. `chat` and `plain`: the NLL of neutral text
    divided by the base's. `seconds`: of the processor, for all trainings that led here."""

    arm: str
    side: str
    month: int
    new: tuple[float, ...] = ()
    stable: tuple[float, ...] = ()
    old: tuple[float, ...] = ()
    chat: float | None = None
    plain: float | None = None
    seconds: float = 0.0


class DriftReport(Record):
    """All points. `own`: the steps of a training on what came since the last one."""

    model: str
    recipe: Recipe
    own: int
    points: tuple[Point, ...]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each arm and month, over both people: shares with their 95 % intervals (Wilson), means else."""
        keys = dict.fromkeys((each.arm, each.month) for each in self.points)
        return [self._row(arm, month) for arm, month in sorted(keys, key=lambda key: self._place(*key))]

    def to_json(self) -> dict[str, Any]:
        """Plain values; the keys are stable."""
        about = {"model": self.model, "recipe": self.recipe.model_dump(), "own": self.own}
        return {**about, "rows": self.rows()}

    def _place(self, arm: str, month: int) -> tuple[int, int]:
        return [each.arm for each in self.points].index(arm), month

    def _row(self, arm: str, month: int) -> dict[str, Any]:
        found = [each for each in self.points if (each.arm, each.month) == (arm, month)]
        row: dict[str, Any] = {"arm": arm, "month": month}
        for name in ("new", "old", "stable"):
            outcomes = [value for each in found for value in getattr(each, name)]
            row[name] = {"share": mean(outcomes), "n": len(outcomes), "ci95": wilson(outcomes)} if outcomes else None
        for name in ("chat", "plain"):
            values = [value for each in found if (value := getattr(each, name)) is not None]
            row[name] = mean(values) if values else None
        return row | {"seconds": mean([each.seconds for each in found])}


def wilson(outcomes: Sequence[float]) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    n, share = len(outcomes), mean(outcomes)
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return round(middle - half, 3), round(middle + half, 3)


def show_drift_report(report: DriftReport) -> Table:
    """The table."""
    title = f"A year of changing tastes: {report.model}, recipe {report.recipe.name}, {report.own} steps on what is new"
    table = Table(title=title)
    for name in ("arm", "month", "new right", "toward the old", "stable kept", "chat", "plain", "CPU-s"):
        table.add_column(name, justify="left" if name == "arm" else "right")
    for row in report.rows():
        shares = [_share(row[name]) for name in ("new", "old", "stable")]
        ratios = [f"{row[name]:.2f}" if row[name] is not None else "" for name in ("chat", "plain")]
        seconds = f"{row['seconds']:.0f}" if row["seconds"] else ""
        table.add_row(row["arm"], str(row["month"]), *shares, *ratios, seconds)
    return table


def _share(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    low, high = found["ci95"]
    return f"{found['share']:.2f} ({low:.2f}-{high:.2f}, n={found['n']})"
