"""The records that pass between memoria's parts, all frozen.

What enters: plain values. What leaves: `Turn` (what a caller gives), `Episode` (what the ledger keeps), and
`Hit`, `Dropped`, `Context` (what recall answers). They hold no logic beyond showing themselves.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["user", "assistant", "tool", "system"]
Trust = Literal["user", "assistant", "tool", "web", "system"]
ROLES: tuple[Role, ...] = ("user", "assistant", "tool", "system")
TRUSTS: tuple[Trust, ...] = ("user", "assistant", "tool", "web", "system")


class Record(BaseModel):
    """A frozen pydantic model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scope(Record):
    """Whose memory: a person (`user`) within a `tenant`. Every read and write names one."""

    tenant: str = "default"
    user: str


class Turn(Record):
    """One thing said, as a caller gives it.

    `time` is aware; without one the turn is taken as said now. `session` and `id` (the sender's own name for the
    message) are optional; two turns with different ids are never taken for the same one.
    """

    text: str
    role: Role = "user"
    speaker: str | None = None
    time: datetime | None = None
    session: str | None = None
    id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Episode(Record):
    """A turn as the ledger keeps it. `id` is opaque, and the same for the same turn written twice.

    `occurred_at` is when it was said, `recorded_at` when memoria learnt of it; both aware UTC.
    `position` orders the turns of a session. `trust` says whose words these are.
    """

    id: str
    tenant: str
    user: str
    session: str
    position: int
    speaker: str
    role: Role
    trust: Trust
    text: str
    occurred_at: datetime
    recorded_at: datetime
    metadata: dict[str, Any] = Field(default_factory=dict)


class Hit(Record):
    """One episode found. `signals` says what each signal gave; their sum is `score`. `citation` counts from 1."""

    episode: Episode
    score: float
    signals: dict[str, float]
    quote: str
    citation: int


class Dropped(Record):
    """An episode that ranked but was left out, and why."""

    episode_id: str
    reason: str


class Receipt(Record):
    """What was forgotten, without a word of it. `complete` once its bytes are out of every file of the home.

    `number` is the erasure's in the event log, which keeps the ids; 0 is a dry run's, whose `would_go` shows what
    would be forgotten. `residue` names places that still hold something; `forget` itself looks before it returns.
    """

    number: int
    tenant: str
    user: str
    at: datetime
    episodes: int
    sessions: int
    complete: bool
    would_go: tuple[Episode, ...] = ()
    residue: tuple[str, ...] = ()


class Context(Record):
    """What memoria found for a question, ready for a prompt.

    `confidence` (0 to 1) is the calibrated probability that the memory holds an answer at all; `known` compares it
    with the settings' threshold. `tokens` counts the rendered text's, never above `budget`. `timings` are seconds.
    """

    query: str
    tenant: str
    user: str
    now: datetime
    hits: tuple[Hit, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    confidence: float = 0.0
    known: bool = False
    budget: int | None = None
    tokens: int = 0
    text: str = ""
    timings: dict[str, float] = Field(default_factory=dict)

    def render(self) -> str:
        """The text for a prompt: one cited line a hit, best first; empty when nothing was found."""
        return self.text
