"""A question with all that it may ask for, checked.

What enters: what a caller asks. What leaves: a `Request`, or an `InvalidInput` that names what cannot be taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from memoria.errors import InvalidInput
from memoria.records import Scope
from memoria.remember.turns import check_text


@dataclass(frozen=True)
class Request:
    """One question: `k` hits, `budget` tokens, nothing said after `now` or recorded after `as_of`, beliefs as true
    `at` (aware). With `profile` the context states lines of the person's profile too."""

    query: str
    scope: Scope
    k: int
    budget: int
    now: datetime
    session: str | None = None
    as_of: datetime | None = None
    at: datetime | None = None
    profile: bool = False

    def checked(self, max_chars: int) -> Request:
        """The same request. Raises `InvalidInput` for a bad question, number or moment."""
        check_text("the question", self.query, max_chars)
        for name in ("k", "budget"):
            number = getattr(self, name)
            if number < 1:
                raise InvalidInput(f"{name} is {number}; give at least 1, or leave it out for the settings' default.")
        for name in ("now", "as_of", "at"):
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise InvalidInput(f"{name} {moment.isoformat()} has no time zone; give an aware datetime.")
        return self
