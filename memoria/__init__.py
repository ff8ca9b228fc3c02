"""memoria: a lifelong memory for LangGraph agents.

What enters: turns of conversation, and questions. What leaves: cited contexts. The names below load on first use
(PEP 562), so that `import memoria` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memoria.aio import AsyncMemory
    from memoria.distill.details import AdapterDetail
    from memoria.distill.records import Adapter, Permit
    from memoria.errors import (
        EditConflict,
        InvalidInput,
        MemoriaError,
        UnknownAdapter,
        UnknownBelief,
        UnknownProfile,
        UnknownUser,
        Withheld,
    )
    from memoria.memory import Memory
    from memoria.models.embeddings import load_embeddings
    from memoria.models.hashing import HashEmbeddings
    from memoria.records import BeliefHit, Context, Dropped, Episode, Explanation, Fact, Hit, Preference, Scope, Turn
    from memoria.reflect.records import Profile, ProfileDiff, ProfileLine, Reflection
    from memoria.settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "Adapter": "memoria.distill.records",
    "AdapterDetail": "memoria.distill.details",
    "AsyncMemory": "memoria.aio",
    "load_embeddings": "memoria.models.embeddings",
    "BeliefHit": "memoria.records",
    "Context": "memoria.records",
    "Dropped": "memoria.records",
    "EditConflict": "memoria.errors",
    "Episode": "memoria.records",
    "Explanation": "memoria.records",
    "Fact": "memoria.records",
    "HashEmbeddings": "memoria.models.hashing",
    "Hit": "memoria.records",
    "InvalidInput": "memoria.errors",
    "MemoriaError": "memoria.errors",
    "Memory": "memoria.memory",
    "Permit": "memoria.distill.records",
    "Preference": "memoria.records",
    "Profile": "memoria.reflect.records",
    "ProfileLine": "memoria.reflect.records",
    "ProfileDiff": "memoria.reflect.records",
    "Reflection": "memoria.reflect.records",
    "Scope": "memoria.records",
    "Settings": "memoria.settings",
    "Turn": "memoria.records",
    "UnknownAdapter": "memoria.errors",
    "UnknownBelief": "memoria.errors",
    "UnknownProfile": "memoria.errors",
    "UnknownUser": "memoria.errors",
    "Withheld": "memoria.errors",
}

__all__ = [
    "Adapter",
    "AdapterDetail",
    "AsyncMemory",
    "BeliefHit",
    "Context",
    "Dropped",
    "EditConflict",
    "Episode",
    "Explanation",
    "Fact",
    "HashEmbeddings",
    "Hit",
    "InvalidInput",
    "MemoriaError",
    "Memory",
    "Permit",
    "Preference",
    "Profile",
    "ProfileDiff",
    "ProfileLine",
    "Reflection",
    "Scope",
    "Settings",
    "Turn",
    "UnknownAdapter",
    "UnknownBelief",
    "UnknownProfile",
    "UnknownUser",
    "Withheld",
    "load_embeddings",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'memoria' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
