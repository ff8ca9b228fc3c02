"""The command line: `memoria remember | recall | forget | status | reindex | reembed | eval | demo`.

What enters: arguments. What leaves: readable text, or JSON with stable keys (`--json`). An error is one line that ends
with the next step, on stderr, and exit code 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from typer.exceptions import Abort, TyperException

from memoria.errors import InvalidInput, MemoriaError

app = typer.Typer(help="A lifelong memory for agents, in one folder on this machine.", no_args_is_help=True)
evaluate = typer.Typer(help="Measure memoria on a data set.", no_args_is_help=True)
app.add_typer(evaluate, name="eval")

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar="MEMORIA_HOME", help="The memory's folder.", show_default=False),
]
User = Annotated[str, typer.Option("--user", help="Whose memory.")]
Tenant = Annotated[str, typer.Option("--tenant", help="The tenant the person belongs to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON with stable keys.")]
Model = Annotated[
    str | None,
    typer.Option("--embeddings", help="An embedding model; the default works offline.", show_default=False),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N cases.", show_default=False)]

_FAILED, _INTERRUPTED = 2, 130


def main() -> None:
    """Run the command line."""
    try:
        code = app(
            standalone_mode=False, prog_name="memoria"
        )  # typer's own error boxes take five lines to say one thing
    except TyperException as error:
        sys.stderr.write(_usage(error))
        code = _FAILED
    except MemoriaError as error:
        print(f"memoria: {error}", file=sys.stderr)
        code = _FAILED
    except (KeyboardInterrupt, Abort):
        print("memoria: stopped; what was acknowledged is kept.", file=sys.stderr)
        code = _INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: Any) -> str:
    """A usage error on one line with the next step; nothing where the help is on the screen already."""
    said = str(error.format_message()).strip()
    return f"memoria: {said.rstrip('.')}; see: {error.ctx.command_path} --help\n" if said else ""


@app.command()
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
    with _open(home, embeddings) as memory, _progress("remembering", quiet=as_json) as progress:
        fresh = memory.remember(turns, user=user, tenant=tenant, session=session, progress=progress)
    if as_json:
        _print_json({"given": len(turns), "new": len(fresh), "ids": [episode.id for episode in fresh]})
    else:
        typer.echo(f"{len(fresh)} of {len(turns)} turns are new and now remembered for {user}.")


@app.command()
def recall(
    question: Annotated[str, typer.Argument(help="What to look for, in words.")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    k: Annotated[int | None, typer.Option("-k", min=1, help="At most so many turns.", show_default=False)] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="At most so many tokens.", show_default=False)] = None,
    session: Annotated[str | None, typer.Option(help="Only this session.")] = None,
    now: Annotated[str | None, typer.Option(help="Ask as of this time (ISO 8601 with offset).")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Only what was recorded by this time.")] = None,
    embeddings: Model = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what each signal gave.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find the turns that answer a question, with their citations."""
    from memoria.serve.view import show_context

    with _open(home, embeddings) as memory:
        context = memory.recall(
            question,
            user=user,
            tenant=tenant,
            k=k,
            budget=budget,
            session=session,
            now=_moment(now, "now"),
            as_of=_moment(as_of, "as-of"),
        )
    if as_json:
        _print_json(context.model_dump(mode="json"))
    else:
        Console().print(show_context(context, explain=explain))


@app.command()
def forget(
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    ids: Annotated[list[str] | None, typer.Option("--id", help="An episode's id (may be repeated).")] = None,
    query: Annotated[str | None, typer.Option(help="What mentions these words, or means nearly the same.")] = None,
    session: Annotated[str | None, typer.Option(help="A whole session.")] = None,
    before: Annotated[str | None, typer.Option(help="What was said before this time (ISO 8601 with offset).")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="All that is remembered of the person.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """Forget for good: out of the memory and out of every byte of its files."""
    from memoria.serve.view import show_receipt

    with _open(home, embeddings, must_exist=True) as memory:
        receipt = memory.forget(
            user=user,
            tenant=tenant,
            ids=ids,
            query=query,
            session=session,
            before=_moment(before, "before"),
            everything=everything,
            dry_run=dry_run,
        )
    if as_json:
        _print_json(receipt.model_dump(mode="json"))
    else:
        Console().print(show_receipt(receipt))


@app.command()
def status(
    home: Home = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check that everything holds together.")] = False,
    as_json: AsJson = False,
) -> None:
    """What the memory holds and how its index stands; no one's words."""
    from memoria.serve.view import show_status

    with _open(home, None, must_exist=True) as memory:
        report = memory.status()
        if verify:
            report["faults"] = memory.verify()
    if as_json:
        _print_json(report)
    else:
        Console().print(show_status(report))
    if report.get("faults"):
        raise typer.Exit(_FAILED)


@app.command()
def reindex(home: Home = None) -> None:
    """Build the vector index anew from the ledger."""
    with _open(home, None, must_exist=True) as memory:
        memory.reindex()
    typer.echo("The vector index is built anew.")


@app.command()
def reembed(home: Home = None, embeddings: Model = None) -> None:
    """Embed everything again with another model, and rebuild the index."""
    with _open(home, embeddings, must_exist=True) as memory, _progress("embedding") as progress:
        count = memory.reembed(progress)
        identity = memory.embedder.identity
    typer.echo(f"{count} turns are embedded by {identity}.")


@evaluate.command("recall")
def eval_recall(
    file: Annotated[Path, typer.Argument(help="A data set: JSON lines, one conversation a line (.gz too).")],
    limit: Limit = None,
    embeddings: Model = None,
    off: Annotated[list[str] | None, typer.Option("--off", help="Switch a signal off (may be repeated).")] = None,
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
        _print_json(report.to_json())
    else:
        Console().print(show_report(report))


@app.command()
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


@contextmanager
def _open(home: Path | None, embeddings: str | None, *, must_exist: bool = False) -> Generator[Any]:
    from memoria.memory import Memory
    from memoria.settings import default_home
    from memoria.store.ledger import FILE

    place = home or default_home()
    if must_exist and not (place / FILE).exists():
        raise InvalidInput(f"There is no memory in {place}; name one with --home, or remember something first.")
    with Memory(place, embeddings=embeddings) as memory:
        yield memory


@contextmanager
def _progress(what: str, *, quiet: bool = False) -> Generator[Any]:
    """A bar on stderr that appears with the first report."""
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


def _moment(text: str | None, option: str) -> datetime | None:
    from memoria.remember.turns import parse_time

    try:
        return parse_time(text)
    except InvalidInput as error:
        raise InvalidInput(f"--{option}: {error}") from error


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
