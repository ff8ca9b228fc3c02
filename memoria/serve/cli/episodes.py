"""Commands on turns and on the home: remember, recall, status, reindex, reembed, demo.

What enters: options. What leaves: what `Memory`'s verbs gave, shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from memoria.serve.cli.shared import (
    FAILED,
    AsJson,
    AsOf,
    At,
    Home,
    Model,
    Tenant,
    User,
    end_of_day,
    moment,
    open_memory,
    print_json,
    progress_bar,
    show,
)


def remember(
    file: Annotated[Path, typer.Argument(help="JSON lines of turns (.jsonl, .gz) or a ChatGPT export (.json, .zip).")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    session: Annotated[str | None, typer.Option(help="The session of turns that name none.")] = None,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """Remember a file of turns; turns remembered before are passed over."""
    from memoria.remember.sources import read_source

    turns = read_source(file)
    opened = open_memory(home, embeddings, must_exist=False)
    with opened as memory, progress_bar("remembering", quiet=as_json) as progress:
        fresh = memory.remember(turns, user=user, tenant=tenant, session=session, progress=progress)
    if as_json:
        print_json({"given": len(turns), "new": len(fresh), "ids": [episode.id for episode in fresh]})
    else:
        typer.echo(f"{len(fresh)} of {len(turns)} turns are new and now remembered for {user}.")


def recall(
    question: Annotated[str, typer.Argument(help="What to look for, in words.")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    k: Annotated[int | None, typer.Option("-k", min=1, help="At most so many turns.", show_default=False)] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="At most so many tokens.", show_default=False)] = None,
    session: Annotated[str | None, typer.Option(help="Only this session.")] = None,
    now: Annotated[str | None, typer.Option(help="Ask as of this time (ISO 8601 with offset).")] = None,
    at: At = None,
    as_of: AsOf = None,
    embeddings: Model = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what each signal gave.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find what is believed and the turns that answer a question, with their citations."""
    from memoria.serve.view import show_context

    with open_memory(home, embeddings, must_exist=False) as memory:
        context = memory.recall(
            question,
            user=user,
            tenant=tenant,
            k=k,
            budget=budget,
            session=session,
            now=moment(now, "now"),
            at=end_of_day(at, "at"),
            as_of=end_of_day(as_of, "as-of"),
        )
    if as_json:
        print_json(context.model_dump(mode="json"))
    else:
        show(show_context(context, explain=explain))


def status(
    home: Home = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check that everything holds together.")] = False,
    as_json: AsJson = False,
) -> None:
    """What the memory holds and how its index stands; no one's words."""
    from memoria.serve.view import show_status

    with open_memory(home) as memory:
        report = memory.status()
        if verify:
            report["faults"] = memory.verify()
    if as_json:
        print_json(report)
    else:
        show(show_status(report))
    if report.get("faults"):
        raise typer.Exit(FAILED)


def reindex(home: Home = None) -> None:
    """Build the vector index anew from the ledger."""
    with open_memory(home) as memory:
        memory.reindex()
    typer.echo("The vector index is built anew.")


def reembed(home: Home = None, embeddings: Model = None) -> None:
    """Embed everything again with another model, and rebuild the index."""
    with open_memory(home, embeddings) as memory, progress_bar("embedding") as progress:
        count = memory.reembed(progress)
        identity = memory.embedder.identity
    typer.echo(f"{count} turns are embedded by {identity}.")


def demo(
    data: Annotated[
        Path | None, typer.Option(help="The folder of ana.jsonl and ana_questions.yaml.", show_default=False)
    ] = None,
    home: Annotated[
        Path | None, typer.Option("--home", help="Keep the demo's memory here.", show_default=False)
    ] = None,
) -> None:
    """A year of conversation goes in, and the right turns come out, with reasons."""
    from memoria.serve.demo import run_demo

    run_demo(Console(), data, home)
