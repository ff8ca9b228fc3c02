"""Corrections that later words speak against are taught no more; all others stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from conftest import Clock

from memoria import Memory, Turn

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
LATER = START + timedelta(days=60)
TEA, COFFEE = "Have a pot of green tea.", "Have a mug of black coffee."
ASK = "What goes with cake?"


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    clock.now = LATER


def told(memory: Memory, day: int, text: str) -> None:
    memory.remember(Turn(text=text, time=START + timedelta(days=day), session=f"told {day}"), user="ana")


def corrected(memory: Memory, day: int, chosen: str, rejected: str, ask: str = ASK) -> None:
    at, session = START + timedelta(days=day, hours=1), f"asked {day}"
    turns = [Turn(text=ask, time=at, session=session)]
    turns.append(Turn(text=rejected, role="assistant", time=at + timedelta(minutes=1), session=session))
    answer = memory.remember(turns, user="ana")[-1]
    memory.feedback(answer.id, user="ana", score=-1, correction=chosen)


def chosen(memory: Memory) -> list[str]:
    return [pair.chosen for pair in memory.dataset(user="ana").pairs if pair.kind == "edit"]


def test_the_newer_answer_to_a_question_takes_the_place_of_what_it_turns_down(memory: Memory) -> None:
    corrected(memory, 1, TEA, COFFEE)
    assert chosen(memory) == [TEA]
    corrected(memory, 2, COFFEE, TEA)
    assert chosen(memory) == [COFFEE]
    corrected(memory, 3, "Have some milk.", "Have some juice.")  # says nothing against coffee
    assert chosen(memory) == [COFFEE, "Have some milk."]


@pytest.mark.parametrize(
    ("says", "stays"),
    [
        ("I don't like tea.", False),
        ("I love coffee.", False),
        ("I love tea.", True),
        ("I don't like coffee.", True),
        ("I don't like cake.", True),  # neither answer names it
    ],
)
def test_a_later_taste_speaks_against_what_it_names(memory: Memory, says: str, stays: bool) -> None:
    corrected(memory, 1, TEA, COFFEE)
    told(memory, 2, says)
    assert chosen(memory) == ([TEA] if stays else [])


def test_an_earlier_taste_does_not(memory: Memory) -> None:
    told(memory, 1, "I love coffee.")
    corrected(memory, 2, TEA, COFFEE)
    assert chosen(memory) == [TEA]


def test_what_is_forgotten_speaks_against_nothing(memory: Memory) -> None:
    corrected(memory, 1, TEA, COFFEE)
    told(memory, 2, "I don't like tea.")
    assert chosen(memory) == []
    memory.forget(user="ana", session="told 2")
    assert chosen(memory) == [TEA]
