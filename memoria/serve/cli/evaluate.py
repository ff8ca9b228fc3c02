"""`memoria eval`: `recall`, `profile`, `beliefs`, `mirrored`, `drift` and `card`.

What enters: a data set, or the packaged dialogues. What leaves: tables beside baselines; how far it is, on stderr.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from memoria.errors import InvalidInput
from memoria.serve.cli.shared import AsJson, Model, made_folder, print_json, show

app = typer.Typer(help="Measure memoria on a data set.", no_args_is_help=True)

Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N cases.", show_default=False)]
Off = Annotated[list[str] | None, typer.Option("--off", help="Switch a signal off (may be repeated).")]


@app.command("recall")
def eval_recall(
    file: Annotated[Path, typer.Argument(help="A data set: JSON lines, one conversation a line (.gz too).")],
    limit: Limit = None,
    embeddings: Model = None,
    off: Off = None,
    as_json: AsJson = False,
) -> None:
    """How well recall finds the turns that answer, beside three baselines."""
    from memoria.evaluate.recall import evaluate_recall
    from memoria.evaluate.report import show_report
    from memoria.models.embeddings import load_embeddings
    from memoria.settings import Settings

    settings = Settings.load().without_signals(off or [])
    embedder = load_embeddings(embeddings or settings.embeddings, settings.cache_dir)
    with Console(stderr=True).status("") as shown:
        report = evaluate_recall(
            file,
            embedder=embedder,
            settings=settings,
            limit=limit,
            progress=lambda done: shown.update(f"{done} conversations done"),
        )
    if as_json:
        print_json(report.to_json())
    else:
        show(show_report(report))


@app.command("profile")
def eval_profile(
    file: Annotated[Path, typer.Argument(help="A data set: JSON lines, one conversation a line (.gz too).")],
    budgets: Annotated[str, typer.Option(help="Tokens of a context, several by commas.")] = "300,800,1500",
    category: Annotated[
        list[str] | None, typer.Option(help="Only questions of it (may be repeated).", show_default=False)
    ] = None,
    limit: Limit = None,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """What recall gains and loses by lines of the profile in its context, at the same budget."""
    from memoria.evaluate.profile import evaluate_profile
    from memoria.evaluate.profile_report import show_profile_report
    from memoria.models.embeddings import load_embeddings
    from memoria.settings import Settings

    settings = Settings.load()
    with Console(stderr=True).status("") as shown:
        report = evaluate_profile(
            file,
            embedder=load_embeddings(embeddings or settings.embeddings, settings.cache_dir),
            settings=settings,
            budgets=_numbers(budgets, "--budgets"),
            limit=limit,
            categories=category or (),
            progress=lambda done: shown.update(f"{done} conversations done"),
        )
    if as_json:
        print_json(report.to_json())
    else:
        show(show_profile_report(report))


def _numbers(text: str, option: str) -> list[int]:
    found = [int(part) for part in text.split(",") if part.strip().isdigit()]
    if not found or len(found) != text.count(",") + 1 or min(found) < 1:
        raise InvalidInput(f"{option} {text!r} are no numbers; write them like 300,800,1500.")
    return found


@app.command("beliefs")
def eval_beliefs(
    split: Annotated[str, typer.Option(help="Which half of the dialogues: dev, or test.")] = "dev",
    style: Annotated[str, typer.Option(help="How people tell things: plain, or oblique.")] = "plain",
    task: Annotated[str | None, typer.Option(help="Only this task.", show_default=False)] = None,
    limit: Limit = None,
    folder: Annotated[
        Path | None, typer.Option(help="Dialogues of your own, laid out as the packaged.", show_default=False)
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Show the checks that memoria failed, with why.")] = False,
    embeddings: Model = None,
    off: Off = None,
    as_json: AsJson = False,
) -> None:
    """How well beliefs follow what changes, over seven tasks, beside dense search and BM25."""
    from memoria.evaluate.beliefs import evaluate_beliefs
    from memoria.evaluate.dialogues import FOLDER, read_dialogues
    from memoria.models.embeddings import load_embeddings
    from memoria.serve.tables import show_belief_report
    from memoria.settings import Settings

    settings = Settings.load().without_signals(off or [])
    dialogues = list(islice(read_dialogues(split, task, style, folder or FOLDER), limit))
    embedder = load_embeddings(embeddings or settings.embeddings, settings.cache_dir)
    with Console(stderr=True).status("") as shown:
        report = evaluate_beliefs(
            dialogues,
            split,
            style,
            embedder=embedder,
            settings=settings,
            progress=lambda done: shown.update(f"{done} of {len(dialogues)} dialogues done"),
        )
    if as_json:
        print_json(report.to_json())
    else:
        show(show_belief_report(report, failed=failed))


@app.command("mirrored")
def eval_mirrored(
    pairs: Annotated[
        int | None, typer.Option(min=1, help="Only the first N pairs of people.", show_default=False)
    ] = None,
    users: Annotated[
        str | None, typer.Option(help="Only the pairs of these people, several by commas.", show_default=False)
    ] = None,
    recipe: Annotated[str, typer.Option(help="How to train; facts are trained by 'facts' alone.")] = "facts",
    heads: Annotated[bool, typer.Option("--heads", help="Only preference heads: no language model.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder where all is kept; a run that was cut short goes on.", show_default=False),
    ] = None,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """What distilling is worth, on pairs of people of whom each prefers what the other does not."""
    from memoria.distill.recipes import load_recipe
    from memoria.evaluate.mirrored import chosen_pairs, evaluate_mirrored
    from memoria.evaluate.mirrored_report import show_mirrored_report
    from memoria.models.embeddings import load_embeddings
    from memoria.settings import Settings

    settings = Settings.load()
    with Console(stderr=True).status("") as shown:
        report = evaluate_mirrored(
            chosen_pairs(pairs, [each.strip() for each in (users or "").split(",") if each.strip()]),
            embedder=load_embeddings(embeddings or settings.embeddings, settings.cache_dir),
            settings=settings,
            recipe=load_recipe(recipe, settings.folder),
            out=made_folder(out) if out is not None else None,
            heads_only=heads,
            progress=shown.update,
        )
    if as_json:
        print_json(report.to_json())
    else:
        show(show_mirrored_report(report))


@app.command("drift")
def eval_drift(
    out: Annotated[Path, typer.Option(help="A folder where all is kept; a run that was cut short goes on.")],
    recipe: Annotated[str, typer.Option(help="How to train on all that memory holds; of one stage.")] = "small",
    own: Annotated[int, typer.Option(min=1, help="Steps of a training on what came since the last one.")] = 24,
    months: Annotated[str, typer.Option(help="When adapters are made and measured, several by commas.")] = "3,6,9,12",
    heads: Annotated[bool, typer.Option("--heads", help="Only preference heads: no language model.")] = False,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """A year of changing tastes: retraining from memory, training on, and merging, beside preference heads."""
    from memoria.distill.base import Base, base_name, base_of
    from memoria.distill.recipes import load_recipe
    from memoria.evaluate.drift import ARMS, HEADS, Bench, evaluate_drift
    from memoria.evaluate.drift_data import read_year
    from memoria.evaluate.drift_report import show_drift_report
    from memoria.models.embeddings import load_embeddings
    from memoria.settings import Settings

    settings = Settings.load()
    with Console(stderr=True).status("") as shown:
        bench = Bench(
            base=Base("", base_name(settings)) if heads else base_of(settings),
            recipe=load_recipe(recipe, settings.folder),
            embedder=load_embeddings(embeddings or settings.embeddings, settings.cache_dir),
            folder=made_folder(out),
            months=_numbers(months, "--months"),
            own=own,
            progress=shown.update,
        )
        report = evaluate_drift(read_year(), bench, arms=HEADS if heads else ARMS)
    if as_json:
        print_json(report.to_json())
    else:
        show(show_drift_report(report))


@app.command("card")
def eval_card(
    data: Annotated[Path, typer.Option(help="A data set whose questions have options (.gz too).")],
    split: Annotated[str, typer.Option(help="Which half of the people: dev, or test.")] = "test",
    people: Annotated[int, typer.Option(min=1, help="At most so many people of each case.")] = 1,
    preferences: Annotated[int, typer.Option(min=1, help="Preferences of a person.")] = 10,
    histories: Annotated[int, typer.Option(min=0, help="Questions of a person asked with the history, too.")] = 1,
    limit: Limit = None,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """Whether a preference card helps the local model to the answer that suits the person, of four."""
    from memoria.distill.base import base_of
    from memoria.evaluate.card_report import show_card_report
    from memoria.evaluate.preference_card import SPLITS, evaluate_card
    from memoria.models.embeddings import load_embeddings
    from memoria.models.generation import fresh_weights
    from memoria.models.likelihood import Likelihood
    from memoria.settings import Settings

    if split not in SPLITS:
        raise InvalidInput(f"--split {split!r} is none; name {' or '.join(SPLITS)}.")
    settings = Settings.load()
    with Console(stderr=True).status("") as shown:
        report = evaluate_card(
            data,
            scorer=Likelihood(fresh_weights(base_of(settings).place, half=True)),
            embedder=load_embeddings(embeddings or settings.embeddings, settings.cache_dir),
            settings=settings,
            split=SPLITS[split],
            people=people,
            preferences=preferences,
            histories=histories,
            limit=limit,
            progress=lambda done: shown.update(f"{done} questions done"),
        )
    if as_json:
        print_json(report.to_json())
    else:
        show(show_card_report(report))
