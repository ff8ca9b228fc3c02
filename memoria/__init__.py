"""memoria: a lifelong memory for LangGraph agents.

What enters: turns of conversation, and questions. What leaves: cited contexts. The names below load on first use
(PEP 562), so that `import memoria` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memoria.errors import InvalidInput, MemoriaError, UnknownUser
    from memoria.memory import Memory
    from memoria.models.embeddings import load_embeddings
    from memoria.models.hashing import HashEmbeddings
    from memoria.records import Context, Dropped, Episode, Hit, Scope, Turn
    from memoria.settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "Context": "memoria.records",
    "Dropped": "memoria.records",
    "Episode": "memoria.records",
    "HashEmbeddings": "memoria.models.hashing",
    "InvalidInput": "memoria.errors",
    "UnknownUser": "memoria.errors",
    "Hit": "memoria.records",
    "Memory": "memoria.memory",
    "MemoriaError": "memoria.errors",
    "Scope": "memoria.records",
    "Settings": "memoria.settings",
    "Turn": "memoria.records",
    "load_embeddings": "memoria.models.embeddings",
}

__all__ = [
    "Context",
    "Dropped",
    "Episode",
    "HashEmbeddings",
    "Hit",
    "InvalidInput",
    "MemoriaError",
    "Memory",
    "Scope",
    "Settings",
    "Turn",
    "UnknownUser",
    "load_embeddings",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'memoria' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
