"""Short lives for profiles, and what is said of them.

What enters: a memory, and what a person says. What leaves: a turn a session, a week apart; the lines of the profile.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from memoria import Memory, Turn

DAY = datetime(2025, 3, 3, 9, tzinfo=UTC)


def live(memory: Memory, *texts: str, user: str = "ana", weeks: bool = True) -> None:
    """A turn a session, a week apart."""
    for number, text in enumerate(texts):
        time = DAY + timedelta(days=7 * number if weeks else number)
        memory.remember(Turn(text=text, time=time), user=user, session=f"s{number}")


def texts(memory: Memory, user: str = "ana", section: str | None = None) -> list[str]:
    profile = memory.profile(user=user)
    lines = [*profile.lines, *profile.left_out]
    return [line.text for line in lines if section is None or line.section == section]
