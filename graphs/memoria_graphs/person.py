"""Whose memory a run of a graph uses, and what a run tells while it goes on.

What enters: a run's context and config. What leaves: a `Person`; events for those who stream "custom". A checkpoint
does not hold the context: whoever resumes a run hands it over again, or names the person in the config.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langgraph.runtime import Runtime

from memoria.integrations.person import Binding

_BINDING = Binding()


@dataclass(frozen=True)
class Person:
    """Whose memory a run uses. `now` (aware) is for replays; None is the present."""

    user: str
    tenant: str = "default"
    now: datetime | None = None


def person_of(runtime: Runtime[Person]) -> Person:
    """Whom the run is for: who a LangGraph server has authenticated, the context, or `langgraph_user_id` in the config.

    Raises `InvalidInput` where none of them says.
    """
    found = _BINDING.person(runtime)
    return Person(found.user, found.tenant, getattr(runtime.context, "now", None))


def tell(runtime: Runtime[Person], stage: str, **facts: Any) -> None:
    """Tell those who stream "custom" that a stage is done, in numbers."""
    runtime.stream_writer({"stage": stage, **facts})
