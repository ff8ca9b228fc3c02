"""`memoria distil`: what a memory becomes outside of itself, and whether the gate lets it serve.

What enters: whose memory, and a recipe. What leaves: a line for each thing made, with its figures, and the training's
loss as a curve; for many people a line for each of them.
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
from memoria.serve.cli.jobs import show_run_records
from memoria.serve.cli.shared import REMAINS, AsJson, Home, open_memory, print_json, show, write_file

if TYPE_CHECKING:
    from memoria_graphs.many import Executor

    from memoria.distill.distillation import Distillation, Distilled
    from memoria.distill.process import Heard
    from memoria.distill.recipes import Recipe
    from memoria.distill.records import Dataset
    from memoria.memory import Memory


MaybeUser = Annotated[str | None, typer.Option("--user", help="Whose memory.", show_default=False)]
MaybeTenant = Annotated[
    str | None, typer.Option("--tenant", help="The tenant; --owed alone is for all of them.", show_default="default")
]
Everybody = Annotated[bool, typer.Option("--all", help="For everybody for whom enough changed.")]
Owed = Annotated[bool, typer.Option("--owed", help="For all of whose memory something was forgotten that served.")]
RecipeName = Annotated[
    str | None, typer.Option("--recipe", help="How an adapter is trained, by name.", show_default="the settings'")
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Only this: head, card or adapter; may be repeated.", show_default="the settings'"),
]
Where = Annotated[
    str, typer.Option("--executor", help="With --all or --owed: local, or ray for the work with a language model.")
]
Address = Annotated[
    str | None,
    typer.Option("--address", help="The Ray cluster's; none begins one on this machine.", show_default=False),
]
Picture = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE", help="Draw the training's loss into a PNG.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be learnt from.")]


def distil(
    home: Home = None,
    user: MaybeUser = None,
    tenant: MaybeTenant = None,
    everybody: Everybody = False,
    owed: Owed = False,
    recipe: RecipeName = None,
    kind: Kinds = None,
    executor: Where = "local",
    address: Address = None,
    picture: Picture = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Distil a person's memory into a preference head, a preference card and an adapter; each serves only if the gate
    lets it. Exit code 1 where something was made and nothing of it serves, or a run failed."""
    kinds = _kinds(kind)
    if [user is not None, everybody, owed].count(True) != 1:
        raise InvalidInput("Whom for? Give one of --user NAME, --all and --owed.")
    if user is None:
        if dry_run or picture is not None:
            raise InvalidInput("--dry-run and --picture go with --user.")
        _distil_many(home, tenant, owed, recipe, kinds, _executor(executor), address, as_json)
        return
    if _executor(executor) != "local" or address is not None:
        raise InvalidInput("--executor and --address go with --all or --owed.")
    _check_picture(picture, kinds)
    whose = tenant or "default"
    with open_memory(home) as memory:
        chosen = _recipe(memory, recipe)
        if dry_run:
            _show_data(memory.dataset(user=user, tenant=whose, facts=chosen.facts), as_json)
            return
        with _told(quiet=as_json) as heard:
            done = memory.distill(user=user, tenant=whose, recipe=chosen, kinds=kinds, heard=heard)
    _show_done(done, picture, as_json)


def _recipe(memory: Memory, name: str | None) -> Recipe:
    from memoria.distill.recipes import load_recipe

    return load_recipe(name or memory.settings.distil.recipe, memory.settings.folder)


def _check_picture(picture: Path | None, kinds: list[Distilled] | None) -> None:
    """Refuse before the training what could not be drawn after it."""
    if picture is None:
        return
    if kinds is not None and "adapter" not in kinds:
        raise InvalidInput("--picture draws the training of an adapter; add --kind adapter, or leave it out.")
    if picture.is_dir() or not picture.parent.is_dir():
        raise InvalidInput(f"--picture {picture} is no file in a folder that is there; name another file.")


def _show_data(data: Dataset, as_json: bool) -> None:
    from memoria.serve.distillations import show_data

    print_json(data.model_dump(mode="json")) if as_json else show(show_data(data))


def _show_done(done: Distillation, picture: Path | None, as_json: bool) -> None:
    from memoria.serve.distillations import loss_picture, show_distillation

    print_json(done.model_dump(mode="json")) if as_json else show(show_distillation(done))
    if picture is not None:
        write_file(picture, loss_picture(done))
    outcomes = {each.outcome for each in done.made}
    if "rejected" in outcomes and "promoted" not in outcomes:
        raise typer.Exit(REMAINS)


def _distil_many(
    home: Path | None,
    tenant: str | None,
    owed: bool,
    recipe: str | None,
    kinds: list[Distilled] | None,
    executor: Executor,
    address: str | None,
    as_json: bool,
) -> None:
    from memoria_graphs.many import distil_many

    with open_memory(home) as memory:
        people = memory.owed() if owed else memory.users(tenant=tenant or "default")
        people = [each for each in people if tenant in (None, each.tenant)]
        chosen = _recipe(memory, recipe)
        runs = distil_many(memory, people, recipe=chosen, kinds=kinds, executor=executor, address=address)
    show_run_records(runs, as_json, "Nobody is owed a rebuild." if owed else "There is nobody to distil for.")


def _executor(given: str) -> Executor:
    if given not in ("local", "ray"):
        raise InvalidInput(f"--executor {given}: there are local and ray.")
    return given


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
