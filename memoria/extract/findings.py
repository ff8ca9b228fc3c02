"""What a language model is asked for: the schema of its answer.

What enters: the model's output. What leaves: `Findings`, every field validated. The descriptions are sent to the model
with the schema. It exists apart from `Proposal` because a model names turns and words, not places in a text. What may
be left out is None, and no field has another default: some providers' strict modes refuse one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from memoria.clock import to_micros

_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")


def first_moment(date: str) -> int:
    """The first microsecond (since 1970 UTC) of a year, month or day. Raises `ValueError` for anything else."""
    match = _DATE.fullmatch(date)
    if match is None:
        raise ValueError("write a date as YYYY, YYYY-MM or YYYY-MM-DD")
    year, month, day = (int(part or 1) for part in match.groups())
    return to_micros(datetime(year, month, day, tzinfo=UTC))


def _dated(date: str) -> str:
    first_moment(date)
    return date


When = Annotated[str, AfterValidator(_dated)]


class _Quoted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    turn: int = Field(description="Number of the turn that says it.")
    quote: str = Field(description="The words of that turn that say it, copied letter by letter.")
    subject: str = Field(description='Whom it is about: "user", "user\'s sister", or a name.')


class FoundFact(_Quoted):
    """The subject's predicate is the object."""

    predicate: str
    object: str = Field(description="In the person's own words.")
    act: Literal["affirm", "change"] | None = Field(default=None, description='"change": it became so. Else "affirm".')
    since: When | None = Field(default=None, description="First day on which it was so, where that is said.")
    until: When | None = Field(default=None, description="First day on which it was so no longer.")
    depends_on: tuple[str, ...] | None = Field(
        default=None, description="Predicates that the turn gives as the reason."
    )


class FoundPreference(_Quoted):
    """What the subject likes or does not like."""

    topic: str = Field(description="In the person's own words.")
    polarity: Literal["likes", "dislikes"]
    strength: float | None = Field(default=None, ge=0.0, le=1.0, description="0.1: mildly; 1: nothing matters more.")
    context: str | None = Field(default=None, description='When or where it holds ("for breakfast"), in their words.')
    explicit: bool | None = Field(default=None, description="False: it shows only in what they do.")
    since: When | None = None
    until: When | None = None


class FoundAlias(_Quoted):
    """The one that the subject mentions ("user's sister") goes by a name."""

    name: str


class FoundEnding(_Quoted):
    """What is so no longer. Without an object, whatever the predicate's answer was."""

    predicate: str | None = None
    object: str | None = Field(default=None, description="In the person's own words.")
    never: bool | None = Field(default=None, description="It never was so: a slip or an untruth that is taken back.")


class Findings(BaseModel):
    """All that the numbered turns say; what they say nothing of is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: tuple[FoundFact, ...] | None = None
    preferences: tuple[FoundPreference, ...] | None = None
    aliases: tuple[FoundAlias, ...] | None = None
    endings: tuple[FoundEnding, ...] | None = None
