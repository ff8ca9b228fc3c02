"""Whose words a turn holds, decided when it is written.

What enters: a turn, and what the caller says of it. What leaves: a trust tier, kept with the episode for good.
"""

from __future__ import annotations

from memoria.errors import InvalidInput
from memoria.records import TRUSTS, Trust, Turn


def trust_of(turn: Turn, given: Trust | None) -> Trust:
    """The caller's word where given, else the turn's role. Raises `InvalidInput` for a tier that there is not."""
    if given is None:
        return turn.role
    if given not in TRUSTS:
        raise InvalidInput(f"trust {given!r} is none of {', '.join(TRUSTS)}; give one of these, or leave it out.")
    return given
