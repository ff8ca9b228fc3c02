"""Commands by which a person teaches: feedback on an answer, and whether they want to be learnt from.

What enters: an answer's id and what they think of it, or their word. What leaves: a line that says what is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from memoria.errors import InvalidInput, UnknownBelief
from memoria.serve.cli.shared import Home, Tenant, User, open_memory

if TYPE_CHECKING:
    from memoria.memory import Memory


def feedback(
    episode: Annotated[str, typer.Argument(metavar="EPISODE", help="The answer's id, or how it begins.")],
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    score: Annotated[int | None, typer.Option(help="1: good, -1: not.", show_default=False)] = None,
    correction: Annotated[
        str | None, typer.Option(help="What it should have been, in your words.", show_default=False)
    ] = None,
) -> None:
    """Say what you think of an assistant's answer: it is learnt from when the memory is distilled."""
    with open_memory(home) as memory:
        found = memory.feedback(
            _turn(memory, episode, user, tenant),
            user=user,
            tenant=tenant,
            score=cast(Literal[-1, 1] | None, score),
            correction=correction,
        )
        text = " ".join(found.text.split())
        typer.echo(f"Kept, and forgotten with the answer: {text if len(text) <= 80 else text[:79] + '…'}")


def consent(
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    withhold: Annotated[bool, typer.Option("--withhold", help="Do not learn from me (any more).")] = False,
) -> None:
    """Say whether what is remembered may be learnt from; what was distilled goes where it may not."""
    with open_memory(home) as memory:
        memory.consent(not withhold, user=user, tenant=tenant)
        done = "is not learnt from, and nothing distilled of them serves" if withhold else "may be learnt from"
        typer.echo(f"{user} {done}.")


def _turn(memory: Memory, begun: str, user: str, tenant: str) -> str:
    """The id of the one turn whose id begins so."""
    found = [each.id for each in memory.episodes(user=user, tenant=tenant) if begun and each.id.startswith(begun)]
    if not found:
        raise UnknownBelief(
            f"No turn's id begins with {begun!r}; find turns with: memoria recall QUESTION --user {user} --json"
        )
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} turns' ids begin with {begun!r}; give more of it.")
    return found[0]
