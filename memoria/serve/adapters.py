"""Adapters as a terminal shows them.

What enters: adapters, what one was made of, how two differ. What leaves: something `rich` draws.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memoria.distill.details import AdapterDetail, Comparison, Origin
from memoria.distill.records import Adapter, Check

_STYLES = {"serving": "green", "rejected": "red", "quarantined": "red", "live": "", "outdated": "yellow", "gone": "red"}


def show_adapters(found: Sequence[Adapter]) -> RenderableType:
    """A table of adapters, the newest first."""
    if not found:
        return Text("Nothing was distilled yet.")
    table = Table(box=None, padding=(0, 1))
    for name in ("id", "status", "made", "made of", "recipe", "base"):
        table.add_column(name, header_style="dim")
    for each in reversed(found):
        status = Text(each.status, _STYLES.get(each.status, "dim"))
        made_of = f"{each.beliefs} beliefs, {each.episodes} turns"
        table.add_row(each.id, status, f"{each.made_at:%Y-%m-%d %H:%M}", made_of, Text(each.recipe), Text(each.base))
    return table


def show_adapter(detail: AdapterDetail) -> RenderableType:
    """An adapter: whether it may serve, what the gate measured, every memory that it was made of."""
    adapter = detail.adapter
    parts: list[RenderableType] = [
        Text.assemble((adapter.id, "bold"), (f"  {adapter.status}", _STYLES.get(adapter.status, "dim"))),
        Text("It may serve." if detail.permit.may else f"It may not serve: {detail.permit.why}"),
        Text(f"made {adapter.made_at:%Y-%m-%d %H:%M} by {adapter.recipe} for {adapter.base}", "dim"),
        Text(f"files {adapter.folder}, digest {adapter.digest[:16]}", "dim"),
    ]
    if adapter.parent is not None:
        parts.append(Text(f"goes on from {adapter.parent}", "dim"))
    if detail.exports:
        parts.append(Text(f"{detail.exports} copies left the home; forgetting cannot reach them", "yellow"))
    if adapter.verdict is not None:
        parts += [Text("gate", "bold cyan"), *(_check(each) for each in adapter.verdict.checks)]
        if adapter.verdict.why:
            parts.append(Text(f"  {adapter.verdict.why}", "red"))
    parts += [Text("made of", "bold cyan"), *(_origin(each) for each in detail.origins)]
    return Group(*parts)


def show_comparison(found: Comparison) -> RenderableType:
    """Two adapters' figures side by side, and what only one was made of."""
    table = Table(box=None, padding=(0, 1))
    for name in ("", found.one.id, found.other.id):
        table.add_column(name, header_style="bold", justify="right" if name else "left")
    table.add_row("status", found.one.status, found.other.status)
    for name, (left, right) in found.figures.items():
        table.add_row(name, _number(left), _number(right))
    counts = ((found.one, found.only_one), (found.other, found.only_other))
    return Group(table, *(Text(f"only {each.id} was made of {len(more)} memories") for each, more in counts if more))


def _check(check: Check) -> Text:
    measured = f"{check.measured:.3f}" if check.measured is not None else "not measured"
    said = f"  {check.name}: {measured} {check.relation} {check.bar:.3f}"
    return Text(said, "green" if check.passed else "red")


def _origin(origin: Origin) -> Text:
    text = origin.text or ("of somebody else's memory" if not origin.own else "")
    state = origin.state if origin.state != "live" else ""
    kind = {"episode": "turn"}.get(origin.kind, origin.kind)
    return Text.assemble(
        (f"  {kind} {origin.id[:8]} ", "dim"), text, (f" {state}" if state else "", _STYLES[origin.state])
    )


def _number(value: float | None) -> str:
    return f"{value:.4g}" if value is not None else "-"
