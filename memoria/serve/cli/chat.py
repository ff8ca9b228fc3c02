"""`memoria chat`: talk to a personal assistant that remembers.

What enters: whose memory, and which model. What leaves: a talk in the terminal, or, from a pipe, one answer for each
line. Without `--model` the local model answers where it is installed, else the memory alone.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from memoria.serve.cli.shared import Home, Model, Tenant, User, open_memory

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from memoria.settings import Settings

NONE = "none"


def chat(
    user: User,
    home: Home = None,
    tenant: Tenant = "default",
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="local, local:PATH, none, or provider:name.",
            show_default="local where it is installed",
        ),
    ] = None,
    thread: Annotated[
        str | None, typer.Option("--thread", help="Go on with this session.", show_default="a new one")
    ] = None,
    embeddings: Model = None,
) -> None:
    """Talk to an assistant that remembers, shows what its answers rest on, and says when it does not know."""
    from memoria_agents import Assistant

    from memoria.models.chat import LOCAL
    from memoria.serve.cli.talk import Talk
    from memoria.settings import Settings

    settings = Settings.load()
    name = model or _default()
    chosen = _chosen(name, settings)
    strict = name == NONE or name.partition(":")[0] == LOCAL
    with open_memory(home, embeddings, must_exist=False) as memory:
        assistant = Assistant(memory, user=user, tenant=tenant, model=chosen, strict=strict, thread=thread)
        Talk(memory, assistant, user=user, tenant=tenant, model=name).run()


def _default() -> str:
    from memoria.models.chat import LOCAL
    from memoria.models.smollm import INSTALL, is_installed

    if is_installed():
        return LOCAL
    sys.stderr.write(f"memoria: no local model, so the memory answers alone; {INSTALL}\n")
    return NONE


def _chosen(name: str, settings: Settings) -> BaseChatModel | None:
    from memoria.models.chat import load_chat_model

    return None if name == NONE else load_chat_model(name, cache_dir=settings.cache_dir)
