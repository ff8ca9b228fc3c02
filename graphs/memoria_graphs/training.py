"""The seam between the distillation graph and what trains.

What enters: what a person's memory holds that could be learnt from, in ids and counts. What leaves: what was trained,
how it was judged, what serves now. All of it survives JSON. No trainer comes with memoria yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@dataclass(frozen=True)
class Counts:
    """So many facts and preferences that hold, and turns."""

    facts: int = 0
    preferences: int = 0
    turns: int = 0


@dataclass(frozen=True)
class Least:
    """How much must have come or gone since the last distillation: one of these is enough."""

    facts: int = 10
    preferences: int = 3
    turns: int = 200


@dataclass(frozen=True)
class Selection:
    """Whether to distil for a person now: what is `live`, what `changed` since the last time, and `why` not."""

    tenant: str
    user: str
    live: Counts
    changed: Counts
    enough: bool
    why: str = ""


@dataclass(frozen=True)
class Sources:
    """What a data set would be made of: the ids of beliefs that hold, and of the episodes that they rest on.

    `counts.turns` are all that were remembered, not just the `episodes` named here.
    """

    tenant: str
    user: str
    facts: tuple[str, ...] = ()
    preferences: tuple[str, ...] = ()
    episodes: tuple[str, ...] = ()
    counts: Counts = Counts()

    @property
    def digest(self) -> str:
        """A name for just these sources: the same wherever they are gathered again."""
        named = [self.tenant, self.user, sorted(self.facts), sorted(self.preferences), sorted(self.episodes)]
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()


@dataclass(frozen=True)
class Candidate:
    """What was trained, not served yet. `kind` is "adapter", "preference update", …; `sources` a `Sources.digest`."""

    id: str
    kind: str
    sources: str
    figures: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate may serve, by which figures, and `why` not."""

    candidate: str
    passed: bool
    why: str = ""
    figures: Mapping[str, float] = field(default_factory=dict[str, float])


class Trainer(Protocol):
    """What fills the graph's last three nodes.

    A run may be killed anywhere and go on elsewhere, so each of these may be called again with the same arguments, in
    another process: `train` then goes on, or returns what it made before, and `promote` promotes once.
    """

    def last(self, tenant: str, user: str) -> Sources | None:
        """What the newest promoted candidate of the person was made of; None where there is none."""
        ...

    def train(self, selection: Selection, sources: Sources) -> Candidate:
        """Make examples of the sources and train on them."""
        ...

    def judge(self, candidate: Candidate) -> Verdict:
        """Measure a candidate against what serves now."""
        ...

    def promote(self, candidate: Candidate, verdict: Verdict) -> None:
        """Let a candidate that passed serve, in the place of what served before."""
        ...


def plain(record: Any) -> dict[str, Any]:
    """A record as JSON has it."""
    return TypeAdapter[Any](Any).dump_python(record, mode="json")


def read(kind: type[T], values: Any) -> T:
    """The record that `plain` made `values` of."""
    return TypeAdapter(kind).validate_python(values)
