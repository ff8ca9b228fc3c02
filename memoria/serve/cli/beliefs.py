"""Commands that show what is believed: beliefs, entities, explain, why-not, graph.

What enters: whose beliefs, and which. What leaves: a table, a story, a graph in text or as a picture; nothing is
written to the memory.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from memoria.errors import UnknownBelief
from memoria.serve.cli.shared import (
    AsJson,
    AsOf,
    At,
    Home,
    Model,
    Tenant,
    User,
    end_of_day,
    full_id,
    open_memory,
    print_json,
    short_ids,
    show,
    write_file,
)


class Format(StrEnum):
    """In which language a graph is written."""

    mermaid = "mermaid"
    graphml = "graphml"
    json = "json"


def beliefs(
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    about: Annotated[str | None, typer.Option(metavar="WORDS", help="Only those that say all of these words.")] = None,
    at: At = None,
    as_of: AsOf = None,
    retired: Annotated[bool, typer.Option("--retired", help="Also what is so no longer.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is believed: facts and preferences, in the order they were learnt."""
    from memoria.serve.tables import show_beliefs

    with open_memory(home) as memory:
        days = {"at": end_of_day(at, "at"), "as_of": end_of_day(as_of, "as-of")}
        found = memory.beliefs(user=user, tenant=tenant, about=about, retired=retired, **days)
        everything = memory.beliefs(user=user, tenant=tenant, retired=True)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    else:
        known = [each.id for each in everything]
        show(show_beliefs(found, dict(zip(known, short_ids(known), strict=True))))


def entities(user: User, home: Home = None, tenant: Tenant = "default", as_json: AsJson = False) -> None:
    """Everybody and everything that beliefs are about, with all names."""
    from memoria.serve.tables import show_entities

    with open_memory(home) as memory:
        found = memory.entities(user=user, tenant=tenant)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    else:
        show(show_entities(found))


def explain(
    item: Annotated[
        str, typer.Argument(metavar="ID", help="A belief's id, or how it begins; or a turn's id.", show_default=False)
    ],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    as_json: AsJson = False,
) -> None:
    """Why a belief stands as it does, down to the words; or what became of a turn."""
    with open_memory(home) as memory:
        item = full_id(memory, item, user, tenant)
        try:
            story = memory.explain(item, user=user, tenant=tenant)
        except UnknownBelief:
            try:
                story = memory.explain_turn(item, user=user, tenant=tenant)
            except UnknownBelief:
                raise UnknownBelief(
                    f"There is no belief and no turn {item!r} in this memory; list beliefs with: "
                    f"memoria beliefs --user {user} --retired"
                ) from None
    if as_json:
        print_json(story.model_dump(mode="json"))
    else:
        typer.echo(story.text)


def why_not(
    question: Annotated[str, typer.Argument(help="What was asked, in words.")],
    item: Annotated[str, typer.Argument(metavar="ID", help="The belief's or turn's id.", show_default=False)],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    k: Annotated[int | None, typer.Option("-k", min=1, help="At most so many turns.", show_default=False)] = None,
    embeddings: Model = None,
    as_json: AsJson = False,
) -> None:
    """Which signal or rule kept a turn or a belief out of the answer to a question."""
    with open_memory(home, embeddings) as memory:
        item = full_id(memory, item, user, tenant)
        reason = memory.why_not(question, item, user=user, tenant=tenant, k=k)
    if as_json:
        print_json({"question": question, "id": item, "reason": reason})
    else:
        typer.echo(reason)


def graph(
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    form: Annotated[
        Format | None, typer.Option("--format", help="How to write it.", show_default="mermaid, but with --png")
    ] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it into this file.")] = None,
    current: Annotated[bool, typer.Option("--current", help="Only what is so now.")] = False,
) -> None:
    """The person's knowledge graph, in a language of graphs or as a picture."""
    from memoria.serve import graphs

    with open_memory(home) as memory:
        drawn = graphs.named(memory.graph(user=user, tenant=tenant), user, current=current)
    if png is not None:
        from memoria.serve.picture import draw

        write_file(png, draw(drawn, user))
        typer.echo(f"{drawn.number_of_edges()} beliefs are drawn in {png}.", err=form is not None)
    if png is None or form is not None:
        write = {Format.graphml: graphs.to_graphml, Format.json: graphs.to_json, Format.mermaid: graphs.to_mermaid}
        typer.echo(write[form or Format.mermaid](drawn))
