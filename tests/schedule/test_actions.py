"""What the packaged jobs do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from conftest import OpenMemory

from memoria import Memory, Settings
from memoria.schedule import Jobs, RunRecord, Worker
from memoria.schedule.config import jobs_of
from memoria.settings import RetentionSettings


@pytest.fixture
def memory(open_memory: OpenMemory, settings: Settings, time: Any) -> Memory:
    retention = RetentionSettings(user_days=30)
    memory = open_memory(clock=time, settings=settings.model_copy(update={"retention": retention}))
    for user in ("ana", "bo"):
        memory.remember(["I live in Porto.", "I love fado."], user=user)
    return memory


@pytest.fixture
def jobs(memory: Memory, time: Any) -> Iterator[Jobs]:
    named = {name: {"interval": "1d"} for name in ("reflect", "profile", "retention", "distil")}
    named |= {"reindex": {"interval": "1d", "per": "home"}, "everybody": {"interval": "1d", "per": "home"}}
    named["everybody"]["action"] = "reflect"
    with Jobs(memory, config=jobs_of({"jobs": named}, "test"), clock=time) as jobs:
        yield jobs


def run(jobs: Jobs, name: str, user: str | None = "ana") -> RunRecord:
    (found,) = Worker(jobs).run_now(name, user=user)
    assert (found.state, found.error) == ("done", None)
    return found


def test_reflect_makes_a_profile_once(jobs: Jobs, memory: Memory) -> None:
    assert "1 of 1 profiles changed" in (run(jobs, "reflect").outcome or "")
    assert [each.version for each in memory.profiles(user="ana")] == [1]
    assert "0 of 1 profiles changed" in (run(jobs, "reflect").outcome or "")
    assert "0 of 1 profiles changed" in (run(jobs, "profile").outcome or "")
    assert [each.version for each in memory.profiles(user="ana")] == [1]
    assert memory.profiles(user="bo") == []


def test_one_run_may_be_for_everybody(jobs: Jobs, memory: Memory) -> None:
    assert "2 of 2 profiles changed" in (run(jobs, "everybody", None).outcome or "")
    assert memory.profile(user="bo").version == 1


def test_retention_forgets_what_was_kept_long_enough(jobs: Jobs, memory: Memory, time: Any) -> None:
    assert run(jobs, "retention").outcome == "0 turns and 0 beliefs forgotten, 0 receipts"
    time.now += timedelta(days=31)
    assert (run(jobs, "retention").outcome or "").startswith("2 turns and 2 beliefs forgotten")
    assert (memory.episodes(user="ana"), len(memory.episodes(user="bo"))) == ([], 2)


def test_reindex_builds_the_index_anew(jobs: Jobs, memory: Memory) -> None:
    before = memory.status()["index"]["generation"]
    assert run(jobs, "reindex", None).outcome == "4 turns indexed"
    assert memory.status()["index"]["generation"] > before


def test_distil_says_that_there_is_nothing_to_train(jobs: Jobs) -> None:
    assert run(jobs, "distil").outcome == "nothing that trains is set up"
