"""Jobs and their runs, drawn for a terminal.

What enters: records of the schedule. What leaves: rich renderables.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from memoria.schedule.records import JobStatus, RunRecord

_STYLES = {"done": "green", "failed": "red", "running": "cyan", "pending": "yellow"}


def show_jobs(found: Sequence[JobStatus]) -> RenderableType:
    """Jobs, one a row."""
    table = _table("job", "schedule", "per", "next slot", "runs", "last error")
    for each in found:
        if each.paused_at is not None:
            upcoming = Text(f"paused since {_minute(each.paused_at)}", style="yellow")
        elif not each.enabled:
            upcoming = Text("not enabled", style="dim")
        else:
            upcoming = Text(_minute(each.next_slot))
        runs = ", ".join(f"{count} {state}" for state, count in sorted(each.runs.items()))
        table.add_row(each.name, each.schedule, each.per, upcoming, runs, Text(each.last_error or "", style="red"))
    return table


def show_runs(runs: Sequence[RunRecord]) -> RenderableType:
    """Runs, one a row: whom for, the slot, the state, how often it was begun, how long it took, what came of it."""
    table = _table("run", "job", "for", "slot", "state", "tries", "took", "outcome")
    for each in runs:
        whose = each.user or each.tenant or ("everybody" if each.state == "skipped" else "home")
        took = f"{each.seconds:.1f} s" if each.seconds is not None else ""
        said = Text.assemble(each.outcome or "", "  " if each.outcome and each.error else "", (each.error or "", "red"))
        state = Text(each.state, style=_STYLES.get(each.state, "dim"))
        ends = [attempt.ended for attempt in each.attempts if attempt.ended not in ("done", None)]
        tries = f"{len(each.attempts)}" + (f" ({', '.join(filter(None, ends))})" if ends else "")
        table.add_row(str(each.id), each.job, whose, _minute(each.slot), state, tries, took, said)
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else ""
