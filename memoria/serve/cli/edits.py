"""Commands that change what is believed: believe, correct, retract, merge, unmerge, learn, retain.

What enters: an edit, made by hand. What leaves: the belief as it stands after it. Each is one of `Memory`'s verbs;
nothing is overwritten (to erase, see `forget`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from memoria.records import Fact, Preference
from memoria.serve.cli.shared import (
    AsJson,
    BeliefId,
    Home,
    Revision,
    Tenant,
    User,
    full_id,
    open_memory,
    print_json,
    show,
    start_of_day,
)


class Act(StrEnum):
    """What is said of a fact: it is so, it became so, it is so no longer, it never was."""

    affirm = "affirm"
    change = "change"
    end = "end"
    deny = "deny"


def believe(
    predicate: Annotated[str, typer.Argument(help='The question that it answers, as "home".')],
    value: Annotated[str, typer.Argument(help='The answer, as "Lisbon".')],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    subject: Annotated[str, typer.Option(help="Whom it is about; the person is: user.")] = "user",
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Since when (a day, or a time with offset).")
    ] = None,
    act: Annotated[Act, typer.Option(help="It is so, became so, is so no longer, or never was.")] = Act.affirm,
    revision: Revision = None,
    as_json: AsJson = False,
) -> None:
    """State a fact by hand."""
    with open_memory(home, must_exist=False) as memory:
        belief = memory.believe(
            predicate,
            value,
            user=user,
            tenant=tenant,
            subject=subject,
            since=start_of_day(since, "since"),
            act=act.value,
            revision=revision,
        )
    _show(belief, as_json=as_json)


def correct(
    item: BeliefId,
    value: Annotated[str, typer.Argument(help="What it should say instead.")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    revision: Revision = None,
    as_json: AsJson = False,
) -> None:
    """Replace what a belief says: the old value never was so."""
    with open_memory(home) as memory:
        item = full_id(memory, item, user, tenant)
        belief = memory.correct(item, value, user=user, tenant=tenant, revision=revision)
    _show(belief, as_json=as_json)


def retract(
    item: BeliefId,
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    revision: Revision = None,
    as_json: AsJson = False,
) -> None:
    """Take back all evidence for a belief; what it superseded returns. The turns stay (to erase: forget)."""
    with open_memory(home) as memory:
        item = full_id(memory, item, user, tenant)
        memory.retract(item, user=user, tenant=tenant, revision=revision)
        belief = memory.explain(item, user=user, tenant=tenant).belief
    _show(belief, as_json=as_json)


def merge(
    name: Annotated[str, typer.Argument(help="A name.")],
    same_as: Annotated[str, typer.Argument(help="The name that it is another one for.")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
) -> None:
    """Take two names for one entity's, until unmerge (memoria entities lists the names)."""
    with open_memory(home) as memory:
        memory.merge(name, same_as, user=user, tenant=tenant)
    typer.echo(f"{name} and {same_as} are one now; to undo it: memoria unmerge {name!r} --user {user}")


def unmerge(
    name: Annotated[str, typer.Argument(help="The name that was merged.")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
) -> None:
    """Undo the merges of a name."""
    with open_memory(home) as memory:
        memory.unmerge(name, user=user, tenant=tenant)
    typer.echo(f"{name} stands for itself again.")


def learn(
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many turns.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Read the turns that were not read for facts and preferences yet."""
    with open_memory(home) as memory:
        count = memory.learn(user=user, tenant=tenant, limit=limit)
        believed = len(memory.beliefs(user=user, tenant=tenant))
    if as_json:
        print_json({"read": count, "beliefs": believed})
    else:
        typer.echo(f"{count} turns were read; {believed} beliefs hold now.")


def retain(user: User, home: Home = None, tenant: Tenant = "default", as_json: AsJson = False) -> None:
    """Forget what the settings' retention says has been kept long enough."""
    from memoria.serve.view import show_receipt

    with open_memory(home) as memory:
        receipts = memory.retain(user=user, tenant=tenant)
    if as_json:
        print_json([each.model_dump(mode="json") for each in receipts])
    elif not receipts:
        typer.echo("Nothing has been kept too long; the days are retention's in the settings.")
    else:
        for receipt in receipts:
            show(show_receipt(receipt))


def _show(belief: Fact | Preference, *, as_json: bool) -> None:
    from memoria.serve.tables import in_a_line

    if as_json:
        print_json(belief.model_dump(mode="json"))
    else:
        typer.echo(in_a_line(belief))
