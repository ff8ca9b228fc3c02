"""The seam between the distillation graph and what trains.

What enters: what can be learnt of a person, in ids and counts. What leaves: what was trained, how it was judged, what
serves now. All of it survives JSON. `memoria_graphs.trainer` is memoria's own trainer.
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
    """So many beliefs and turns."""

    beliefs: int = 0
    turns: int = 0


@dataclass(frozen=True)
class Least:
    """How much must have come or gone since the last distillation: one of these is enough."""

    beliefs: int = 3
    turns: int = 10


@dataclass(frozen=True)
class Sources:
    """What can be learnt from: the ids of beliefs and turns; `counts` says how much comes of them. `at` is when they
    were gathered, in microseconds."""

    tenant: str
    user: str
    beliefs: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    at: int = 0

    @property
    def digest(self) -> str:
        """A name for just these sources: the same wherever they are gathered again."""
        named = [self.tenant, self.user, sorted(self.beliefs), sorted(self.turns)]
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()


@dataclass(frozen=True)
class Selection:
    """Whether to distil for a person now: what is `live`, what `changed` since the last time, and `why` (not)."""

    tenant: str
    user: str
    live: Counts
    changed: Counts
    enough: bool
    why: str = ""


@dataclass(frozen=True)
class Candidate:
    """What was trained, not served yet. `kind` is "head", "card", "adapter", …; `sources` a `Sources.digest`."""

    id: str
    kind: str
    tenant: str
    user: str
    sources: str
    figures: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Training:
    """What one training came to: at most one candidate of each kind, and of other kinds why there is none. `failed`
    names those of them that may succeed another time."""

    candidates: tuple[Candidate, ...] = ()
    without: Mapping[str, str] = field(default_factory=dict[str, str])
    failed: tuple[str, ...] = ()


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
    another process: `train` then goes on, or returns what it made before, and `promote` promotes once. Where something
    that a candidate is made of was forgotten meanwhile, `train`, `judge` and `promote` raise `Withheld`.
    """

    @property
    def facts(self) -> bool:
        """Whether facts are learnt, too."""
        ...

    def last(self, tenant: str, user: str) -> Sources | None:
        """What that which serves the person was made of; None where anything that there could be does not serve."""
        ...

    def owes(self, tenant: str, user: str) -> str:
        """Why the person is to be distilled however little changed; empty where nothing says so."""
        ...

    def train(self, sources: Sources) -> Training:
        """Make examples of what the sources say now, and train on them."""
        ...

    def judge(self, candidate: Candidate) -> Verdict:
        """Measure a candidate against what serves now."""
        ...

    def promote(self, candidate: Candidate, verdict: Verdict) -> None:
        """Let a candidate that passed serve, in the place of what served before."""
        ...

    def refuse(self, candidate: Candidate) -> None:
        """A human does not want it to serve: no later run may let it serve unasked."""
        ...

    def settle(self, sources: Sources) -> None:
        """What was owed when the sources were gathered is done, whatever came of it."""
        ...


def plain(record: Any) -> dict[str, Any]:
    """A record as JSON has it."""
    return TypeAdapter[Any](Any).dump_python(record, mode="json")


def read(kind: type[T], values: Any) -> T:
    """The record that `plain` made `values` of."""
    return TypeAdapter(kind).validate_python(values)
