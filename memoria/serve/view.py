"""What the command line shows, drawn for a terminal.

What enters: contexts and reports. What leaves: rich renderables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memoria.recall.budget import belief_line
from memoria.records import Context, Receipt


def show_context(context: Context, *, explain: bool = False) -> RenderableType:
    """A context: what is believed, then its hits with citations; with `explain` what each signal gave and what was
    left out."""
    if not context.hits and not context.beliefs:
        return Text("Nothing that is remembered fits.")
    table = Table(box=None, show_header=False, padding=(0, 1))
    for number, stated in enumerate(context.beliefs, 1):
        style = "" if stated.belief.status == "current" else "dim"
        table.add_row(
            Text(f"[b{number}]"), Text("believed", style="green"), Text(belief_line(stated.belief), style=style)
        )
        if explain:
            why = f"id {stated.belief.id}; " + ("it is what is asked" if stated.direct else "it bears on what is asked")
            table.add_row("", Text(f"{stated.score:.2f}", style="dim"), Text(why, style="dim"))
    for hit in context.hits:
        episode = hit.episode
        head = Text(f"{episode.occurred_at:%Y-%m-%d} {episode.speaker}", style="cyan")
        table.add_row(f"[{hit.citation}]", head, Text(hit.quote))
        if explain:
            table.add_row("", Text(f"{hit.score:.2f}", style="dim"), Text(reasons(hit.signals), style="dim"))
    known = "known" if context.known else "probably not known"
    parts: list[RenderableType] = [table, Text(f"confidence {context.confidence:.0%}: {known}", style="dim")]
    if explain:
        times = ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in context.timings.items())
        parts.append(Text(f"{context.tokens} of {context.budget} tokens; {times}", style="dim"))
        parts.extend(Text(f"left out {each.episode_id}: {each.reason}", style="dim") for each in context.dropped)
    return Group(*parts)


def reasons(signals: Mapping[str, float], most: int = 10) -> str:
    """What each signal gave, the strongest first."""
    ordered = sorted(signals.items(), key=lambda pair: -abs(pair[1]))[:most]
    return ", ".join(f"{name} {value:+.2f}" for name, value in ordered)


def show_receipt(receipt: Receipt) -> RenderableType:
    """A receipt: what went, or in a dry run what would."""
    if receipt.number == 0:
        shown = [Text(f"{e.occurred_at:%Y-%m-%d} {e.speaker}: {e.text}") for e in receipt.would_go]
        shown += [Text(f"believed: {each}", style="green") for each in receipt.beliefs_would_go]
        shown += [Text(f"item {each}") for each in receipt.items_would_go]
        would = f"{receipt.episodes} turns would be forgotten{_with_beliefs(receipt)}; nothing was yet."
        return Group(*shown, Text(would, style="bold"), *_with_weights(receipt))
    done = "and no byte of them is left" if receipt.complete else "their bytes go when the other process lets go"
    parts = [Text(f"Receipt {receipt.number}: {receipt.episodes} turns are forgotten{_with_beliefs(receipt)}, {done}.")]
    return Group(*parts, *_with_weights(receipt), *(Text(each, style="red") for each in receipt.residue))


def _with_beliefs(receipt: Receipt) -> str:
    told = [f"{n} {what}" for n, what in ((receipt.beliefs, "beliefs"), (receipt.items, "items")) if n]
    return f" with {' and '.join(told)}" if told else ""


def _with_weights(receipt: Receipt) -> list[Text]:
    """What was distilled of what went, or would."""
    if not receipt.quarantined and not receipt.quarantined_elsewhere:
        return []
    more = f"{receipt.quarantined_elsewhere} of other people" if receipt.quarantined_elsewhere else ""
    named = " and ".join(filter(None, (", ".join(receipt.quarantined), more)))
    instead = ", ".join(receipt.serving) or "nothing"
    told = "would serve no more" if receipt.number == 0 else "serve no more and their files are to go"
    parts = [Text(f"Made of it: {named}; they {told}. In their place: {instead}.")]
    if receipt.exported:
        parts.append(Text(f"{receipt.exported} copies of them left the home before; no forgetting here reaches them."))
    return parts


def show_status(report: Mapping[str, Any]) -> RenderableType:
    """A status report, one line a fact; faults in red."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    for key, value in report.items():
        if isinstance(value, Mapping):
            for inner, fact in value.items():  # pyright: ignore[reportUnknownVariableType]
                table.add_row(f"{key} {inner}".replace("_", " "), Text(str(fact)))  # pyright: ignore[reportUnknownArgumentType]
        elif key != "faults":
            table.add_row(key.replace("_", " "), Text(str(value)))
    if "faults" not in report:
        return table
    faults = [Text(fault, style="red") for fault in report["faults"]]
    return Group(table, *(faults or [Text("Everything holds together.", style="green")]))
