"""Commands of reflection: reflect, profile.

What enters: whose memory, and which version. What leaves: a profile with what bears it out, or what changed.
"""

from __future__ import annotations

from typing import Annotated

import typer

from memoria.serve.cli.shared import AsJson, Home, Tenant, User, open_memory, print_json, show

Writer = Annotated[
    str | None,
    typer.Option("--model", help="A chat model that writes lines too, as LangChain names it.", show_default=False),
]


def reflect(
    user: User, home: Home = None, tenant: Tenant = "default", model: Writer = None, as_json: AsJson = False
) -> None:
    """Bring the person's profile up to date with their history; of an unchanged one nothing is written."""
    from memoria.serve.profiles import show_reflection

    with open_memory(home) as memory:
        made = memory.reflect(user=user, tenant=tenant, model=model)
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        show(show_reflection(made))


def profile(
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    version: Annotated[int | None, typer.Option(help="An earlier version.", show_default=False)] = None,
    since: Annotated[
        int | None, typer.Option("--diff", metavar="VERSION", help="What changed since that version.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the lines that ranked below its bound.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="Under each line, words that bear it out.")] = False,
    as_json: AsJson = False,
) -> None:
    """What the person's history amounts to, each line with what it rests on."""
    from memoria.reflect.assemble import as_sections
    from memoria.serve.profiles import show_diff, show_profile

    with open_memory(home) as memory:
        found = memory.profile(user=user, tenant=tenant, version=version)
        if since is not None:
            diff = memory.compare_profiles(since, found.version, user=user, tenant=tenant)
            print_json(diff.model_dump(mode="json")) if as_json else show(show_diff(diff))
            return
        wanted = evidence and not as_json
        quotes = {each.id: each.text for each in memory.episodes(user=user, tenant=tenant)} if wanted else None
    if everything:
        found = found.model_copy(update={"sections": as_sections([*found.lines, *found.left_out]), "left_out": ()})
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        show(show_profile(found, quotes))
