"""The records that pass between memoria's parts, all frozen.

What enters: plain values. What leaves: `Turn` (what a caller gives), `Episode` (what the ledger keeps), and
`Hit`, `Dropped`, `Context` (what recall answers); `Fact`, `Preference` and what belongs to them. They hold no logic
beyond showing themselves.
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


class SessionSummary(Record):
    """A session: how many turns it has, and when its first and its last were said."""

    name: str
    turns: int
    begun_at: datetime
    ended_at: datetime


class Evidence(Record):
    """Why a belief is believed, or is no more: `quote` in an episode (None: an edit by hand).

    `act`: "affirm" (it is so), "change" (it became so), "end" (no longer), "deny" (it never was), "doubt" (it may be
    so no more).
    """

    episode_id: str | None
    quote: str
    act: Literal["affirm", "change", "end", "deny", "doubt"]
    said_at: datetime
    recorded_at: datetime
    retracted_at: datetime | None = None
    source: str = "user"


class Belief(Record):
    """Something held for true of the person's world, with the half-open times between which it was.

    `subject` is whom it is about. `valid_from` and `valid_to` bound its latest period (None is unbounded, or unknown),
    `periods` all of them; `recorded_at` is when memoria first learnt of it and `retired_at` when it learnt that it is
    so no longer. `status`: "current", "upcoming", "superseded" (by `superseded_by`), "ended" or "retracted". A current
    belief may need confirmation: what it leans on has changed. `revision` is what an edit hands back (compare and set).
    """

    id: str
    tenant: str
    user: str
    subject: str
    statement: str
    status: Literal["current", "upcoming", "superseded", "ended", "retracted"]
    valid_from: datetime | None
    valid_to: datetime | None
    periods: tuple[tuple[datetime | None, datetime | None], ...]
    recorded_at: datetime
    retired_at: datetime | None
    needs_confirmation: bool = False
    superseded_by: str | None = None
    evidence: int
    revision: int


class Fact(Belief):
    """An edge of the knowledge graph: `subject` `predicate` `object`."""

    kind: Literal["fact"] = "fact"
    predicate: str
    object: str


class Preference(Belief):
    """What the person likes (`polarity` +1) or not (-1), how much (`strength`, 0 to 1), and in which `context`."""

    kind: Literal["preference"] = "preference"
    topic: str
    polarity: Literal[-1, 1]
    strength: float
    context: str | None = None
    explicit: bool = True


class Entity(Record):
    """Somebody or something that beliefs are about, under all names it goes by."""

    key: str
    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    beliefs: int = 0


class Likeness(Record):
    """Two names that may be one entity's: how alike they are spelt and how near in meaning (0 to 1 each), and the
    `score` of both. `alike`: taken for one; else `why` says why not. `name` is the one that `unmerge` takes."""

    name: str
    same_as: str
    kind: str
    spelling: float
    meaning: float
    score: float
    alike: bool
    why: str = ""


class Merged(Record):
    """Two names taken for one entity's, by the user or by `resolve` (with its score); `undone_at` ends it."""

    name: str
    same_as: str
    made_by: Literal["user", "resolve"]
    score: float | None
    made_at: datetime
    undone_at: datetime | None = None


class Dependency(Record):
    """`belief` leans on whatever answers `slot` of `subject`; `causes` are the beliefs there that hold."""

    belief_id: str
    subject: str
    slot: str
    causes: tuple[str, ...] = ()


class BeliefHit(Record):
    """One belief found. `direct`: it answers just what the question asks of just the one it asks about."""

    belief: Fact | Preference
    score: float
    direct: bool
    episode_ids: tuple[str, ...] = ()


class Explanation(Record):
    """Why a belief stands as it does: its evidence, what it superseded or was superseded by, what it leans on."""

    belief: Fact | Preference
    evidence: tuple[Evidence, ...]
    supersedes: tuple[str, ...] = ()
    superseded_by: str | None = None
    leans_on: tuple[Dependency, ...] = ()
    leaned_on_by: tuple[str, ...] = ()
    text: str = ""


class TurnExplanation(Record):
    """What became of a turn: the `beliefs` that its words bear on. `withheld`: no context quotes it, since it gives
    orders and is not the person's own."""

    episode: Episode
    withheld: bool
    beliefs: tuple[str, ...] = ()
    text: str = ""


class ProfileHit(Record):
    """A line of the person's profile that the context states, with what it rests on."""

    section: str
    text: str
    belief_ids: tuple[str, ...] = ()
    episode_ids: tuple[str, ...] = ()


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
    would be forgotten. `items` are those of LangGraph's store. `quarantined` are the person's adapters that were made
    of any of it and serve no more (`quarantined_elsewhere` counts other people's), `serving` what serves in their
    place, none where nothing clean is left; `exported` copies of them left the home before and are out of its reach.
    `residue` names places that still hold something; `forget` itself looks before it returns.
    """

    number: int
    tenant: str
    user: str
    at: datetime
    episodes: int
    sessions: int
    complete: bool
    beliefs: int = 0
    items: int = 0
    would_go: tuple[Episode, ...] = ()
    beliefs_would_go: tuple[str, ...] = ()
    items_would_go: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    quarantined_elsewhere: int = 0
    serving: tuple[str, ...] = ()
    exported: int = 0
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
    profile: tuple[ProfileHit, ...] = ()
    beliefs: tuple[BeliefHit, ...] = ()
    hits: tuple[Hit, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    confidence: float = 0.0
    known: bool = False
    budget: int | None = None
    tokens: int = 0
    text: str = ""
    timings: dict[str, float] = Field(default_factory=dict)

    def render(self) -> str:
        """The text for a prompt: lines of the profile where asked for, current beliefs, then one cited line a hit, best
        first; empty when nothing was found."""
        return self.text
