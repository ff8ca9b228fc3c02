"""What the recall suite found, as values and as a table.

What enters: one row a question and system. What leaves: JSON with stable keys, or tables for a terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table

from memoria.evaluate.baselines import NAMES as BASELINES
from memoria.evaluate.metrics import NAMES as METRICS
from memoria.evaluate.metrics import bootstrap, mean

SYSTEMS = ("memoria", *BASELINES)


@dataclass(frozen=True)
class Row:
    """One system's scores on one question."""

    system: str
    category: str
    scores: dict[str, float]


@dataclass
class RecallReport:
    """Filled while the suite runs. Times are seconds; `latencies` are recalls, embedding the question excluded."""

    dataset: str
    model: str
    cases: int = 0
    items: int = 0
    embed_s: float = 0.0
    store_s: float = 0.0
    latencies: list[float] = field(default_factory=list[float])
    rows: list[Row] = field(default_factory=list[Row])

    def values(self, system: str, metric: str, category: str | None = None) -> list[float]:
        """A system's scores by one measure, question by question."""
        return [r.scores[metric] for r in self.rows if r.system == system and category in (None, r.category)]

    def categories(self) -> list[str]:
        """The questions' categories, by name."""
        return sorted({row.category for row in self.rows})

    def latency_ms(self, percentile: float) -> float:
        """A percentile of the recalls' time in milliseconds."""
        return float(np.percentile(self.latencies, percentile)) * 1000 if self.latencies else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values; the keys are stable."""
        return {
            "dataset": self.dataset,
            "embedding_model": self.model,
            "cases": self.cases,
            "items": self.items,
            "questions": len(self.latencies),
            "embed_s": round(self.embed_s, 3),
            "store_s": round(self.store_s, 3),
            "recall_p50_ms": round(self.latency_ms(50), 3),
            "recall_p95_ms": round(self.latency_ms(95), 3),
            "systems": {system: self._summary(system, None) for system in SYSTEMS},
            "categories": {
                category: {system: self._summary(system, category) for system in SYSTEMS}
                for category in self.categories()
            },
        }

    def _summary(self, system: str, category: str | None) -> dict[str, Any]:
        summary: dict[str, Any] = {}
        for metric in METRICS:
            values = self.values(system, metric, category)
            summary[metric] = {
                "mean": round(mean(values), 4),
                "ci95": [round(x, 4) for x in bootstrap(values)],
            }
        return summary | {"questions": len(self.values(system, METRICS[0], category))}


def show_report(report: RecallReport) -> RenderableType:
    """The report as tables for a terminal."""
    head = (
        f"[bold]{report.dataset}[/]: {report.cases} cases, {report.items:,} items, {len(report.latencies)} questions; "
        f"embedding {report.embed_s:.1f} s ({report.model}), storing {report.store_s:.1f} s, "
        f"recall p50 {report.latency_ms(50):.1f} ms, p95 {report.latency_ms(95):.1f} ms"
    )
    return Group(head, _systems_table(report), _categories_table(report, ("R@10", "NDCG@10")))


def _systems_table(report: RecallReport) -> Table:
    table = Table(title="all answerable questions: mean (95 % interval)")
    table.add_column("")
    for system in SYSTEMS:
        table.add_column(system, justify="right", style="bold" if system == "memoria" else None)
    for metric in METRICS:
        cells: list[str] = []
        for system in SYSTEMS:
            values = report.values(system, metric)
            low, high = bootstrap(values)
            cells.append(f"{mean(values):.3f} [dim]{low:.2f}-{high:.2f}[/]")
        table.add_row(metric, *cells)
    return table


def _categories_table(report: RecallReport, metrics: Sequence[str]) -> Table:
    table = Table(title="by category: " + ", ".join(metrics))
    for name in ("category", "n", *SYSTEMS):
        table.add_column(name, justify="left" if name == "category" else "right")
    for category in report.categories():
        cells = [
            " ".join(f"{mean(report.values(system, metric, category)):.3f}" for metric in metrics) for system in SYSTEMS
        ]
        table.add_row(category, str(len(report.values("memoria", METRICS[0], category))), *cells)
    return table
