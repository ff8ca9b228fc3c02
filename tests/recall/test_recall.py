"""Recall as a user sees it: whose, when, which session, what was known when."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

from conftest import Clock, OpenMemory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memoria import Memory
from memoria.records import Context

FIRST = datetime(2025, 1, 1, tzinfo=UTC)


def texts(context: Context) -> list[str]:
    return [hit.episode.text for hit in context.hits]


def test_nothing_later_than_now_is_used(memory: Memory) -> None:
    for day in range(5):
        memory.remember({"text": f"day {day} at the sea", "time": FIRST + timedelta(days=day)}, user="ana")
    found = memory.recall("sea", user="ana", now=FIRST + timedelta(days=2))
    assert set(texts(found)) == {f"day {day} at the sea" for day in range(3)}
    assert memory.recall("sea", user="ana", now=FIRST - timedelta(days=1)).hits == ()


def test_as_of_knows_what_was_recorded_then(memory: Memory, clock: Clock) -> None:
    memory.remember({"text": "told early about the sea", "time": FIRST}, user="ana")
    between = clock()
    clock.now += timedelta(days=30)
    memory.remember({"text": "told late about the sea", "time": FIRST}, user="ana")
    assert texts(memory.recall("sea", user="ana", as_of=between)) == ["told early about the sea"]
    assert len(memory.recall("sea", user="ana").hits) == 2


def test_one_session_alone(memory: Memory) -> None:
    memory.remember("sea in a", user="ana", session="a")
    memory.remember("sea in b", user="ana", session="b")
    assert texts(memory.recall("sea", user="ana", session="b")) == ["sea in b"]


def test_the_named_speaker_comes_first(memory: Memory) -> None:
    said = [{"text": "I went to the sea on Sunday", "speaker": name} for name in ("Bruno", "Carla", "Duarte")]
    memory.remember(said, user="ana", session="s")
    for name in ("Bruno", "Carla", "Duarte"):
        (hit,) = memory.recall(f"When did {name} go to the sea?", user="ana", k=1).hits
        assert hit.episode.speaker == name


def test_the_period_asked_about_comes_first(memory: Memory) -> None:
    for month in range(1, 13):
        time = datetime(2024, month, 10, tzinfo=UTC)
        memory.remember({"text": "I went swimming in the sea", "time": time}, user="ana", session=str(month))
    (hit,) = memory.recall("Did I go swimming in August 2024?", user="ana", k=1).hits
    assert hit.episode.occurred_at.month == 8
    assert hit.signals["time"] > 0


def test_a_short_answer_is_found_through_the_question_before_it(memory: Memory) -> None:
    memory.remember([f"We talked about the weather of day {i}." for i in range(30)], user="ana", session="w")
    memory.remember(
        [{"text": "What is your sister's name?", "role": "assistant"}, {"text": "Leonor"}], user="ana", session="s"
    )
    assert "Leonor" in texts(memory.recall("my sister's name", user="ana", k=3))


def test_hits_say_who_when_where(memory: Memory) -> None:
    memory.remember({"text": "I keep bees", "speaker": "Ana", "time": FIRST}, user="ana", session="garden")
    context = memory.recall("bees", user="ana")
    lines = [
        "<memoria>",
        "[b1] user's hobby is bees (since 2025-01-01)",
        "[1] 2025-01-01 Ana: I keep bees",
        "</memoria>",
    ]
    assert context.render().splitlines() == lines
    assert context.hits[0].episode.session == "garden"
    assert Context.model_validate_json(context.model_dump_json()) == context


WORDS = st.lists(st.sampled_from(["tea", "sea", "dog", "rain", "zanzibar", "茶茶"]), min_size=1, max_size=6).map(
    " ".join
)
PEOPLE = st.lists(st.tuples(st.sampled_from(["ana", "bob", "eve"]), WORDS), min_size=2, max_size=14)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=PEOPLE, question=WORDS, marker=st.text(string.ascii_lowercase, min_size=6, max_size=8))
def test_no_hit_score_or_count_depends_on_other_people(
    open_memory: OpenMemory, said: list[tuple[str, str]], question: str, marker: str
) -> None:
    """A person's answers with others in the home are, to the last digit, those of a home of their own."""
    memory = open_memory()
    run = f"{marker}-{id(said)}"
    for tenant in ("together", "elsewhere"):
        for number, (person, text) in enumerate(said):
            more = {"user": person + run, "tenant": tenant, "session": "s"}
            memory.remember({"text": text, "id": str(number), "time": FIRST}, **more)
    for person in {name for name, _ in said}:
        alone = f"alone-{person}-{run}"
        for number, (name, text) in enumerate(said):
            if name == person:
                memory.remember({"text": text, "id": str(number), "time": FIRST}, user=alone, session="s")
        mixed = memory.recall(question, user=person + run, tenant="together", k=50)
        own = memory.recall(question, user=alone, k=50)
        assert [(h.episode.text, h.score, h.signals) for h in mixed.hits] == [
            (h.episode.text, h.score, h.signals) for h in own.hits
        ]
        assert mixed.confidence == own.confidence
        assert all(hit.episode.user == person + run and hit.episode.tenant == "together" for hit in mixed.hits)
    memory.close()
