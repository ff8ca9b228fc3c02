"""What looks like a line of a profile and is none: adjectives, frames, requests, the past, what was misread."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from memoria import Memory, Turn
from memoria.reflect.concerns import concerning
from memoria.reflect.lines import is_clear

DAY = datetime(2025, 3, 3, 9, tzinfo=UTC)


def live(memory: Memory, *texts: str) -> list[str]:
    """One session a day, reflected on; the lines' texts."""
    for number, text in enumerate(texts):
        memory.remember(Turn(text=text, time=DAY + timedelta(days=number)), user="ana", session=f"s{number}")
    memory.reflect(user="ana")
    return [line.text for line in memory.profile(user="ana").lines]


def test_a_topic_is_the_noun_of_its_phrase(memory: Memory) -> None:
    said = live(
        memory,
        "We have a vibrant orchestra, and a sense of belonging. Overall, fine.",
        "The vibrant hall, the orchestra, a sense of home. Overall, good.",
        "It is a vibrant evening with the orchestra. The sense of it! Overall, so it goes.",
        "A vibrant choir and the orchestra gave us a sense of calm. Overall, it was.",
        "Overall, I am here. Overall, and Overall again.",
    )
    topics = [text.split(":")[0].removeprefix("often speaks of ") for text in said if "often speaks of" in text]
    assert topics == ["orchestra"]


def test_a_day_is_told_once(memory: Memory) -> None:
    for number in range(3):
        memory.remember(Turn(text="The violin again.", time=DAY), user="ana", session=f"s{number}")
    memory.reflect(user="ana")
    (line,) = [each for each in memory.profile(user="ana").lines if "violin" in each.text]
    assert line.text == "often speaks of violin: 3 turns in 3 sessions, 2025-03-03"


def test_numbers_and_letters_of_lists_are_no_habit_of_speech(memory: Memory) -> None:
    said = live(memory, *["5. a. Anyway. I went out for a while."] * 12)
    assert "often says “Anyway”" in said


@pytest.mark.parametrize(
    ("sentence", "is_one"),
    [
        ("I'm so worried about the exam.", True),
        ("It makes me anxious to fly.", True),
        ("I hope to paint again.", True),
        ("I really need to call the bank.", True),
        ("I felt stressed about it back then.", False),
        ("The crews are hoping for rain.", False),
        ("It shed light on deductions I might have missed.", False),
        ("What are some games that I might enjoy?", False),
        ("My friends were excited about the party.", False),
    ],
)
def test_a_concern_is_the_persons_own_and_of_now(sentence: str, is_one: bool) -> None:
    assert concerning(sentence) is is_one


@pytest.mark.parametrize(
    ("value", "clear"),
    [
        ("fado", True),
        ("cars with a manual transmission", True),
        ("hear more about the books", False),
        ("mold that did not suit me", False),
        ("tips on how to apply it", False),
        ("able to spotlight these talented individuals of the whole town", False),
    ],
)
def test_a_clause_is_no_value(value: str, clear: bool) -> None:
    assert is_clear(value) is clear


def test_what_was_misread_ranks_below_what_is_clear(memory: Memory) -> None:
    live(memory, "I love fado.", "I love the mold that my brother broke.")
    tastes = [line for line in memory.profile(user="ana").lines if line.section == "preferences"]
    assert tastes[0].text == "user likes fado"


def test_two_sides_of_a_friendship_are_one_line(memory: Memory) -> None:
    said = live(memory, "My friend is Rui Costa.", "My friend Rui Costa came by.")
    assert [text for text in said if "friend" in text] == ["user's friend is Rui Costa (since 2025-03-03)"]
