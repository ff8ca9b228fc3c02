"""What distillation is made of and what it makes, as frozen records.

What enters: plain values. What leaves: examples that each name the beliefs and episodes they come from, the `Dataset`
of a person, its `Manifest`, the `Adapter`s made of it. Examples hold a person's words and are never written to a file;
a manifest holds ids and hashes only.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from memoria.records import Preference, Record

Kind = Literal["lora", "prompt", "head", "card"]
Status = Literal["candidate", "rejected", "serving", "retired", "quarantined"]
Split = Literal["train", "held_out"]
Stopped = Literal["done", "seconds", "tokens"]
SourceKind = Literal["belief", "episode", "adapter"]


class Traced(Record):
    """Something made of memories. What has the same `group` is never split between training and holding out."""

    belief_ids: tuple[str, ...] = ()
    episode_ids: tuple[str, ...] = ()
    group: str = ""
    split: Split = "train"


class Example(Traced):
    """A prompt and the answer to be learnt. `memory` is what of the memory helps to answer it: what a teacher is told
    and the student is not. `alternatives`: false answers of the same form (of a held-out question of fact)."""

    kind: Literal["fact", "preference"]
    prompt: str
    answer: str
    memory: str = ""
    alternatives: tuple[str, ...] = ()


class Pair(Traced):
    """A prompt with an answer that the person prefers and one that they do not.

    `kind`: from a "stated" preference, an "edit" (what they wrote in an answer's place), a "vote" between two answers,
    or the "dialogue" (an answer they turned down, and the next that they took).
    """

    kind: Literal["stated", "edit", "vote", "dialogue"]
    prompt: str
    chosen: str
    rejected: str
    memory: str = ""
    weight: float = 1.0


class Source(Record):
    """A memory that something was made of, by its public id; `hash` names what it said then."""

    kind: SourceKind
    id: str
    hash: str


class Manifest(Record):
    """What something was made of, without a word of it. `taught`, which is written nowhere, has the number of the
    feedback on each turn that has some."""

    sources: tuple[Source, ...] = ()
    counts: dict[str, int] = Field(default_factory=dict)
    taught: dict[str, int] = Field(default_factory=dict, exclude=True)

    def joined(self, other: Manifest) -> Manifest:
        """Of what either was made of; what is counted is this one's."""
        sources = {(each.kind, each.id): each for each in (*self.sources, *other.sources)}
        return self.model_copy(update={"sources": tuple(sources[key] for key in sorted(sources))})

    @property
    def digest(self) -> str:
        """A name for just these sources, saying just this: the same wherever they are gathered again."""
        named = sorted((each.kind, each.id, each.hash) for each in self.sources)
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()


class Stated(Record):
    """The preferences that may be learnt, those too of which no question can be made, as the evidence that counts says
    them; `episodes` names the turns that bear out each."""

    preferences: tuple[Preference, ...] = ()
    episodes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    manifest: Manifest = Manifest()


class Dataset(Record):
    """What can be learnt of a person now. `manifest` is of the examples and pairs; `stated`, which is written nowhere,
    is what a card tells."""

    tenant: str
    user: str
    examples: tuple[Example, ...] = ()
    pairs: tuple[Pair, ...] = ()
    manifest: Manifest = Manifest()
    stated: Stated = Field(default=Stated(), exclude=True)

    def examples_of(self, split: Split, *kinds: str) -> list[Example]:
        """The examples of a split, of these kinds (none named: of all)."""
        return [each for each in self.examples if each.split == split and (not kinds or each.kind in kinds)]

    def pairs_of(self, split: Split) -> list[Pair]:
        """The pairs of a split."""
        return [each for each in self.pairs if each.split == split]


class LossPoint(Record):
    """The training loss at a step (from 1) of a stage: nats a token, of a "dpo" stage a mean over its pairs."""

    step: int
    stage: str
    loss: float


class Trained(Record):
    """How a training went. `seconds` are of the processor, `peak_mb` of resident memory, `tokens` those learnt from.
    `stopped`: "done", or which budget ended it ("seconds", "tokens")."""

    steps: int
    seconds: float
    peak_mb: float
    tokens: int
    losses: tuple[LossPoint, ...] = ()
    stopped: Stopped = "done"


class Check(Record):
    """One condition of the gate: what was `measured` must be, by `relation`, as the `bar` says."""

    name: str
    measured: float | None
    relation: Literal[">=", "<=", ">"]
    bar: float
    passed: bool
    why: str = ""


class Verdict(Record):
    """Whether a candidate may serve. `why` names each check that failed, in figures; empty where it passed."""

    passed: bool
    checks: tuple[Check, ...] = ()
    figures: dict[str, float] = Field(default_factory=dict)
    why: str = ""


class Adapter(Record):
    """Something distilled, as the registry keeps it. `id` is its kind and version ("lora-3").

    `beliefs` and `episodes` count what it was made of; `manifest()` of the registry lists them. `folder` is relative to
    the home.
    """

    id: str
    tenant: str
    user: str
    kind: Kind
    version: int
    status: Status
    made_at: datetime
    promoted_at: datetime | None = None
    ended_at: datetime | None = None
    base: str
    recipe: str
    digest: str
    parent: str | None = None
    folder: str
    files: dict[str, str] = Field(default_factory=dict)
    beliefs: int = 0
    episodes: int = 0
    figures: dict[str, Any] = Field(default_factory=dict)
    verdict: Verdict | None = None


class Permit(Record):
    """May this serve? Where not, `why` says so in a sentence."""

    adapter: str
    may: bool
    why: str = ""
