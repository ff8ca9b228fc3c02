"""`memoria eval annotators` and `memoria eval pairs`: what adapters are worth on people's own labels.

What enters: a data set, and a folder that keeps what is done, so that a cut run goes on. What leaves: tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group

from memoria.errors import InvalidInput
from memoria.serve.cli.shared import AsJson, made_folder, print_json, show

if TYPE_CHECKING:
    from memoria.models.generation import Loaded

Data = Annotated[Path, typer.Option("--data", help="A data set: JSON lines, gzipped.")]
Out = Annotated[Path, typer.Option("--out", help="Keeps what is done: a cut run goes on, given the same options.")]
LocalModel = Annotated[
    str | None,
    typer.Option("--model", help="A local model's folder or name; the default works offline.", show_default=False),
]
Seed = Annotated[int, typer.Option(help="Draws who and what is learnt from and tested.")]


def annotators(
    data: Data,
    out: Out = Path("annotators"),
    people: Annotated[int, typer.Option(min=2, help="How many annotators.")] = 20,
    least: Annotated[int, typer.Option(min=10, help="Only annotators with so many labels.")] = 150,
    most: Annotated[int | None, typer.Option(help="And at most so many.")] = None,
    learnt_most: Annotated[int | None, typer.Option(min=1, help="Learn from at most so many of each.")] = None,
    tested_most: Annotated[int | None, typer.Option(min=1, help="Test at most so many of each.")] = None,
    newcomers: Annotated[int, typer.Option(min=0, help="How many of them as newcomers, too.")] = 6,
    arms: Annotated[str, typer.Option(help="What to compare, several by commas.")] = "base,A1,A2,A3,A3 near",
    seed: Seed = 0,
    model: LocalModel = None,
    as_json: AsJson = False,
) -> None:
    """Single people's labels told by one adapter for all, one for each, and each begun from others'."""
    from memoria.evaluate.annotators import ARMS, Plan, run_study
    from memoria.evaluate.annotators_report import show_annotators, summary
    from memoria.evaluate.labels import Sample
    from memoria.evaluate.newcomers import Newcomers, run_newcomers, show_newcomers, summary_of_newcomers

    chosen = _among(arms, ARMS)
    if newcomers >= people:
        raise InvalidInput(f"--newcomers {newcomers} of --people {people} leave nobody that is known; ask for fewer.")
    sample = Sample(people=people, least=least, most=most, learn_most=learnt_most, test_most=tested_most, seed=seed)
    with Console(stderr=True).status("") as shown:
        tell, plan = shown.update, Plan(seed=seed)
        bench = run_study(data, *_model(model), made_folder(out), sample=sample, plan=plan, arms=chosen, progress=tell)
        rows = run_newcomers(bench, Newcomers(people=newcomers, seed=seed)) if newcomers else []
    told = summary(bench.study) | ({"newcomers": summary_of_newcomers(rows)} if rows else {})
    tables = [show_annotators(told), *([show_newcomers(told["newcomers"])] if rows else [])]
    print_json(told) if as_json else show(Group(*tables))


def pairs(
    data: Data,
    out: Out = Path("pairs"),
    trained: Annotated[int, typer.Option(min=1, help="Choices of each source to train on.")] = 64,
    tested: Annotated[int, typer.Option(min=1, help="Choices of each source to test on.")] = 80,
    seed: Seed = 0,
    model: LocalModel = None,
    as_json: AsJson = False,
) -> None:
    """How often the preferred answer is the likelier: as the model is, told the preference, and trained."""
    from memoria.evaluate.pairs import PairPlan, evaluate_pairs
    from memoria.evaluate.pairs_report import show_pairs

    plan = PairPlan(trained=trained, tested=tested, seed=seed)
    with Console(stderr=True).status("") as shown:
        told = evaluate_pairs(
            data, lambda: _model(model)[0], _name(model), made_folder(out), plan=plan, progress=shown.update
        )
    if as_json:
        print_json(told)
    else:
        show(show_pairs(told))


def _among(named: str, known: Sequence[str]) -> list[str]:
    """The arms named. Raises `InvalidInput` for one that there is not."""
    chosen = [each.strip() for each in named.split(",")]
    if unknown := set(chosen) - set(known):
        raise InvalidInput(f"--arms: there is no {sorted(unknown)[0]!r}; there are {', '.join(known)}.")
    return chosen


def _model(name: str | None) -> tuple[Loaded, str]:
    """The base, to be changed, and what servers know it by."""
    import torch

    from memoria.models.generation import fresh_weights
    from memoria.models.smollm import converted
    from memoria.settings import Settings

    torch.set_num_threads(1)
    place = name or str(converted(Settings.load().cache_dir))
    return fresh_weights(place, half=True), _name(name)


def _name(name: str | None) -> str:
    from memoria.models.smollm import HUB_NAME

    return name or HUB_NAME
