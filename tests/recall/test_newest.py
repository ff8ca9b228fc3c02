"""Of two turns that say the same matter the newer comes first, and only where that is what was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from conftest import Clock, OpenMemory

from memoria import Memory, Settings
from memoria.recall.newest import newest_first
from memoria.recall.question import read_question
from memoria.records import Context, Episode
from memoria.settings import ExtractSettings
from memoria.store.text import terms

ANA = "ana"
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
OLD = "My physio asked for my running shoes and my running shoes are Saucony."
NEW = "My running shoes are Brooks."
CHATTER = ["The weather was fine on the coast.", "Can you name a good soup?"]


@pytest.fixture
def unread(open_memory: OpenMemory, settings: Settings) -> Memory:
    """A memory that believes nothing, so that only the turns themselves decide."""
    return open_memory(settings=settings.model_copy(update={"extract": ExtractSettings(on_write=False)}))


def tell(memory: Memory, clock: Clock, *turns: object) -> None:
    for turn in turns:
        clock.now += timedelta(days=1)
        memory.remember(turn, user=ANA, session=f"{clock.now:%j}")


def texts(context: Context) -> list[str]:
    return [hit.episode.text for hit in context.hits]


def sums_up(context: Context) -> bool:
    return all(sum(hit.signals.values()) == pytest.approx(hit.score) for hit in context.hits)


def test_the_newer_statement_comes_first_and_says_why(unread: Memory, clock: Clock) -> None:
    tell(unread, clock, OLD, *CHATTER, NEW)
    found = unread.recall("Which running shoes are mine?", user=ANA)
    assert texts(found)[:2] == [NEW, OLD]
    first, second = found.hits[:2]
    assert first.signals["newer"] > 0
    assert first.score - first.signals["newer"] < second.score
    assert "newer" not in second.signals
    assert sums_up(found)
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)


@pytest.mark.parametrize(
    "question",
    [
        "Which were my first running shoes?",
        "Which were my old running shoes?",
        "Which running shoes are worn?",  # nothing of the person's own
    ],
)
def test_only_a_question_of_now_or_of_ones_own_moves_turns(unread: Memory, clock: Clock, question: str) -> None:
    tell(unread, clock, OLD, *CHATTER, NEW)
    found = unread.recall(question, user=ANA)
    assert texts(found)[:2] == [OLD, NEW]
    assert all("newer" not in hit.signals for hit in found.hits)
    assert texts(unread.recall(f"{question[:-1]} now?", user=ANA))[:2] == [NEW, OLD]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, {"role": "assistant", "text": NEW}),
        (OLD, {"role": "tool", "text": NEW}),
        ({"role": "assistant", "text": OLD}, NEW),
    ],
)
def test_anothers_words_move_no_one(unread: Memory, clock: Clock, old: object, new: object) -> None:
    tell(unread, clock, old, *CHATTER, new)
    found = unread.recall("Which running shoes are mine?", user=ANA)
    assert {OLD, NEW} <= set(texts(found))
    assert all("newer" not in hit.signals for hit in found.hits)


@pytest.mark.parametrize(
    ("stated", "later", "question"),
    [
        ("I work at Siemens as an engineer, and work at Siemens is long.", "I quit my job.", "Where do I work?"),
        ("My locker code is 4411.", "I gave you the wrong locker code.", "What is my locker code?"),
        ("My checkup is on Monday.", "Sorry, I meant Thursday.", "On which day is my checkup?"),
        ("My girlfriend is Noor, and my girlfriend sings.", "We broke up.", "Who is my girlfriend?"),
    ],
)
def test_what_ended_or_corrected_a_turn_stands_above_it(
    memory: Memory, clock: Clock, stated: str, later: str, question: str
) -> None:
    tell(memory, clock, stated)
    assert texts(memory.recall(question, user=ANA))[0] == stated
    if stated.startswith("My checkup"):
        tell(memory, clock, later)  # a bare correction speaks of what was said just before
    else:
        tell(memory, clock, *CHATTER, later)
    found = memory.recall(question, user=ANA)
    assert texts(found)[:2] == [later, stated]
    assert found.hits[0].signals["newer"] > 0
    assert sums_up(found)


def test_an_ending_lets_go_once_it_is_forgotten(memory: Memory, clock: Clock) -> None:
    tell(memory, clock, "I work at Siemens as an engineer.", *CHATTER, "I quit my job.")
    ending = memory.recall("Where do I work?", user=ANA).hits[0].episode
    memory.forget(user=ANA, ids=[ending.id])
    found = memory.recall("Where do I work?", user=ANA)
    assert texts(found)[0] == "I work at Siemens as an engineer."
    assert all("newer" not in hit.signals for hit in found.hits)


def turn(name: str, text: str, day: int, **more: str) -> Episode:
    values = {"id": name, "session": name, "trust": "user", "text": text} | more
    return Episode.model_construct(occurred_at=FIRST + timedelta(days=day), **values)


def ordered(*found: tuple[Episode, float], over: dict[str, frozenset[str]] | None = None) -> list[tuple[str, float]]:
    """Names and scores after `newest_first`, of a question whose every word weighs the same."""
    question = read_question("What is my desk lamp colour?", FIRST + timedelta(days=99), ())
    weights = dict.fromkeys(terms("desk lamp colour"), 1.0)
    said = [(each, score, {"dense": score}, each.text) for each, score in found]
    moved = newest_first(said, question, weights, over or {})
    assert all(sum(signals.values()) == pytest.approx(score) for _, score, signals, _ in moved)
    return [(each.id, score) for each, score, _, _ in moved]


def test_only_a_turn_that_says_it_about_as_well_moves() -> None:
    old = turn("old", "My desk lamp colour is red.", 1)
    assert [n for n, _ in ordered((old, 5.0), (turn("new", "The desk lamp colour is blue.", 9), 4.0))] == ["new", "old"]
    for text, score, day in (
        ("The desk is tidy.", 4.0, 9),  # a third of the question's words, where the older has all
        ("The desk lamp colour is blue.", 1.5, 9),  # too far below
        ("The desk lamp colour is blue.", 4.0, 0),  # not newer
        ("I like a desk. Or a lamp. Or any colour.", 4.0, 9),  # in no one sentence
    ):
        assert ordered((old, 5.0), (turn("new", text, day), score)) == [("old", 5.0), ("new", score)]


def test_turns_of_one_session_keep_their_order() -> None:
    old = turn("old", "My desk lamp colour is red.", 1, session="s")
    new = turn("new", "My desk lamp colour is blue.", 2, session="s")
    assert ordered((old, 5.0), (new, 4.0)) == [("old", 5.0), ("new", 4.0)]


def test_what_overrides_a_turn_rises_right_above_it_from_anywhere() -> None:
    found = [
        (turn("best", "Lamps.", 3), 9.0),
        (turn("said", "It is red.", 1), 5.0),
        (turn("between", "Hm.", 2), 4.0),
        (turn("taken back", "It broke.", 4), 0.5),
    ]
    names = ordered(*found, over={"said": frozenset({"taken back"})})
    assert [name for name, _ in names] == ["best", "taken back", "said", "between"]
    assert [score for _, score in names] == sorted((score for _, score in names), reverse=True)


def test_of_three_the_newest_is_first() -> None:
    days = {"a": 1, "b": 5, "c": 9}
    found = [(turn(name, "My desk lamp colour is new.", day), 5.0 - n) for n, (name, day) in enumerate(days.items())]
    assert [name for name, _ in ordered(*found)] == ["c", "b", "a"]
