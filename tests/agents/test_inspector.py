"""Questions about the memory itself, each answered with what it rests on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from conftest import OpenMemory
from memoria_agents import Inspector

from memoria import Memory

SAID = [
    ("2025-01-12", "I live in Porto."),
    ("2025-02-21", "My boss is Henrique."),
    ("2025-03-30", "I can't stand running."),
    ("2025-06-13", "I moved to Lisbon. My new boss is Ingrid."),
    ("2025-09-21", "I went running with Ingrid. Running is my hobby now."),
]
NOW = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def lived(open_memory: OpenMemory) -> Memory:
    """A memory to which each thing was told on its day."""
    now = NOW
    memory = open_memory(clock=lambda: now)
    for day, text in SAID:
        now = datetime.fromisoformat(f"{day}T09:00:00+00:00")
        memory.remember({"text": text, "time": now}, user="ana", session=day)
    now = NOW
    return memory


@pytest.mark.parametrize(
    ("question", "intent", "says", "unsaid"),
    [
        ("Why do you believe that my boss is Ingrid?", "why", ["My new boss is Ingrid", "it superseded"], []),
        ("How do you know I live in Lisbon?", "why", ["I moved to Lisbon"], []),
        ("What did you believe in March?", "believed", ["You live in Porto", "Henrique"], ["Lisbon", "Ingrid"]),
        ("What did you believe about my manager in July 2025?", "believed", ["Ingrid"], ["Henrique", "Porto"]),
        ("What was true in April?", "held", ["You live in Porto"], ["Lisbon"]),
        (
            "What do you know about Ingrid?",
            "about",
            ["manager is Ingrid", "I went running with Ingrid"],
            ["Porto"],
        ),
        ("what do you know about me?", "about", ["You live in Lisbon"], ["Porto"]),
        ("What changed?", "changed", ["Porto", "Lisbon", "Henrique", "Ingrid"], []),
        ("What changed since August?", "changed", ["Nothing changed"], ["Lisbon"]),
        ("What is contradictory?", "doubtful", ["running, yet"], []),
        ("When did I last mention running?", "mentioned", ["21 Sep 2025", "of 2 times"], ["30 Mar"]),
        ("When did I first mention running?", "mentioned", ["30 Mar 2025"], ["21 Sep"]),
        ("How many turns and sessions do you hold?", "counted", ["5 turns in 5 sessions"], []),
    ],
)
def test_it_answers_with_citations(
    lived: Memory, question: str, intent: str, says: list[str], unsaid: list[str]
) -> None:
    found = Inspector(lived, user="ana").ask(question, NOW)
    assert found.intent == intent
    assert [each for each in says if each not in found.text] == []
    assert [each for each in unsaid if each in found.text] == []
    known = {each.id for each in lived.beliefs(user="ana", retired=True)} | {
        each.id for each in lived.episodes(user="ana")
    }
    assert known.issuperset(found.ids)
    assert all(each[:8] in found.text for each in found.ids if intent != "why")
    assert bool(found.ids) == (intent != "counted" and "Nothing changed" not in found.text)


@pytest.mark.parametrize("question", ["Where do I live?", "How many sessions of physio did I have?", "Hello!"])
def test_it_says_what_it_can_answer(lived: Memory, question: str) -> None:
    inspector = Inspector(lived, user="ana")
    assert inspector.inspect(question) is None
    assert "when did I last mention" in inspector.ask(question).text


def test_it_knows_nothing_of_strangers(lived: Memory) -> None:
    assert (
        "I know nothing about elephants" in Inspector(lived, user="ana").ask("What do you know about elephants?").text
    )
    stranger = Inspector(lived, user="ben").ask("What do you know about Ingrid?")
    assert stranger.ids == ()
    assert "Ingrid" not in stranger.text
