"""Days that facts are dated by: one that is planned for lies ahead, and a birthday dates nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memoria import Memory, Turn

SAID = datetime(2025, 1, 19, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("My sister Leonor is getting married on the 6th of September.", datetime(2025, 9, 6, tzinfo=UTC)),
        ("I am moving to Braga on the 3rd of January.", datetime(2026, 1, 3, tzinfo=UTC)),
        ("My birthday is on the 14th of March.", SAID),
        ("I have lived in Porto since October 2024.", datetime(2024, 10, 1, tzinfo=UTC)),
    ],
)
def test_a_day_without_a_year(memory: Memory, text: str, since: datetime) -> None:
    memory.remember(Turn(text=text, time=SAID), user="ana")
    found = [each for each in memory.beliefs(user="ana", retired=True) if each.status in ("current", "upcoming")]
    assert since in {each.valid_from for each in found}, [each.statement for each in found]
