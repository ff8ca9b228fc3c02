"""The demo: a year of Ana's talks goes in through the agent, ten questions come back answered, with reasons.

What enters: `examples/data/ana.jsonl` and its questions. What leaves: a readable page, and what it cost in time. The
memory lies in a temporary folder unless a home is named.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from memoria_agents import Companion, Reply
from memoria_graphs.extractive import QUOTES
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress
from rich.text import Text

from memoria.clock import stopwatch
from memoria.errors import InvalidInput
from memoria.memory import Memory
from memoria.records import Turn
from memoria.remember.sources import read_source
from memoria.remember.turns import parse_time
from memoria.serve.view import reasons

USER = "ana"
_SHOWN = 2


def run_demo(console: Console, data: Path | None = None, home: Path | None = None) -> None:
    """Play the demo on `console`. Raises `InvalidInput` when its data are not there."""
    folder = data or Path.cwd() / "examples" / "data"
    if not (folder / "ana.jsonl").exists():
        raise InvalidInput(f"{folder} holds no ana.jsonl; run from memoria's repository, or name it with --data.")
    turns = read_source(folder / "ana.jsonl")
    asked: dict[str, Any] = yaml.safe_load((folder / "ana_questions.yaml").read_text(encoding="utf-8"))
    now = parse_time(str(asked["now"]))
    with ExitStack() as stack:
        place = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="memoria-demo-")))
        memory = stack.enter_context(Memory(place))
        companion = Companion(memory, user=USER)
        begun = stopwatch()
        _ = memory.embedder
        loaded = stopwatch()
        _live(console, companion, turns)
        lived = stopwatch()
        right = 0
        for number, question in enumerate(asked["questions"], 1):
            reply = companion.ask(question["ask"], thread="demo", now=now)
            right += fits(reply, question)
            console.print(_card(number, question, reply))
        done = stopwatch()
        report = memory.status()
        faults = memory.verify()
    console.print(
        f"[bold]{right} of {len(asked['questions'])}[/] answered as the data say. "
        f"{report['episodes']} turns in {report['sessions']} sessions, {report['bytes'] / 1e6:.1f} MB on disk, "
        f"{'nothing amiss' if not faults else '; '.join(faults)}.\n"
        f"Time: model {loaded - begun:.1f} s (the first run prepares it), the year {lived - loaded:.1f} s, "
        f"ten questions {done - lived:.1f} s. Nothing left this machine."
    )


def fits(reply: Reply, question: dict[str, Any]) -> bool:
    """Whether a reply is what the data say: a known answer among its quotes, or that it is not known."""
    context = reply.context
    if context is None or context.known != question["known"]:
        return False
    shown = " ".join(hit.episode.text.casefold() for hit in context.hits[:QUOTES])
    return not question["known"] or any(each.casefold() in shown for each in question["expect"])


def _live(console: Console, companion: Companion, turns: Sequence[Turn]) -> None:
    first, last = turns[0].time, turns[-1].time
    sessions = len({turn.session for turn in turns})
    console.rule(f"A year with Ana: {len(turns)} turns, {sessions} talks, {first:%B %Y} to {last:%B %Y}")
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("living through the year", total=len(turns))
        companion.live_through(turns, progress=lambda done: bar.advance(task, done))


def _card(number: int, question: dict[str, Any], reply: Reply) -> Panel:
    context = reply.context
    body = Text(reply.text)
    if context is not None and context.known:
        for hit in context.hits[:_SHOWN]:
            body.append(f"\n  [{hit.citation}] in {hit.episode.session}: {reasons(hit.signals, 4)}", style="dim")
    if context is not None:
        body.append(f"\n  confidence {context.confidence:.0%}", style="dim")
    mark = "[green]as the data say[/]" if fits(reply, question) else "[red]not as the data say[/]"
    return Panel(
        body,
        title=f"{number}. {question['ask']}",
        subtitle=f"{question['about']}: {mark}",
        title_align="left",
    )
