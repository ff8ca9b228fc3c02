"""A newcomer with a handful of labels: alone, or begun from others.

What enters: a study's annotators; some are taken for newcomers, and the others are those already known, with one
adapter for all of them (A1) and one for each begun from it (A3 of `annotators`), that nothing of the newcomers went
into. What leaves: with a few of a newcomer's labels, drawn several times, how well their tested labels are told by the
adapter for all (their name is new to it), by an adapter of those few alone (A2), by the sum of the nearest others' (A3
merge), and by that sum trained on with the few (A3). All decide by Yes being likelier than No: few labels fit no
threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from memoria.distill.collaborate import mixed, shares
from memoria.errors import InvalidInput
from memoria.evaluate.annotators import Bench
from memoria.evaluate.annotators_report import answers, auc, macro_f1
from memoria.evaluate.kept import same_study
from memoria.evaluate.labels import Annotator
from memoria.evaluate.metrics import bootstrap, mean

NAMES = ("majority", "base", "A1", "A2", "A3 merge", "A3")
MEASURES = ("f1", "auc")


@dataclass(frozen=True)
class Newcomers:
    """So many annotators as newcomers, each with so many labels, drawn so often; both kinds of answer are among them
    where the annotator gave both. `passes` over the few labels train an adapter, `own_passes` train the sum on."""

    people: int = 6
    sizes: tuple[int, ...] = (3, 6, 10)
    draws: int = 2
    passes: float = 8
    own_passes: float = 4
    own_rate: float = 5e-4
    temperature: float = 0.1
    seed: int = 0


def run_newcomers(bench: Bench, plan: Newcomers) -> list[dict[str, Any]]:
    """A row for each newcomer, size and draw: its measures by arm. What is kept is of just this plan: of another, who
    is a newcomer now may have gone into the adapter for all.

    Raises `InvalidInput` where nobody would be left to be known, or the folder holds another plan's.
    """
    if plan.people >= len(bench.people):
        raise InvalidInput(f"{plan.people} newcomers of {len(bench.people)} annotators leave nobody; ask for fewer.")
    same_study(bench.out / "newcomers.json", asdict(plan))
    people = sorted(Random(f"{plan.seed}/newcomers").sample(bench.people, plan.people), key=lambda each: each.name)
    known = bench.among([each for each in bench.people if each not in people])
    rows: list[dict[str, Any]] = []
    for person in people:
        rows += bench.kept(f"newcomers/{person.name}", lambda person=person: _newcomer(known, person, plan))
    return rows


def _newcomer(known: Bench, person: Annotator, plan: Newcomers) -> list[dict[str, Any]]:
    known.progress(f"newcomer: {person.name}")
    places, yes = known.learnt(person)
    drawn = {
        (size, draw): _drawn(yes, size, f"{plan.seed}/{person.name}/{size}/{draw}")
        for size in plan.sizes
        for draw in range(plan.draws)
    }
    seen = sorted({at for few in drawn.values() for at in few})
    told = np.zeros((len(known.people), len(places)))  # each one's log-likelihood of the answers that are drawn at all
    for row, each in zip(told, known.people, strict=True):
        known.model.take(known.lora("A3", each).weights)
        odds = known.model.odds([places[at] for at in seen])
        row[seen] = -np.logaddexp(0, -np.where([yes[at] for at in seen], 1, -1) * odds)
    common = {arm: known.told(arm, person) for arm in ("base", "A1")}
    rows: list[dict[str, Any]] = []
    for (size, draw), few in drawn.items():
        found = common | _adapted(known, person, plan, few, told[:, few].mean(axis=1))
        usual = np.full(len(person.test), 2 * sum(yes[at] for at in few) >= size)
        measured: dict[str, Any] = {name: _measured(person, odds) for name, odds in found.items()}
        measured["majority"] = _measured(person, usual.astype(float) - 0.5)
        rows.append({"name": person.name, "size": size, "draw": draw, "measured": measured})
    return rows


def _adapted(bench: Bench, person: Annotator, plan: Newcomers, few: Sequence[int], told: Any) -> dict[str, Any]:
    """The log-odds of the tested labels, by arm."""
    places, yes = bench.learnt(person)
    mine, right = [places[at] for at in few], [yes[at] for at in few]
    tested, model = bench.places(person, person.test), bench.model
    model.take(model.fresh)
    model.fit(mine, right, model.steps(len(few), plan.passes))
    found = {"A2": model.odds(tested)}
    given = shares(told.tolist(), nearest=bench.plan.nearest, temperature=plan.temperature)
    peers = [bench.lora("A3", each) for each in bench.people]
    model.take(mixed(peers, given, bench.plan.rank, 2.0))
    found["A3 merge"] = model.odds(tested)
    model.fit(mine, right, model.steps(len(few), plan.own_passes), rate=plan.own_rate)
    return found | {"A3": model.odds(tested)}


def _drawn(yes: Sequence[bool], size: int, seed: str) -> list[int]:
    """Places of so many labels; of both answers, where there are."""
    chance = Random(seed)
    order = list(range(len(yes)))
    chance.shuffle(order)
    few = order[:size]
    if len({yes[at] for at in few}) == 1 and (other := [at for at in order[size:] if yes[at] != yes[few[0]]]):
        few[-1] = other[0]
    return few


def _measured(person: Annotator, odds: Any) -> dict[str, Any]:
    return {"f1": macro_f1(answers(person), odds > 0), "auc": auc(answers(person), odds)}


def summary_of_newcomers(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over newcomers (each the mean of its draws) by size, and A3's differences from A2, with intervals over
    newcomers."""
    told: dict[str, Any] = {}
    for size in [*sorted({row["size"] for row in rows}), "all"]:
        chosen = [row for row in rows if size in (row["size"], "all")]
        people = sorted({row["name"] for row in chosen})
        told[str(size)] = {
            measure: {
                **{name: _told(_each(chosen, people, name, measure)) for name in NAMES},
                **{f"{name} - A2": _told(_less(chosen, people, name, measure)) for name in ("A3 merge", "A3")},
            }
            for measure in MEASURES
        }
    return told


def _each(rows: Sequence[dict[str, Any]], people: Sequence[str], name: str, measure: str) -> list[float]:
    found: list[float] = []
    for person in people:
        values = [row["measured"][name][measure] for row in rows if row["name"] == person]
        if known := [each for each in values if each is not None]:  # who said but one thing has no area
            found.append(mean(known))
    return found


def _less(rows: Sequence[dict[str, Any]], people: Sequence[str], name: str, measure: str) -> list[float]:
    one, other = _each(rows, people, name, measure), _each(rows, people, "A2", measure)
    return [a - b for a, b in zip(one, other, strict=True)]


def _told(values: Sequence[float]) -> dict[str, Any]:
    return {"mean": round(mean(values), 4), "ci95": [round(each, 4) for each in bootstrap(values, 10_000)]}


def show_newcomers(told: dict[str, Any]) -> RenderableType:
    """The summary as a table for a terminal: macro-F1 where Yes is said when likelier, and the area under the curve."""
    table = Table(title="newcomers: macro-F1 / AUC, and the difference in macro-F1 from A2")
    for name in ("labels", *NAMES, "A3 merge - A2", "A3 - A2"):
        table.add_column(name, justify="right", overflow="fold")
    for size, found in told.items():
        cells = [" / ".join(f"{found[each][name]['mean']:.3f}" for each in MEASURES) for name in NAMES]
        for name in ("A3 merge - A2", "A3 - A2"):
            gained = found["f1"][name]
            cells.append(f"{gained['mean']:+.3f} ({gained['ci95'][0]:+.3f} to {gained['ci95'][1]:+.3f})")
        table.add_row(size, *cells)
    return table
