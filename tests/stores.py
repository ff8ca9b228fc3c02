"""Stores for the tests of LangGraph's store: `InMemoryStore`, and memoria's over homes made by copying an empty one.

What enters: fields to search and a TTL configuration, as the conformance suite gives them. What leaves: a store.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from conftest import DIMENSION, Clock
from langgraph.store.base import BaseStore, IndexConfig, TTLConfig
from langgraph.store.memory import InMemoryStore

from memoria import HashEmbeddings, Memory, Settings
from memoria.integrations.langgraph_store import MemoriaStore

EMBEDDINGS = HashEmbeddings(DIMENSION)
Made = Callable[[list[str] | None, TTLConfig | None], AbstractContextManager[BaseStore]]


def index_of(fields: list[str] | None) -> IndexConfig | None:
    return None if fields is None else {"dims": DIMENSION, "embed": EMBEDDINGS, "fields": fields}


def in_memory(fields: list[str] | None, ttl: TTLConfig | None) -> BaseStore:
    return InMemoryStore(index=index_of(fields))


def of_memoria(empty: Path, clock: Clock) -> Made:
    """A factory of stores over copies of the home `empty`."""

    @contextmanager
    def make(fields: list[str] | None, ttl: TTLConfig | None) -> Generator[BaseStore]:
        with TemporaryDirectory() as folder:
            home = Path(shutil.copytree(empty, Path(folder) / "home"))
            with Memory(home, embeddings=EMBEDDINGS, settings=Settings(), clock=clock) as memory:
                yield MemoriaStore(memory, index=False if fields is None else {"fields": fields}, ttl=ttl)

    return make


def pass_minutes(clock: Clock) -> Callable[[float], None]:
    def move(minutes: float) -> None:
        clock.now += timedelta(minutes=minutes)

    return move


def make_empty(home: Path) -> Path:
    Memory(home, embeddings=EMBEDDINGS, settings=Settings()).close()
    return home
