"""What ranking preferred answers found, as a table.

What enters: the summary of `pairs`. What leaves: a table for a terminal.
"""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table


def show_pairs(told: dict[str, Any]) -> RenderableType:
    """Accuracy by arm and source, of all pairs and of those of about the same length."""
    head = f"{told['trained on']} choices trained on, {told['choices']} tested ({told['pairs']} pairs)"
    columns = [(source, subset) for source, found in next(iter(told["arms"].values())).items() for subset in found]
    table = Table(title="the preferred answer is the likelier: mean (95 %), and the difference from prompt-only")
    table.add_column("")
    for source, subset in columns:
        table.add_column(f"{source}, {subset}", justify="right", overflow="fold")
    for arm, found in told["arms"].items():
        table.add_row(arm, *(_cell(found[source][subset]) for source, subset in columns))
    return Group(head, table)


def _cell(found: dict[str, Any]) -> str:
    low, high = found["ci95"]
    shown = f"{found['mean']:.3f} ({low:.3f}-{high:.3f})"
    gained = found.get("against prompt-only")
    return shown if gained is None else f"{shown} {gained['mean']:+.3f}"
