"""`memoria forget` and `memoria forget verify`.

What enters: a wish to forget, or a text that should be gone. What leaves: a receipt; or the places where something
remains, or how much of it the weights that serve give away, and exit code 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from memoria.errors import EmbeddingMismatch, InvalidInput, ModelUnavailable
from memoria.serve.cli.shared import (
    REMAINS,
    AsJson,
    Home,
    Model,
    Tenant,
    open_memory,
    print_json,
    show,
    start_of_day,
)

app = typer.Typer(invoke_without_command=True)
MaybeUser = Annotated[str | None, typer.Option("--user", help="Whose memory.", show_default=False)]


@app.callback()
def forget(
    context: typer.Context,
    user: MaybeUser = None,
    home: Home = None,
    tenant: Tenant = "default",
    ids: Annotated[list[str] | None, typer.Option("--id", help="A turn's or belief's id (may be repeated).")] = None,
    query: Annotated[str | None, typer.Option(help="What mentions these words, or means nearly the same.")] = None,
    session: Annotated[str | None, typer.Option(help="A whole session.")] = None,
    before: Annotated[str | None, typer.Option(help="What was said before this day, or time with offset.")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="All that is remembered of the person.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """Forget for good: out of the memory and out of every byte of its files. To check: memoria forget verify."""
    from memoria.serve.view import show_receipt

    if context.invoked_subcommand is not None:
        sources = [context.get_parameter_source(name) for name in context.params]
        if any(source is not None and source.name == "COMMANDLINE" for source in sources):
            raise InvalidInput("Options of verify stand after it; see: memoria forget verify --help")
        return
    if user is None:
        raise InvalidInput("forget needs --user; see: memoria forget --help")
    with open_memory(home, embeddings) as memory:
        receipt = memory.forget(
            user=user,
            tenant=tenant,
            ids=ids,
            query=query,
            session=session,
            before=start_of_day(before, "before"),
            everything=everything,
            dry_run=dry_run,
        )
    if as_json:
        print_json(receipt.model_dump(mode="json"))
    else:
        show(show_receipt(receipt))


@app.command()
def verify(
    user: MaybeUser = None,
    home: Home = None,
    tenant: Tenant = "default",
    text: Annotated[list[str] | None, typer.Option("--text", help="What should be gone (may be repeated).")] = None,
    file: Annotated[Path | None, typer.Option(help="A file of what should be gone, one text a line.")] = None,
    weights: Annotated[
        bool, typer.Option("--weights", help="Measure instead whether what serves gives a text away.")
    ] = False,
    ask: Annotated[
        str | None, typer.Option(help="With --weights: the question that a text answers.", show_default=False)
    ] = None,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """Read every byte of the home for a text and its vector; without a text, check every receipt."""
    texts = [*(text or ()), *(_lines(file) if file is not None else ())]
    if file is not None and not texts:
        raise InvalidInput(f"{file} holds no text; write what should be gone into it, one text a line.")
    if ask is not None and not weights:
        raise InvalidInput("--ask goes with --weights.")
    if weights:
        _verify_weights(home, texts, user, tenant, ask, as_json)
        return
    with open_memory(home, embeddings) as memory:
        try:
            left = memory.verify_forgotten(texts, user=user, tenant=tenant)
        except (ModelUnavailable, EmbeddingMismatch) as error:
            typer.echo(f"memoria: vectors were not looked for: {error}", err=True)
            left = memory.verify_forgotten(texts, user=user, tenant=tenant, vectors=False)
    if as_json:
        print_json({"texts": len(texts), "clean": not left, "residue": left})
    elif left:
        typer.echo("\n".join(left))
    elif texts:
        typer.echo("Clean: no file of the home holds it.")
    else:
        typer.echo("Clean: every receipt holds.")
    if left:
        raise typer.Exit(REMAINS)


def _verify_weights(
    home: Path | None, texts: list[str], user: str | None, tenant: str, ask: str | None, as_json: bool
) -> None:
    if user is None or not texts:
        raise InvalidInput("--weights needs --user, and with --text what should be gone, best as it was said.")
    with open_memory(home) as memory, Console(stderr=True).status("Measuring what serves; half a minute or more"):
        found = [memory.exposure(text, user=user, tenant=tenant, ask=ask) for text in texts]
    if as_json:
        print_json([{**each.model_dump(mode="json"), "exposed": each.exposed, "why": each.why} for each in found])
    else:
        typer.echo("\n".join(f"{each.secret!r}: {each.why}" for each in found))
    if any(each.exposed for each in found):
        raise typer.Exit(REMAINS)


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read as text ({error}); name a file of texts in UTF-8.") from error
    return [line for line in lines if line.strip()]
