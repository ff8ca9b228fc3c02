"""Chat models: any LangChain `BaseChatModel`, or one by name.

What enters: "local" (the packaged model), "local:PATH" (any other on this machine, or on the hub), or a name for
LangChain's `init_chat_model` ("openai:gpt-4.1-mini"). What leaves: the model. LangChain itself and the provider's
package are the user's own to install: memoria works without a language model.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel

from memoria.errors import ModelUnavailable, first_line
from memoria.models.smollm import packaged_weights, require_libraries

LOCAL = "local"


def load_chat_model(name: str, *, cache_dir: Path | None = None) -> BaseChatModel:
    """The chat model `name`: "local", "local:PATH" or "provider:model". Raises `ModelUnavailable` naming what to
    install or correct. A local model's weights are loaded with its first answer.

    `cache_dir` is where the packaged model is unpacked (None: memoria's folder among the platform's caches).
    """
    if name == LOCAL or name.startswith(f"{LOCAL}:"):
        return _local(name.partition(":")[2] or None, cache_dir)
    try:
        chat_models: Any = import_module("langchain.chat_models")
    except ImportError as error:
        provider = name.split(":", 1)[0] if ":" in name else "PROVIDER"
        raise ModelUnavailable(f"The chat model {name!r} needs: pip install langchain langchain-{provider}") from error
    try:
        model = chat_models.init_chat_model(name)
    except (ImportError, ValueError) as error:  # no package of the provider's; no such provider, a bad key
        raise ModelUnavailable(
            f"The chat model {name!r} cannot be loaded ({first_line(error)}); "
            "check the name, the provider's package and its key."
        ) from error
    if not isinstance(model, BaseChatModel):
        raise ModelUnavailable(f"{name!r} is no chat model; name one as provider:model.")
    return model


def _local(path: str | None, cache_dir: Path | None) -> BaseChatModel:
    from memoria.models.local import LocalChat

    require_libraries()
    if path is None:
        packaged_weights()
    return LocalChat(path=path) if cache_dir is None else LocalChat(path=path, cache_dir=cache_dir)


def identity_of(model: BaseChatModel) -> str:
    """What the model calls itself, else its class: evidence is marked with it."""
    for name in ("model_name", "model", "model_id"):
        value = getattr(model, name, None)
        if isinstance(value, str) and value:
            return value
    return type(model).__qualname__
