"""`memoria distil`: what a memory becomes outside of itself, and whether the gate lets it serve.

What enters: whose memory, and a recipe. What leaves: a line for each thing made, with its figures, and the training's
loss as a curve.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from memoria.errors import InvalidInput
from memoria.serve.cli.shared import REMAINS, AsJson, Home, Tenant, User, open_memory, print_json, show, write_file

if TYPE_CHECKING:
    from memoria.distill.distillation import Distilled
    from memoria.distill.process import Heard


def distil(
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    recipe: Annotated[
        str | None, typer.Option(help="How an adapter is trained, by name.", show_default="the settings'")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only this: head, card or adapter; may be repeated.", show_default="the settings'"),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the training's loss into a PNG.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be learnt from.")] = False,
    as_json: AsJson = False,
) -> None:
    """Distil the person's memory into a preference head, a preference card and an adapter; each serves only if the
    gate lets it. Exit code 1 where something was made and nothing of it serves."""
    from memoria.distill.recipes import load_recipe
    from memoria.serve.distillations import loss_picture, show_data, show_distillation

    kinds = _kinds(kind)
    with open_memory(home) as memory:
        if dry_run:
            chosen = load_recipe(recipe or memory.settings.distil.recipe, memory.settings.folder)
            data = memory.dataset(user=user, tenant=tenant, facts=chosen.facts)
            print_json(data.model_dump(mode="json")) if as_json else show(show_data(data))
            return
        with _told(quiet=as_json) as heard:
            done = memory.distill(user=user, tenant=tenant, recipe=recipe, kinds=kinds, heard=heard)
    if picture is not None:
        write_file(picture, loss_picture(done))
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        show(show_distillation(done))
    outcomes = {each.outcome for each in done.made}
    if "rejected" in outcomes and "promoted" not in outcomes:
        raise typer.Exit(REMAINS)


def _kinds(given: list[str] | None) -> list[Distilled] | None:
    if not given:
        return None
    found: list[Distilled] = []
    for each in given:
        if each not in ("head", "card", "adapter"):
            raise InvalidInput(f"--kind {each}: there are head, card and adapter.")
        found.append(each)
    return found


@contextmanager
def _told(*, quiet: bool) -> Generator[Heard]:
    """A bar on stderr, with the first step."""
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("Waiting", total=None, visible=False)

        def heard(facts: dict[str, Any]) -> None:
            if facts.get("waiting"):
                bar.update(task, description="Waiting for another training on this machine", visible=True)
            elif "step" in facts:
                said = f"Training, loss {facts['loss']:.2f}"
                bar.update(task, description=said, completed=facts["step"], total=facts["steps"], visible=True)

        yield heard
