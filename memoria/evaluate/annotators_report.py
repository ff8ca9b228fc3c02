"""What single people's adapters are worth, as values and as tables.

What enters: each arm's log-odds. What leaves: macro-F1 for each annotator, its mean with a 95 % interval, the paired
difference from A1, and the area under the ROC curve, which needs no threshold. Four ways to decide are told side by
side, the same for all arms, for much of what adapters know of people is how often they say yes:

- "own": the threshold that is best on the annotator's own learnt labels.
- "rate": one above which as many of their learnt labels lie as they said yes to.
- "one": a single threshold, the best on all annotators' learnt labels together.
- "zero": Yes where it is likelier than No.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table

from memoria.evaluate.annotators import Study
from memoria.evaluate.labels import Annotator
from memoria.evaluate.metrics import bootstrap, mean

Numbers = NDArray[np.float64]
Answers = NDArray[np.bool_]

DECISIONS = ("own", "rate", "one", "zero")


def macro_f1(right: Answers, said: Answers) -> float:
    """The mean of both answers' F1; an answer that neither gave nor should be given counts as nothing, and 0 where it
    is wrongly given or missing."""
    found: list[float] = []
    for value in (False, True):
        hits = int(((right == value) & (said == value)).sum())
        all_of_it = int((right == value).sum() + (said == value).sum())
        if all_of_it:
            found.append(2 * hits / all_of_it)
    return mean(found)


def auc(right: Answers, odds: Numbers) -> float | None:
    """How often a Yes has higher odds than a No (ties half); None where all are alike."""
    yes, no = odds[right], odds[~right]
    if not len(yes) or not len(no):
        return None
    above = (yes[:, None] > no[None, :]).mean() + 0.5 * (yes[:, None] == no[None, :]).mean()
    return float(above)


def best_threshold(groups: Sequence[tuple[Answers, Numbers]]) -> float:
    """The threshold with the best mean macro-F1 over groups; of equally good ones the middle."""
    odds = np.unique(np.concatenate([each for _, each in groups]))
    tried = np.concatenate([[odds[0] - 1], (odds[1:] + odds[:-1]) / 2, [odds[-1] + 1]])
    if len(tried) > 400:  # of everybody together
        tried = np.quantile(tried, np.linspace(0, 1, 400))
    worth = np.array([mean([macro_f1(right, values > each) for right, values in groups]) for each in tried])
    best = np.flatnonzero(worth >= worth.max() - 1e-9)
    return float(tried[best[len(best) // 2]])


def decided(study: Study, arm: str, decision: str) -> list[float]:
    """Each annotator's macro-F1 under an arm."""
    found: list[float] = []
    threshold = best_threshold([_fitted(study, arm, each) for each in study.people]) if decision == "one" else 0.0
    for person in study.people:
        if decision == "own":
            threshold = best_threshold([_fitted(study, arm, person)])
        elif decision == "rate":
            share = mean([label.yes for label in person.learn])
            threshold = float(np.quantile(_fitted(study, arm, person)[1], 1 - share))
        found.append(macro_f1(answers(person), study.scored[arm][person.name].test > threshold))
    return found


def answers(person: Annotator) -> Answers:
    """What a person said of the tested texts."""
    return np.array([label.yes for label in person.test], dtype=bool)


def _fitted(study: Study, arm: str, person: Annotator) -> tuple[Answers, Numbers]:
    odds = study.scored[arm][person.name].learn
    return np.array([label.yes for label in person.learn[: len(odds)]], dtype=bool), odds


def crowd(study: Study) -> list[float]:
    """Each annotator's macro-F1 by what the others said of the same text (an oracle: of a new text nobody has it)."""
    said = [np.array([np.mean(label.others) >= 0.5 for label in each.test]) for each in study.people]
    return [macro_f1(answers(each), guess) for each, guess in zip(study.people, said, strict=True)]


def majority(study: Study) -> list[float]:
    """Each annotator's macro-F1 by the answer they gave most often among those learnt from."""
    found: list[float] = []
    for each in study.people:
        usual = np.mean([label.yes for label in each.learn]) >= 0.5
        found.append(macro_f1(answers(each), np.full(len(each.test), usual)))
    return found


def areas(study: Study, arm: str) -> list[float]:
    """The areas under the curve of the annotators that said both."""
    found = [auc(answers(each), study.scored[arm][each.name].test) for each in study.people]
    return [each for each in found if each is not None]


def summary(study: Study) -> dict[str, Any]:
    """Plain values; the keys are stable."""
    told: dict[str, Any] = {
        "annotators": len(study.people),
        "learnt": sum(len(each.learn) for each in study.people),
        "tested": sum(len(each.test) for each in study.people),
        "crowd": _told(crowd(study)),
        "majority": _told(majority(study)),
        "A1 log-likelihood, right name": round(study.swapped[0], 4),
        "A1 log-likelihood, another's name": round(study.swapped[1], 4),
        "arms": {},
    }
    for arm in study.scored:
        told["arms"][arm] = {"auc": _told(areas(study, arm))}
        for decision in DECISIONS:
            values = decided(study, arm, decision)
            told["arms"][arm][decision] = _told(values)
            if "A1" in study.scored:
                first = decided(study, "A1", decision)
                gained = [own - shared for own, shared in zip(values, first, strict=True)]
                told["arms"][arm][f"{decision} - A1"] = _told(gained)
    return told


def _told(values: Sequence[float]) -> dict[str, Any]:
    return {"mean": round(mean(values), 4), "ci95": [round(each, 4) for each in bootstrap(values, 10_000)]}


def show_annotators(told: dict[str, Any]) -> RenderableType:
    """A summary as a table for a terminal."""
    head = f"{told['annotators']} annotators, {told['learnt']} labels learnt from, {told['tested']} tested"
    table = Table(title="macro-F1 by annotator: mean (95 %), and the difference from A1")
    for name in ("", *DECISIONS, "AUC"):
        table.add_column(name, justify="left" if not name else "right", overflow="fold")
    for name in ("crowd", "majority"):
        table.add_row(name, _cell(told[name]), "", "", "")
    for arm, found in told["arms"].items():
        cells = [f"{_cell(found[each])}  {_gain(found.get(f'{each} - A1'))}" for each in DECISIONS]
        table.add_row(arm, *cells, _cell(found["auc"]))
    return Group(head, table)


def _cell(found: dict[str, Any]) -> str:
    low, high = found["ci95"]
    return f"{found['mean']:.3f} ({low:.3f}-{high:.3f})"


def _gain(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    low, high = found["ci95"]
    return f"{found['mean']:+.3f} ({low:+.3f} to {high:+.3f})"
