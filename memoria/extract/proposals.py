"""What an extractor proposes, before anything is believed.

What enters: the findings of rules or of a language model. What leaves: `Proposal`s whose quote stands in its turn. An
extractor only proposes; `conflict` disposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from memoria.records import ROLES, Episode
from memoria.store.truth import Act

SELF = "user"  # the subject that is the person whose memory it is
Kind = Literal["fact", "preference", "alias", "ending", "news", "doubt"]


@dataclass(frozen=True)
class Proposal:
    """One thing that the turn's characters [begin, stop) say.

    `subject` and `object` are as written (`SELF` for the person). An "ending" names, in `object`, something that is so
    no longer ("" ends the slot of `predicate` as a whole); `instead` is what it was replaced by. "news" gives a new
    value (`object`) of something of the person's that is known already, named by `predicate`; a "doubt" shakes what its
    words (`object`) are about. Of a preference `object` is the topic. `since` and `until` are valid time in
    microseconds. `leans` names predicates, of the same subject, on whose answer this depends; `causes` are (subject,
    predicate) likewise, of anybody; `because` quotes the reason given: a belief that it names is a cause too. `many`:
    answers to a predicate the ontology lacks stand side by side.
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
    causes: tuple[tuple[str, str], ...] = ()
    because: str | None = None
    object_kind: str | None = None
    many: bool = False


class Extractor(Protocol):
    """Reads turns. `name` carries the version: another version reads everything again."""

    @property
    def name(self) -> str:
        """What evidence is marked with."""
        ...

    def extract(self, episodes: Sequence[Episode], known: Sequence[str]) -> list[list[Proposal]]:
        """The proposals of each episode, in the same order; `known` are names of entities met before."""
        ...


@runtime_checkable
class Batching(Protocol):
    """An extractor that reads in batches of its own: what one batch says is kept before the next is read."""

    def batches(self, episodes: Sequence[Episode]) -> list[Sequence[Episode]]:
        """`episodes`, in order, cut into batches."""
        ...


def own_words(episode: Episode) -> bool:
    """Whether the person said it themselves: nothing else is believed."""
    return episode.role == "user" and episode.trust == "user"


def speaker_of(episode: Episode) -> str:
    """Who "I" is: the person whose memory it is (`SELF`), or whoever else is named as the speaker."""
    name = episode.speaker
    return SELF if name in ROLES or name.casefold() == episode.user.casefold() else name


def checked(proposals: Sequence[Proposal], episode: Episode) -> list[Proposal]:
    """Those of `proposals` whose quote stands in the turn and that say something; none of another's words."""
    size = len(episode.text) if own_words(episode) else 0
    return [
        each
        for each in proposals
        if 0 <= each.begin < each.stop <= size and (each.object.strip() or each.kind == "ending") and each.subject
    ]
