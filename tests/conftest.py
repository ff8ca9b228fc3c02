"""What tests share: a memory in a temporary home, with hashed embeddings and a clock that a test sets.

What enters: nothing. What leaves: fixtures. Nothing here reaches the network or the person's own home.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest

from memoria import HashEmbeddings, Memory, Settings

DIMENSION = 64
START = datetime(2026, 1, 1, 9, tzinfo=UTC)

hypothesis.settings.register_profile("untimed", deadline=None)  # a loaded machine is slow, and no fault
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skip is a failure: a service that a test needs is missing."""
    report = yield
    if report.skipped and os.environ.get("MEMORIA_REQUIRE_SERVICES"):
        report.outcome, report.longrepr = "failed", f"skipped, but CI has every service: {report.longrepr}"
    return report


class Clock:
    """A clock that moves on a second each time it is asked, or to where a test sets it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(autouse=True)
def _own_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEMORIA_HOME", str(tmp_path / "default-home"))
    monkeypatch.delenv("MEMORIA_CONFIGS", raising=False)


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the real model is exported, once a test run."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


OpenMemory = Callable[..., Memory]


@pytest.fixture
def open_memory(home: Path, settings: Settings, clock: Clock) -> Iterator[OpenMemory]:
    """Open the test's home, as often as wanted; all are closed at the end."""
    opened: list[Memory] = []

    def open_one(**more: object) -> Memory:
        values: dict[str, object] = {"embeddings": HashEmbeddings(DIMENSION), "settings": settings, "clock": clock}
        opened.append(Memory(home, **(values | more)))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for memory in opened:
        memory.close()


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    return open_memory()
