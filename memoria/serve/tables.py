"""Beliefs, entities and the evolving-memory suite's figures, drawn for a terminal.

What enters: records and reports. What leaves: rich renderables, and one belief in a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memoria.evaluate.beliefs import SYSTEMS, BeliefReport
from memoria.records import Entity, Fact, Preference


def show_beliefs(found: Sequence[Fact | Preference], short: Mapping[str, str]) -> RenderableType:
    """Beliefs, one a row, with how many pieces of evidence each has. `short` gives each id cut to where it is still
    the only one."""
    if not found:
        return Text("Nothing is believed that fits.")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("belief", overflow="fold")
    table.add_column("status", min_width=10)
    table.add_column("since", no_wrap=True)
    table.add_column("evidence", justify="right", no_wrap=True)
    for each in found:
        style = "" if each.status == "current" else "dim"
        status = Text.assemble(
            (each.status, style), ("\nneeds confirmation" if each.needs_confirmation else "", "yellow")
        )
        days = _day(each.valid_from) + (f"\nto {_day(each.valid_to)}" if each.valid_to else "")
        table.add_row(short[each.id], Text(each.statement, style=style), status, days, str(each.evidence))
    return table


def in_a_line(belief: Fact | Preference) -> str:
    """A belief with its whole id, as it stands."""
    since = f" since {_day(belief.valid_from)}" if belief.valid_from else ""
    doubt = ", needs confirmation" if belief.needs_confirmation else ""
    return f"{belief.statement}: {belief.status}{since}{doubt} (id {belief.id}, revision {belief.revision})"


def show_entities(found: Sequence[Entity]) -> RenderableType:
    """Entities, those that most is believed of first."""
    if not found:
        return Text("No belief speaks of anybody yet.")
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for name in ("name", "kind", "also called"):
        table.add_column(name, overflow="fold")
    table.add_column("beliefs", justify="right")
    for each in found:
        table.add_row(Text(each.name), Text(each.kind), Text(", ".join(each.aliases)), str(each.beliefs))
    return table


def show_belief_report(report: BeliefReport, *, failed: bool = False) -> RenderableType:
    """The suite's figures, one task a row; with `failed` each check that memoria did not pass, and why."""
    values = report.to_json()
    table = Table(title=f"{values['dialogues']} {report.style} dialogues of {report.split}: share of checks passed")
    for name in ("task", "checks", *SYSTEMS, "turns found"):
        table.add_column(name, justify="left" if name == "task" else "right", style=_bold(name))
    for task, row in values["tasks"].items():
        shares = [f"{row[system]:.0%}" for system in SYSTEMS]
        table.add_row(task, str(row["checks"]), *shares, f"{row['hits']:.0%}")
    if not failed:
        return table
    lines = [
        Text.assemble((f"{each['dialogue']} ", "cyan"), each["question"], (f"\n  {'; '.join(each['faults'])}", "red"))
        for each in values["failed"]
    ]
    return Group(table, *(lines or [Text("memoria passed every check.", style="green")]))


def _bold(name: str) -> str | None:
    return "bold" if name == "memoria" else None


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment is not None else ""
