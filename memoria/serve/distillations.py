"""Distillations for a reader: what was made, what the gate said, how the loss fell.

What enters: a data set, or what a distillation came to. What leaves: things to print, or a PNG.
"""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memoria.distill.distillation import Distillation, Made
from memoria.distill.records import Check, Dataset
from memoria.errors import InvalidInput

_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 40
_SHOWN = 8  # pairs of a data set


def show_distillation(done: Distillation) -> RenderableType:
    """A line for each thing made; under it the gate's checks, and the loss of a training."""
    parts: list[RenderableType] = []
    for made in done.made:
        parts.append(_headline(made))
        if made.adapter is not None and made.outcome != "nothing":
            parts += [_checks(made), *_training(made)]
    return Group(*parts) if parts else Text("Nothing was to be distilled.")


def show_data(data: Dataset) -> RenderableType:
    """How much would be learnt from, and some of it."""
    counts = Table("", "train", "held out", box=None, pad_edge=False)
    counts.add_row("pairs", str(len(data.pairs_of("train"))), str(len(data.pairs_of("held_out"))))
    for kind in ("preference", "fact"):
        row = [str(len(data.examples_of(split, kind))) for split in ("train", "held_out")]
        counts.add_row(f"{kind} examples", *row)
    pairs = Table("asked", "chosen", "rejected", "from", box=None, pad_edge=False)
    for each in data.pairs[:: max(1, len(data.pairs) // _SHOWN)][:_SHOWN]:
        pairs.add_row(Text(each.prompt), Text(each.chosen), Text(each.rejected), each.kind)
    sources = Text(f"{len(data.manifest.sources)} beliefs and turns are named as what it is made of.")
    return Group(counts, sources, pairs)


def loss_picture(done: Distillation) -> bytes:
    """The loss by step as a PNG. Raises `InvalidInput` where nothing was trained, or matplotlib is missing."""
    points = [point for made in done.made for point in _points(made)]
    if not points:
        raise InvalidInput("No adapter was trained, so there is no loss to draw; leave --picture out.")
    try:
        figure: Any = import_module("matplotlib.figure").Figure(figsize=(6, 3), layout="constrained")
    except ImportError as error:
        raise InvalidInput('A picture needs matplotlib: pip install "memoria-lifelong[picture]"') from error
    axes = figure.add_subplot()
    for stage in dict.fromkeys(point["stage"] for point in points):
        mine = [point for point in points if point["stage"] == stage]
        axes.plot([point["step"] for point in mine], [point["loss"] for point in mine], label=stage)
    axes.set(xlabel="step", ylabel="loss")
    axes.set_title(f"{done.user}: training", parse_math=False)
    axes.legend()
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=120)
    return data.getvalue()


def curve(losses: list[float], width: int = _WIDE) -> str:
    """The losses as a line of bars, each the mean of its share of the steps."""
    if not losses:
        return ""
    count = min(width, len(losses))
    parts = [losses[at * len(losses) // count : (at + 1) * len(losses) // count] for at in range(count)]
    means = [sum(part) / len(part) for part in parts]
    low, high = min(means), max(means)
    return "".join(_BARS[round((each - low) / (high - low or 1) * (len(_BARS) - 1))] for each in means)


def _headline(made: Made) -> Text:
    name = made.adapter.id if made.adapter is not None else made.kind
    said = {"promoted": "serves from now on", "rejected": "was rejected by the gate", "nothing": "nothing was made"}
    style = {"promoted": "bold green", "rejected": "bold red", "nothing": "dim"}[made.outcome]
    line = Text.assemble((name if made.outcome != "nothing" else made.kind, style), f" {said[made.outcome]}")
    return line.append(f": {made.why}") if made.outcome == "nothing" and made.why else line


def _checks(made: Made) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    assert made.adapter is not None
    for check in made.adapter.verdict.checks if made.adapter.verdict is not None else ():
        mark = Text("✓", "green") if check.passed else Text("✗", "red")
        table.add_row(" ", mark, check.name, _measured(check), Text(check.why, "dim"))
    return table


def _measured(check: Check) -> str:
    return f"{check.measured:g} {check.relation} {check.bar:g}" if check.measured is not None else "not measured"


def _training(made: Made) -> list[RenderableType]:
    points = _points(made)
    if not points or made.adapter is None:
        return []
    losses = [float(point["loss"]) for point in points]
    trained: dict[str, Any] = made.adapter.figures["trained"]
    size = made.adapter.figures["bytes"] / 1e6
    told = (
        f"{trained['steps']} steps, {trained['seconds']:.0f} CPU-s, {trained['peak_mb']:.0f} MB, {size:.1f} MB on disk"
    )
    return [Text(f"   loss {losses[0]:.2f} {curve(losses)} {losses[-1]:.2f}   {told}", "dim")]


def _points(made: Made) -> list[dict[str, Any]]:
    if made.adapter is None or made.outcome == "nothing":
        return []
    trained: dict[str, Any] = made.adapter.figures.get("trained") or {}
    return list(trained.get("losses", ()))
