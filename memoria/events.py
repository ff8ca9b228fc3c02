"""The events that memoria tells of: what each kind of act was, in numbers and ids.

What enters: what a verb returned. What leaves: a frozen event: what happened, whose memory it was, counts, ids, seconds
and the class of an error. Never a word that anybody said, nor a name that beliefs are about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self, cast

from memoria.records import Belief, Context, Episode, Explanation, Receipt, TurnExplanation


@dataclass(frozen=True, kw_only=True)
class Event:
    """What was done: by which `verb`, in whose memory (None: the whole home's), when it ended (the machine's time) and
    how long it took. `error` is the class of what was raised; None where it went well."""

    verb: str = ""
    tenant: str | None = None
    user: str | None = None
    at: datetime | None = None
    seconds: float = 0.0
    error: str | None = None

    @classmethod
    def of(cls, result: Any) -> Self:
        """The event of a verb that returned `result`, as far as the result tells: of itself, nothing."""
        return cls()


@dataclass(frozen=True, kw_only=True)
class ReadEvent(Event):
    """Something was looked up: the `ids` of the episodes or beliefs that it returned, and the `count` of all."""

    ids: tuple[str, ...] = ()
    count: int = 0

    @classmethod
    def of(cls, result: object) -> Self:
        """A list by its length, a number as it is, anything else as one."""
        return cls(ids=_ids(result), count=_count(result))


@dataclass(frozen=True, kw_only=True)
class WriteEvent(ReadEvent):
    """Something was kept, changed or taken back: the `ids` of the episodes or beliefs, and the `count` of all."""


@dataclass(frozen=True, kw_only=True)
class RecallEvent(Event):
    """A question was answered: with which episodes (`hits`) and `beliefs`, in how many `tokens`."""

    hits: tuple[str, ...] = ()
    beliefs: tuple[str, ...] = ()
    dropped: int = 0
    tokens: int = 0
    confidence: float = 0.0
    known: bool = False

    @classmethod
    def of(cls, result: Context) -> Self:
        """What the context holds."""
        return cls(
            hits=tuple(hit.episode.id for hit in result.hits),
            beliefs=tuple(hit.belief.id for hit in result.beliefs),
            dropped=len(result.dropped),
            tokens=result.tokens,
            confidence=result.confidence,
            known=result.known,
        )


@dataclass(frozen=True, kw_only=True)
class ForgetEvent(Event):
    """Something was forgotten: how much, by which `receipts` (none of a dry run). `complete`: no byte is left."""

    receipts: tuple[int, ...] = ()
    episodes: int = 0
    beliefs: int = 0
    complete: bool = False

    @classmethod
    def of(cls, result: Receipt | list[Receipt]) -> Self:
        """The sum of the receipts."""
        found = [result] if isinstance(result, Receipt) else result
        return cls(
            receipts=tuple(each.number for each in found if each.number),
            episodes=sum(each.episodes for each in found),
            beliefs=sum(each.beliefs for each in found),
            complete=all(each.complete for each in found),
        )


class Reflected(Protocol):
    """What a reflection returns, as far as its event tells of it."""

    @property
    def version(self) -> int: ...
    @property
    def changed(self) -> bool: ...
    @property
    def added(self) -> int: ...
    @property
    def removed(self) -> int: ...
    @property
    def tokens_spent(self) -> int: ...
    @property
    def money_spent(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class ReflectionEvent(Event):
    """A history was reflected on: the profile's `version`, whether that is a new one (`changed`), lines and cost."""

    version: int = 0
    changed: bool = False
    added: int = 0
    removed: int = 0
    tokens_spent: int = 0
    money_spent: float = 0.0

    @classmethod
    def of(cls, result: Reflected) -> Self:
        """What the reflection came to."""
        return cls(
            version=result.version,
            changed=result.changed,
            added=result.added,
            removed=result.removed,
            tokens_spent=result.tokens_spent,
            money_spent=result.money_spent,
        )


@dataclass(frozen=True, kw_only=True)
class JobEvent(Event):
    """A job's slot was worked off: which `job` and `slot` (when it was due), in which `run` and `attempt`.

    `outcome` is the job's own word ("done", "skipped"); `late` are the seconds from the slot to its begin.
    """

    job: str = ""
    slot: datetime | None = None
    run: str = ""
    attempt: int = 1
    late: float = 0.0
    outcome: str = ""
    count: int = 0


def _ids(result: object) -> tuple[str, ...]:
    if isinstance(result, Explanation):
        return (result.belief.id,)
    if isinstance(result, TurnExplanation):
        return (result.episode.id,)
    parts = cast("list[object]", result) if isinstance(result, list) else [result]
    return tuple(part.id for part in parts if isinstance(part, Episode | Belief))


def _count(result: object) -> int:
    if isinstance(result, int):
        return int(result)
    return len(cast("list[object]", result)) if isinstance(result, list) else 1
