"""Chat models: any LangChain `BaseChatModel`, or one by name.

What enters: a name for LangChain's `init_chat_model` ("openai:gpt-4.1-mini"). What leaves: the model. LangChain itself
and the provider's package are the user's own to install: memoria works without a language model.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from langchain_core.language_models import BaseChatModel

from memoria.errors import ModelUnavailable


def load_chat_model(name: str) -> BaseChatModel:
    """The chat model `name`, "provider:model". Raises `ModelUnavailable` naming what to install or correct."""
    try:
        chat_models: Any = import_module("langchain.chat_models")
    except ImportError as error:
        provider = name.split(":", 1)[0] if ":" in name else "PROVIDER"
        raise ModelUnavailable(f"The chat model {name!r} needs: pip install langchain langchain-{provider}") from error
    try:
        model = chat_models.init_chat_model(name)
    except (ImportError, ValueError) as error:  # no package of the provider's; no such provider, a bad key
        raise ModelUnavailable(
            f"The chat model {name!r} cannot be loaded ({str(error).splitlines()[0]}); "
            "check the name, the provider's package and its key."
        ) from error
    if not isinstance(model, BaseChatModel):
        raise ModelUnavailable(f"{name!r} is no chat model; name one as provider:model.")
    return model


def identity_of(model: BaseChatModel) -> str:
    """What the model calls itself, else its class: evidence is marked with it."""
    for name in ("model_name", "model", "model_id"):
        value = getattr(model, name, None)
        if isinstance(value, str) and value:
            return value
    return type(model).__qualname__
