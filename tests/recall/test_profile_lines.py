"""Lines of the profile in a context: which are wanted, and that they take no room from anything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from memoria import Memory, Turn

DAY = datetime(2025, 3, 3, 9, tzinfo=UTC)
LIKES = (
    "olives",
    "capers",
    "fennel",
    "radishes",
    "turnips",
    "leeks",
    "okra",
    "kale",
    "chard",
    "beets",
    "celery",
    "miso",
)
ADVICE = "Can you recommend a dinner?"


@pytest.fixture
def eater(memory: Memory) -> Memory:
    for number, food in enumerate(LIKES):
        memory.remember(
            Turn(text=f"I love {food} for dinner! It is the best.", time=DAY + timedelta(days=number)), user="ana"
        )
    memory.reflect(user="ana")
    return memory


def test_what_is_stated_without_the_profile_is_stated_with_it(eater: Memory) -> None:
    stated = 0
    for budget in range(30, 700, 10):
        plain = eater.recall(ADVICE, user="ana", budget=budget)
        profiled = eater.recall(ADVICE, user="ana", budget=budget, profile=True)
        assert profiled.hits == plain.hits
        assert [each.belief.id for each in profiled.beliefs] == [each.belief.id for each in plain.beliefs]
        assert profiled.tokens <= budget
        stated += len(profiled.profile)
    assert stated


def test_lines_say_what_no_quote_and_no_belief_says(eater: Memory) -> None:
    context = eater.recall(ADVICE, user="ana", k=4, budget=1500, profile=True)
    quoted = {hit.episode.id for hit in context.hits}
    believed = {hit.belief.id for hit in context.beliefs}
    assert context.profile
    assert context.text.index("[p1]") < context.text.index("[1]")
    for line in context.profile:
        assert not quoted.issuperset(line.episode_ids)
        assert not (line.belief_ids and believed.issuperset(line.belief_ids))


def test_how_somebody_speaks_answers_nothing(eater: Memory) -> None:
    assert [line.text for line in eater.profile(user="ana").lines if line.section == "style"]
    context = eater.recall(ADVICE, user="ana", k=1, budget=5000, profile=True)
    assert {line.section for line in context.profile} == {"preferences"}


def test_a_plain_question_takes_lines_by_its_words_alone(eater: Memory) -> None:
    assert eater.recall("When was the war?", user="ana", k=1, budget=5000, profile=True).profile == ()
