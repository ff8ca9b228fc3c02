"""Dates and periods in questions, seen from now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memoria.clock import from_micros
from memoria.dates import spans_in

NOW = datetime(2025, 6, 18, 15, tzinfo=UTC)  # a Wednesday

CASES = {
    "What did I eat on 2025/03/04?": ("2025-03-04", "2025-03-05"),
    "what happened on 2024-02-29": ("2024-02-29", "2024-03-01"),
    "Where was I in March 2024?": ("2024-03-01", "2024-04-01"),
    "What did I say on 7 May 2023?": ("2023-05-07", "2023-05-08"),
    "What did I say on May 7th, 2023?": ("2023-05-07", "2023-05-08"),
    "What did I do yesterday?": ("2025-06-17", "2025-06-18"),
    "What did I do last week?": ("2025-06-09", "2025-06-16"),
    "What did I buy last month": ("2025-05-01", "2025-06-01"),
    "Where did I live in 2019?": ("2019-01-01", "2020-01-01"),
    "Where did I go last summer?": ("2024-06-01", "2024-09-01"),
    "Where did I go in the winter of 2023?": ("2023-12-01", "2024-03-01"),
    "What did I start two weeks ago?": ("2025-06-02", "2025-06-09"),
    "What did I plan in April?": ("2025-04-01", "2025-05-01"),
    "我2024年4月3日去了哪里": ("2024-04-03", "2024-04-04"),
    "What did I say on Monday?": ("2025-06-16", "2025-06-17"),
}


@pytest.mark.parametrize(("question", "expected"), CASES.items())
def test_a_period_is_found(question: str, expected: tuple[str, str]) -> None:
    (span,) = spans_in(question, NOW)
    assert (f"{from_micros(span.start):%Y-%m-%d}", f"{from_micros(span.end):%Y-%m-%d}") == expected


def test_before_and_since_are_open() -> None:
    (before,) = spans_in("Where did I live before March 2024?", NOW)
    assert f"{from_micros(before.end):%Y-%m-%d}" == "2024-03-01"
    assert before.start < -(10**17)
    (since,) = spans_in("What have I read since 2024?", NOW)
    assert f"{from_micros(since.start):%Y-%m-%d}" == "2024-01-01"
    assert since.end > 10**17


@pytest.mark.parametrize(
    "question",
    [
        "What is my dog's name?",
        "May I have that recipe?",
        "Did I march with them?",
        "How many 1500 meter races?",
        "call 2023-99-99",
        "version 2024.77",
        "",
    ],
)
def test_no_period_is_invented(question: str) -> None:
    assert spans_in(question, NOW) == ()
