"""What the mirrored users showed, as records, JSON and tables.

What enters: the scores of each arm on each person. What leaves: means with bootstrap intervals over dimensions, JSON
with stable keys, tables for a terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field
from rich.console import Group, RenderableType
from rich.table import Table

from memoria.distill.records import LossPoint
from memoria.evaluate.metrics import bootstrap, mean
from memoria.evaluate.mirrored_data import HARD, SIDES
from memoria.records import Record

BASE, ORACLE, RECALL = "base", "base + oracle", "base + recall"
ADAPTER, BOTH, SWAPPED = "adapter", "adapter + recall", "twin's adapter"
HEAD, TWINS_HEAD = "head", "twin's head"
ARMS = (BASE, ORACLE, RECALL, ADAPTER, BOTH, SWAPPED, HEAD, TWINS_HEAD)


class Scores(Record):
    """What one arm came to on one person.

    `margins` (n,) say how much likelier, in nats a token, each held-out question's fitting answer is than the other (a
    head's: in its own score), `groups` (n,) the questions' dimensions; `facts` whether the true answer was the
    likeliest, fact by fact; the others are mean NLLs in nats a token.
    """

    margins: tuple[float, ...] = ()
    groups: tuple[str, ...] = ()
    facts: tuple[bool, ...] = ()
    chosen: float | None = None
    chat: float | None = None
    plain: float | None = None

    @property
    def credits(self) -> tuple[float, ...]:
        """1 for each question that is ranked right, a half for a tie."""
        return tuple(1.0 if each > 0 else 0.5 if each == 0 else 0.0 for each in self.margins)


class Weights(Record):
    """The adapter of a person: its `folder`, how the training went. `learnt` counts what its data set holds, `bytes`
    are its files'. No gate was asked: this is what it would judge."""

    folder: str
    bytes: int
    seconds: float
    peak_mb: float
    steps: int
    learnt: dict[str, int] = Field(default_factory=dict)
    losses: tuple[LossPoint, ...] = ()


class PersonScores(Record):
    """One person of a pair."""

    pair: str
    user: str
    easy: tuple[str, ...] = ()
    weights: Weights | None = None
    arms: dict[str, Scores] = Field(default_factory=dict)


class MirroredReport(Record):
    """All people, two of each pair."""

    model: str
    recipe: str
    people: tuple[PersonScores, ...] = ()

    def pairs(self) -> list[str]:
        """The pairs' names."""
        return list(dict.fromkeys(each.pair for each in self.people))

    def of(self, pair: str | None) -> list[PersonScores]:
        """The people of a pair (None: of all but the hard set's)."""
        return [each for each in self.people if pair == each.pair or (pair is None and each.pair != HARD)]

    def ranked(self, arm: str, people: Sequence[PersonScores], *, easy: bool | None = None) -> dict[str, list[float]]:
        """The arm's credits by dimension, both twins' together; with `easy`, only of the easy dimensions, or the
        others."""
        found: dict[str, list[float]] = {}
        for each in people:
            scores = each.arms.get(arm, Scores())
            for group, credit in zip(scores.groups, scores.credits, strict=True):
                if easy is None or easy == (group in each.easy):
                    found.setdefault(f"{each.pair}/{group}", []).append(credit)
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values; the keys are stable."""
        return {
            "model": self.model,
            "recipe": self.recipe,
            "people": [each.model_dump(mode="json") for each in self.people],
            "summary": {name or "all": self._summary(name) for name in (*self.pairs(), None) if self.of(name)},
        }

    def _summary(self, pair: str | None) -> dict[str, Any]:
        people = self.of(pair)
        return {arm: figures for arm in ARMS if (figures := self.figures(arm, people))}

    def figures(self, arm: str, people: Sequence[PersonScores]) -> dict[str, Any]:
        """An arm's figures over some people; what was not measured is left out."""
        found: dict[str, Any] = {}
        by_group = self.ranked(arm, people)
        if by_group:
            means = [mean(each) for each in by_group.values()]
            found["preferences"] = round(mean([c for each in by_group.values() for c in each]), 4)
            found["preferences_ci95"] = [round(each, 4) for each in bootstrap(means)]
            found["questions"] = sum(len(each) for each in by_group.values())
            for name, easy in (("easy", True), ("rest", False)):
                some = [c for each in self.ranked(arm, people, easy=easy).values() for c in each]
                found |= {f"preferences_{name}": round(mean(some), 4)} if some else {}
        facts = [float(right) for each in people for right in each.arms.get(arm, Scores()).facts]
        if facts:
            found |= {"facts": round(mean(facts), 4), "facts_ci95": [round(each, 4) for each in bootstrap(facts)]}
        for name in ("chosen", "chat", "plain"):
            ratios = [ratio for each in people if (ratio := _to_base(each, arm, name)) is not None]
            found |= {f"{name}_to_base": round(mean(ratios), 4)} if ratios else {}
        return found


def _to_base(person: PersonScores, arm: str, name: str) -> float | None:
    own, base = (getattr(person.arms.get(each, Scores()), name) for each in (arm, BASE))
    return own / base if own is not None and base else None


def show_mirrored_report(report: MirroredReport) -> RenderableType:
    """The report as tables for a terminal."""
    parts: list[RenderableType] = [
        f"[bold]mirrored users[/]: {len(report.people)} people in {len(report.pairs())} pairs; recipe {report.recipe} "
        f"({report.model}). Preferences: the share of held-out questions whose fitting answer is the likelier; "
        f"whatever ignores the person comes to .500. {ORACLE}: just the stated preference, or fact, before the "
        "question. fit, chat, text: the NLL of fitting answers, neutral chat and plain neutral text, to the base's."
    ]
    for name in (*report.pairs(), None):
        if people := report.of(name):
            parts.append(_table(report, name or "all but the hard set", people))
    if any(each.weights for each in report.people):
        parts.append(_trainings(report))
    return Group(*parts)


def _table(report: MirroredReport, title: str, people: Sequence[PersonScores]) -> Table:
    table = Table(title=title, box=None, padding=(0, 1, 0, 0))
    twins = people if len(people) == len(SIDES) else ()
    preferences = (*(each.user for each in twins), "both" if twins else "all", "95 %", "easy", "rest")
    for name in ("arm", *preferences, "facts", "fits", "chat", "plain"):
        table.add_column(name, justify="left" if name == "arm" else "right", no_wrap=True)
    for arm in ARMS:
        if figures := report.figures(arm, people):
            own = [report.figures(arm, [one]).get("preferences") for one in twins]
            low, high = figures.get("preferences_ci95", (None, None))
            values = [figures.get(f"preferences{end}") for end in ("", "_easy", "_rest")]
            rest = [figures.get(name) for name in ("facts", "chosen_to_base", "chat_to_base", "plain_to_base")]
            shown = [_short(each) for each in (*own, *values, *rest)]
            shown.insert(len(twins) + 1, f"{_short(low)}-{_short(high)}")
            table.add_row(arm, *shown)
    return table


def _trainings(report: MirroredReport) -> Table:
    table = Table(title="trainings", box=None, padding=(0, 1, 0, 0))
    for name in ("person", "pairs", "facts", "steps", "CPU-s", "peak MB", "adapter MB"):
        table.add_column(name, justify="left" if name == "person" else "right")
    for each in report.people:
        if (made := each.weights) is not None:
            learnt = (str(made.learnt.get(name, 0)) for name in ("pairs", "facts"))
            sizes = (f"{made.seconds:.0f}", f"{made.peak_mb:.0f}", f"{made.bytes / 1e6:.1f}")
            table.add_row(each.user, *learnt, str(made.steps), *sizes)
    return table


def _short(value: float | None) -> str:
    """Three decimals, without a zero before the point."""
    return f"{value:.3f}".removeprefix("0") if value is not None else ""
