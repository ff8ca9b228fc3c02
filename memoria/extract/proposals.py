"""What an extractor proposes, before anything is believed.

What enters: the findings of rules or of a language model. What leaves: `Proposal`s whose quote stands in its turn. An
extractor only proposes; `conflict` disposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from memoria.records import Episode
from memoria.store.truth import Act

SELF = "user"  # the subject that is the person whose memory it is
Kind = Literal["fact", "preference", "alias", "ending"]


@dataclass(frozen=True)
class Proposal:
    """One thing that the turn's characters [begin, stop) say.

    `subject` and `object` are as written (`SELF` for the person). An "ending" names, in `object`, something that is so
    no longer ("" ends the slot of `predicate` as a whole); `instead` is what it was replaced by. Of a preference
    `object` is the topic. `since` and `until` are valid time in microseconds. `leans` names predicates, of the same
    subject, on whose answer this depends.
    """

    kind: Kind
    subject: str
    predicate: str
    object: str
    begin: int
    stop: int
    act: Act = "affirm"
    polarity: Literal[-1, 1] = 1
    strength: float = 0.7
    context: str | None = None
    explicit: bool = True
    statement: str | None = None
    instead: str | None = None
    since: int | None = None
    until: int | None = None
    leans: tuple[str, ...] = ()
    object_kind: str | None = None


class Extractor(Protocol):
    """Reads turns. `name` carries the version: another version reads everything again."""

    @property
    def name(self) -> str:
        """What evidence is marked with."""
        ...

    def extract(self, episodes: Sequence[Episode], known: Sequence[str]) -> list[list[Proposal]]:
        """The proposals of each episode, in the same order; `known` are names of entities met before."""
        ...


def checked(proposals: Sequence[Proposal], episode: Episode) -> list[Proposal]:
    """Those of `proposals` whose quote stands in the turn and that say something."""
    size = len(episode.text)
    return [
        each
        for each in proposals
        if 0 <= each.begin < each.stop <= size and (each.object.strip() or each.kind == "ending") and each.subject
    ]
