"""What the card suite found, as values and as tables.

What enters: of each question, which ways of choosing were right. What leaves: JSON with stable keys, or tables for a
terminal: each way with its 95 % interval, and, for what a memory gave, the difference to choosing without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from memoria.evaluate.metrics import bootstrap, mean

NONE = "none, likelihood"


@dataclass(frozen=True)
class Answered:
    """A question: whether each way of choosing took the right option, and whether memoria had `read` its preference."""

    category: str
    right: dict[str, bool]
    read: bool


@dataclass
class CardReport:
    """Filled while the suite runs. `beliefs` are preferences believed of all people."""

    dataset: str
    split: str
    model: str
    people: int = 0
    beliefs: int = 0
    rows: list[Answered] = field(default_factory=list[Answered])

    def ways(self) -> list[str]:
        """The ways of choosing, in the order they were tried."""
        return list(dict.fromkeys(name for row in self.rows for name in row.right))

    def summary(self, way: str) -> dict[str, Any]:
        """The share right, and the difference to choosing without memory over the same questions, with their 95 %
        intervals (questions drawn anew)."""
        rows = [row for row in self.rows if way in row.right]
        right = [float(row.right[way]) for row in rows]
        gained = [float(row.right[way]) - float(row.right[NONE]) for row in rows]
        return {
            "questions": len(rows),
            "right": round(mean(right), 4),
            "ci95": [round(each, 4) for each in bootstrap(right)],
            "over_none": round(mean(gained), 4),
            "over_none_ci95": [round(each, 4) for each in bootstrap(gained)],
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values; the keys are stable."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "embedding_model": self.model,
            "people": self.people,
            "questions": len(self.rows),
            "beliefs": self.beliefs,
            "preferences_read": round(mean([float(row.read) for row in self.rows]), 4),
            "ways": {way: self.summary(way) for way in self.ways()},
        }


def show_card_report(report: CardReport) -> RenderableType:
    """The report for a terminal."""
    read = mean([float(row.read) for row in report.rows])
    head = (
        f"[bold]{report.dataset}[/], {report.split}: {report.people} people, {len(report.rows)} questions; "
        f"memoria read {read:.0%} of the preferences they rest on ({report.beliefs} beliefs)"
    )
    table = Table(title="share of questions whose right option was chosen")
    for name in ("by", "n", "right (95 %)", "over none (95 %)"):
        table.add_column(name, justify="left" if name == "by" else "right")
    for way in report.ways():
        found = report.summary(way)
        table.add_row(
            way,
            str(found["questions"]),
            f"{found['right']:.3f} {_between(found['ci95'])}",
            "" if way == NONE else f"{found['over_none']:+.3f} {_between(found['over_none_ci95'], '+')}",
        )
    return Group(head, table)


def _between(interval: Sequence[float], sign: str = "") -> str:
    low, high = interval
    return f"({low:{sign}.3f} to {high:{sign}.3f})"
