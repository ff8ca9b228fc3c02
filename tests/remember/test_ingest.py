"""Remembering: once, whole, and as it was given."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from conftest import Clock, OpenMemory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memoria import InvalidInput, Memory, Turn

DAY = datetime(2025, 3, 1, tzinfo=UTC)


def test_an_episode_is_what_was_given(memory: Memory) -> None:
    metadata = {"place": "Porto", "n": [1, 2.5, None, True], "deep": {"ü": "é"}}
    given = {"text": "Olá\nmundo", "speaker": "Ana", "time": DAY, "metadata": metadata, "session": "s"}
    (kept,) = memory.remember(given, user="ana")
    (hit,) = memory.recall("mundo", user="ana").hits
    assert hit.episode == kept
    assert (kept.text, kept.speaker, kept.role, kept.trust) == ("Olá\nmundo", "Ana", "user", "user")
    assert (kept.occurred_at, kept.metadata, kept.session, kept.position) == (DAY, metadata, "s", 0)
    assert kept.recorded_at > DAY - timedelta(days=100)


def test_the_same_turn_is_kept_once(memory: Memory) -> None:
    turns = [{"text": "yes", "time": DAY}, {"text": "yes"}, {"text": "yes"}, {"text": "no"}]
    assert len(memory.remember(turns, user="ana", session="s")) == 4
    assert memory.remember(turns, user="ana", session="s") == []
    assert len(memory.remember([*turns, "new"], user="ana", session="s")) == 1
    assert len(memory.remember(turns, user="ana", session="another")) == 4
    assert len(memory.remember(turns, user="bob", session="s")) == 4
    assert len(memory.remember({"text": "no", "id": "other"}, user="ana", session="s")) == 1
    assert memory.verify() == []


def test_the_same_words_may_be_said_again(memory: Memory) -> None:
    for text in ("shall we?", "yes", "sure?", "yes", "yes"):
        assert len(memory.remember(text, user="ana", session="s")) == 1
    assert memory.status()["episodes"] == 5


def test_a_repeated_delivery_is_known_by_its_place(memory: Memory) -> None:
    first, second = ["a", "b"], ["c", "b"]
    for delivery, new in ((first, 2), (first, 0), (second, 2), (second, 0), (first, 0), (first + second, 0)):
        assert len(memory.remember(delivery, user="ana", session="s")) == new
    assert len(memory.remember([*first, *second, "d"], user="ana", session="s")) == 1
    assert memory.verify() == []


def test_a_turn_with_a_time_or_an_id_is_the_same_anywhere(memory: Memory) -> None:
    dated, named = {"text": "yes", "time": DAY}, {"text": "yes", "id": "m7"}
    for delivery, new in (([dated, named], 2), ([named], 0), ([dated], 0), (["yes", named], 1), (named, 0)):
        assert len(memory.remember(delivery, user="ana", session="s")) == new


def test_a_delivery_is_taken_once(memory: Memory) -> None:
    assert len(memory.remember(["a", "b"], user="ana", idempotency_key="d1")) == 2
    assert memory.remember(["c"], user="ana", idempotency_key="d1") == []
    assert len(memory.remember(["c"], user="ana", idempotency_key="d2")) == 1
    assert len(memory.remember(["c"], user="bob", idempotency_key="d1")) == 1


def test_ids_are_stable_and_tell_nothing(memory: Memory, open_memory: OpenMemory) -> None:
    (one,) = memory.remember({"text": "hello", "time": DAY}, user="ana", session="s")
    assert "ana" not in one.id
    assert len(one.id) == 32
    memory.close()
    again = open_memory()
    assert again.recall("hello", user="ana").hits[0].episode.id == one.id


def test_sessions_default_to_the_day(memory: Memory) -> None:
    (kept,) = memory.remember(Turn(text="x", time=datetime(2025, 3, 1, 23, 30, tzinfo=UTC)), user="ana")
    assert kept.session == "2025-03-01"


def test_trust_goes_by_the_role_unless_given(memory: Memory) -> None:
    kept = memory.remember([{"text": "a"}, {"text": "b", "role": "tool"}], user="ana")
    assert [each.trust for each in kept] == ["user", "tool"]
    assert memory.remember("c", user="ana", trust="web")[0].trust == "web"
    with pytest.raises(InvalidInput, match="gossip"):
        memory.remember("d", user="ana", trust="gossip")  # type: ignore[arg-type]


def test_nothing_of_nothing(memory: Memory) -> None:
    assert memory.remember([], user="ana") == []
    assert memory.status()["people"] == 0


def test_threads_share_a_memory(memory: Memory, clock: Clock) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(15):
                memory.remember(f"thread {number} said {i}", user=f"user{number % 2}", session=str(number))
                assert memory.recall(f"thread {number} said {i}", user=f"user{number % 2}", k=5).hits
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert memory.status()["episodes"] == 90
    assert memory.verify() == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=5), min_size=1, max_size=5))
def test_sending_a_growing_history_again_and_again_keeps_each_turn_once(
    open_memory: OpenMemory, parts: list[list[str]]
) -> None:
    memory, history, person = open_memory(), [], str(uuid4())
    new = 0
    for part in parts:
        history += part
        new += len(memory.remember([{"text": text} for text in history], user=person, session="s"))
    assert new == len(history)
    assert memory.verify() == []
    memory.close()
