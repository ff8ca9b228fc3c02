"""`memoria eval recall`, `memoria eval profile` and `memoria eval beliefs`.

What enters: a data set, or the packaged dialogues. What leaves: tables beside baselines; how far it is, on stderr.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from memoria.errors import InvalidInput
from memoria.serve.cli.shared import AsJson, Model, print_json, show

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
            budgets=_numbers(budgets),
            limit=limit,
            categories=category or (),
            progress=lambda done: shown.update(f"{done} conversations done"),
        )
    if as_json:
        print_json(report.to_json())
    else:
        show(show_profile_report(report))


def _numbers(text: str) -> list[int]:
    found = [int(part) for part in text.split(",") if part.strip().isdigit()]
    if not found or len(found) != text.count(",") + 1 or min(found) < 1:
        raise InvalidInput(f"--budgets {text!r} are no numbers of tokens; write them like 300,800,1500.")
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
