"""A home with two people, jobs on a clock that a test sets, and a worker over them.

What enters: nothing. What leaves: fixtures. No test here waits for real time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import OpenMemory

from memoria.schedule import Action, Jobs
from memoria.schedule.config import jobs_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class SetClock:
    """A clock that stands where it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def go(self, **more: float) -> None:
        self.now += timedelta(**more)


OpenJobs = Callable[..., Jobs]


@pytest.fixture
def time() -> SetClock:
    return SetClock()


@pytest.fixture
def open_jobs(open_memory: OpenMemory, time: SetClock) -> Iterator[OpenJobs]:
    """Open jobs on the test's home: each keyword is a job, as jobs.yaml would have it."""
    with ExitStack() as opened:
        memory = open_memory(clock=time)
        for user in ("ana", "bo"):
            memory.remember(f"I live in {user.title()}ville.", user=user)

        def open_some(actions: Mapping[str, Action], worker: Mapping[str, Any] | None = None, **jobs: Any) -> Jobs:
            config = jobs_of({"worker": dict(worker or {}), "jobs": jobs}, "test.yaml")
            return opened.enter_context(Jobs(memory, config=config, actions=actions, clock=time))

        yield open_some
