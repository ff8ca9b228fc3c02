"""What the profile suite found, as values and as a table.

What enters: one pair of scores a question and budget, without the profile and with it. What leaves: JSON with stable
keys, or tables for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from memoria.evaluate.metrics import bootstrap, mean

MEASURES = {
    "quoted": "evidence turns quoted",
    "told": "evidence turns quoted, or told by a line that cites them",
    "context": "right option nearest to the context",
    "chosen": "right option nearest to context and question",
}


@dataclass(frozen=True)
class Paired:
    """A question at a budget: the measures it allows, `without` the profile and with it; how many lines of the profile
    were stated, and both contexts' tokens."""

    category: str
    budget: int
    without: dict[str, float]
    within: dict[str, float]
    stated: int
    tokens: tuple[int, int]


@dataclass
class ProfileReport:
    """Filled while the suite runs. `homes` are histories reflected on, `lines` their profiles' lines, `unasked` the
    questions asked before anything was said; `longest` and `unaided` say of each question with options whether the
    longest is right, and the nearest to the question."""

    dataset: str
    model: str
    budgets: tuple[int, ...]
    homes: int = 0
    turns: int = 0
    lines: int = 0
    unasked: int = 0
    reflect_s: float = 0.0
    rows: list[Paired] = field(default_factory=list[Paired])
    longest: list[float | None] = field(default_factory=list[float | None])
    unaided: list[float | None] = field(default_factory=list[float | None])

    def pairs(self, measure: str, budget: int, category: str | None = None) -> list[tuple[float, float]]:
        """(without, with) of every question that allows a measure."""
        return [
            (row.without[measure], row.within[measure])
            for row in self.rows
            if row.budget == budget and measure in row.without and category in (None, row.category)
        ]

    def categories(self) -> list[str]:
        """The questions' categories, by name."""
        return sorted({row.category for row in self.rows})

    def stated(self, budget: int) -> float:
        """How many lines of the profile a context states, on average."""
        return mean([row.stated for row in self.rows if row.budget == budget])

    def to_json(self) -> dict[str, Any]:
        """Plain values; the keys are stable."""
        return {
            "dataset": self.dataset,
            "embedding_model": self.model,
            "homes": self.homes,
            "turns": self.turns,
            "questions": len(self.longest),
            "unasked": self.unasked,
            "profile_lines": self.lines,
            "reflect_s": round(self.reflect_s, 3),
            "longest_option": _rate(self.longest),
            "nearest_to_question": _rate(self.unaided),
            "budgets": {
                str(budget): {
                    "lines_stated": round(self.stated(budget), 2),
                    "all": self._summary(budget, None),
                    "categories": {each: self._summary(budget, each) for each in self.categories()},
                }
                for budget in self.budgets
            },
        }

    def _summary(self, budget: int, category: str | None) -> dict[str, Any]:
        found = {measure: self.pairs(measure, budget, category) for measure in MEASURES}
        return {measure: summary_of(pairs) for measure, pairs in found.items() if pairs}


def summary_of(pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Means, the mean difference with its 95 % interval (over questions drawn anew), how many got better and worse."""
    differences = [within - without for without, within in pairs]
    return {
        "questions": len(pairs),
        "without": round(mean([without for without, _ in pairs]), 4),
        "with": round(mean([within for _, within in pairs]), 4),
        "difference": round(mean(differences), 4),
        "ci95": [round(each, 4) for each in bootstrap(differences)],
        "better": sum(each > 0 for each in differences),
        "worse": sum(each < 0 for each in differences),
    }


def show_profile_report(report: ProfileReport) -> RenderableType:
    """The report as tables for a terminal."""
    head = (
        f"[bold]{report.dataset}[/]: {report.homes} histories, {report.turns:,} turns, {len(report.longest)} questions"
        f" ({report.unasked} asked before anything was said); reflecting {report.reflect_s:.1f} s, "
        f"{report.lines / max(1, report.homes):.0f} lines a profile ({report.model})"
    )
    parts: list[RenderableType] = [head]
    for measure, title in MEASURES.items():
        if any(report.pairs(measure, budget) for budget in report.budgets):
            parts.append(_table(report, measure, title))
    if (longest := _rate(report.longest)) is not None:
        parts.append(f"the longest option: {longest:.1%}; the nearest to the question: {_rate(report.unaided):.1%}")
    return Group(*parts)


def _table(report: ProfileReport, measure: str, title: str) -> Table:
    table = Table(title=title)
    for name in ("category", "budget", "n", "without", "with the profile", "difference (95 %)", "better", "worse"):
        table.add_column(name, justify="left" if name == "category" else "right")
    for category in (None, *report.categories()):
        for budget in report.budgets:
            if pairs := report.pairs(measure, budget, category):
                found = summary_of(pairs)
                low, high = found["ci95"]
                table.add_row(
                    category or "[bold]all",
                    str(budget),
                    str(found["questions"]),
                    f"{found['without']:.3f}",
                    f"{found['with']:.3f}",
                    f"{found['difference']:+.3f} ({low:+.3f} to {high:+.3f})",
                    str(found["better"]),
                    str(found["worse"]),
                )
    return table


def _rate(values: Iterable[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return round(mean(known), 4) if known else None
