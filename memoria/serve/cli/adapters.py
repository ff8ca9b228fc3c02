"""`memoria adapters`: what was distilled of a person, of what, and what serves.

What enters: an adapter's id. What leaves: tables; files, where one is exported.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memoria.serve.cli.shared import AsJson, Home, Tenant, User, open_memory, print_json, show

if TYPE_CHECKING:
    from memoria.distill.records import Adapter

app = typer.Typer(no_args_is_help=True, help="Adapters: what was distilled of a person, of what, and what serves.")
Id = Annotated[str, typer.Argument(metavar="ID", help="An adapter's id, as memoria adapters list shows.")]


class KindName(StrEnum):
    """The kinds of adapters."""

    LORA = "lora"
    PROMPT = "prompt"
    HEAD = "head"
    CARD = "card"


@app.command("list")
def list_adapters(user: User, home: Home = None, tenant: Tenant = "default", as_json: AsJson = False) -> None:
    """Every adapter of the person, the newest first (with --json, in the order it was made)."""
    from memoria.serve.adapters import show_adapters

    with open_memory(home) as memory:
        found = memory.adapters(user=user, tenant=tenant)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    else:
        show(show_adapters(found))


@app.command("show")
def show_one(adapter: Id, user: User, home: Home = None, tenant: Tenant = "default", as_json: AsJson = False) -> None:
    """Whether it may serve now, what the gate measured, and every belief and turn that it was made of."""
    from memoria.serve.adapters import show_adapter

    with open_memory(home) as memory:
        found = memory.adapter(adapter, user=user, tenant=tenant)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        show(show_adapter(found))


@app.command()
def promote(
    adapter: Id,
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    force: Annotated[bool, typer.Option("--force", help="Whatever the gate said of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let it serve; what served in its place retires."""
    with open_memory(home) as memory:
        made = memory.promote(adapter, user=user, tenant=tenant, force=force)
    _tell(made, f"{made.id} serves.", as_json=as_json)


@app.command()
def reject(
    adapter: Id,
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    why: Annotated[str, typer.Option(help="Kept with it, and shown.")] = "a human refused it",
    as_json: AsJson = False,
) -> None:
    """Keep a candidate from serving, whatever the gate said."""
    with open_memory(home) as memory:
        made = memory.reject(adapter, user=user, tenant=tenant, why=why)
    _tell(made, f"{made.id} will not serve: {why}.", as_json=as_json)


@app.command()
def rollback(
    kind: KindName, user: User, home: Home = None, tenant: Tenant = "default", as_json: AsJson = False
) -> None:
    """Take what serves out of service, for the newest older one that served and still may."""
    with open_memory(home) as memory:
        found = memory.rollback(kind.value, user=user, tenant=tenant)
    _tell(found, f"{found.id} serves." if found is not None else f"No {kind.value} serves.", as_json=as_json)


@app.command()
def export(
    adapter: Id,
    target: Annotated[Path, typer.Argument(help="The folder to make; with --encrypt, the file.")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Ask for a password, and encrypt.")] = False,
) -> None:
    """Copy it out of the home in PEFT's layout, with a manifest of ids. Forgetting cannot reach the copy."""
    with open_memory(home) as memory:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if encrypt else None
        made = memory.export_adapter(adapter, target, user=user, tenant=tenant, password=password)
    typer.echo(f"{made.id} is in {target}; what is forgotten here stays in it.")


@app.command()
def unlock(
    file: Annotated[Path, typer.Argument(help="What export --encrypt wrote.")],
    target: Annotated[Path, typer.Argument(help="The folder to make.")],
) -> None:
    """Decrypt an exported adapter into a folder; no home is needed."""
    from memoria.distill.export import unlock as opened

    opened(file, target, typer.prompt("Password", hide_input=True))
    typer.echo(f"It is in {target}.")


@app.command()
def compare(
    one: Id,
    other: Annotated[str, typer.Argument(metavar="ID", help="Another.")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    as_json: AsJson = False,
) -> None:
    """Two adapters' figures side by side, and what only one was made of."""
    from memoria.serve.adapters import show_comparison

    with open_memory(home) as memory:
        found = memory.compare_adapters(one, other, user=user, tenant=tenant)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        show(show_comparison(found))


def _tell(made: Adapter | None, said: str, *, as_json: bool) -> None:
    """What became of an adapter: as JSON (null: there is none), or in a sentence."""
    if as_json:
        print_json(made.model_dump(mode="json") if made is not None else None)
    else:
        typer.echo(said)
