"""Index and ledger in step: drained, replayed, rebuilt, shared between processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from conftest import OpenMemory
from sqlalchemy import select, update

from memoria import HashEmbeddings, Memory, Settings
from memoria.errors import EmbeddingMismatch
from memoria.records import Scope
from memoria.settings import StoreSettings
from memoria.store import embeddings, schema
from memoria.store.episodes import remove_episodes
from memoria.store.events import verify_chain
from memoria.store.scopes import require_scope
from memoria.store.vectors import edge


def remove(memory: Memory, user: str, count: int) -> list[int]:
    """Remove a user's first `count` episodes, as forgetting will."""
    with memory._ledger.write() as connection:
        state = require_scope(connection, Scope(user=user))
        table = schema.episode
        ids = list(connection.execute(select(table.c.id).where(table.c.scope_id == state.id).limit(count)).scalars())
        return remove_episodes(connection, state, ids)


def texts(memory: Memory, question: str, **more: object) -> list[str]:
    return [hit.episode.text for hit in memory.recall(question, user="ana", **more).hits]  # type: ignore[arg-type]


def crash(memory: Memory) -> None:
    """Let go of the files as a killed process would: the watermark does not move."""
    keeper = memory._keeper
    assert keeper is not None
    assert keeper._index is not None
    keeper._index.close()
    keeper._index = None
    keeper._lock.release()
    memory._ledger.close()


def test_what_was_just_said_is_found_at_once(memory: Memory) -> None:
    for number in range(30):
        memory.remember(f"The secret word of day {number} is w{number}w", user="ana", session="s")
        assert texts(memory, f"secret word w{number}w", k=1) == [f"The secret word of day {number} is w{number}w"]
    assert memory.verify() == []


def test_what_is_gone_is_not_found(memory: Memory) -> None:
    memory.remember([f"I like tea number {i}" for i in range(10)], user="ana")
    assert len(texts(memory, "tea", k=20)) == 10
    remove(memory, "ana", 4)
    assert len(texts(memory, "tea", k=20)) == 6
    assert memory.verify() == []
    assert memory.status()["index"]["points"] == 6


def test_an_unflushed_crash_is_replayed(memory: Memory, open_memory: OpenMemory, home: Path) -> None:
    memory.remember("one", user="ana")
    memory.recall("one", user="ana")
    memory.close()
    before = home.with_name("copy")
    shutil.copytree(home / "index", before)
    again = open_memory()
    again.remember(["two", "three"], user="ana")
    again.recall("two", user="ana")
    again._keeper._index.flush()  # type: ignore[union-attr]
    crash(again)
    shutil.rmtree(home / "index")
    before.rename(home / "index")
    third = open_memory()
    assert third.verify() == []
    assert third.status()["index"]["points"] == 3


def test_a_lost_or_damaged_index_is_built_anew(memory: Memory, open_memory: OpenMemory, home: Path) -> None:
    memory.remember([f"turn {i}" for i in range(20)], user="ana")
    memory.recall("turn", user="ana")
    memory.close()
    shutil.rmtree(home / "index")
    second = open_memory()
    assert second.verify() == []
    second.close()
    for file in (home / "index").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    third = open_memory()
    assert third.verify() == []
    assert third.status()["index"]["generation"] == 3
    assert [path.name for path in (home / "index").iterdir()] == ["gen-3"]


def test_another_engine_version_builds_anew(
    memory: Memory, open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.remember("hello", user="ana")
    memory.recall("hello", user="ana")
    memory.close()
    monkeypatch.setattr("memoria.store.keeper.edge_version", lambda: "99")
    assert edge.edge_version() != "99"
    assert open_memory().status()["index"]["generation"] == 2


def test_exact_and_edge_agree(memory: Memory, open_memory: OpenMemory) -> None:
    memory.remember([f"talk {i} about topic{i % 7}" for i in range(50)], user="ana")
    by_edge = texts(memory, "topic3", k=50)
    memory.close()
    exact = open_memory(settings=Settings(store=StoreSettings(index="exact")))
    assert set(texts(exact, "topic3", k=50)) == set(by_edge)
    assert exact.status()["index"]["engine"] == "exact"
    exact.remember("topic3 once more", user="ana")
    assert "topic3 once more" in texts(exact, "topic3", k=3)
    exact.close()
    assert "topic3 once more" in texts(open_memory(), "topic3", k=3)


def test_a_qdrant_client_serves_as_the_index(open_memory: OpenMemory) -> None:
    by_client = Settings(store=StoreSettings(index=":memory:"))
    memory = open_memory(settings=by_client)
    memory.remember([f"talk {i} about topic{i % 7}" for i in range(40)], user="ana")
    assert "topic3" in texts(memory, "topic3", k=1)[0]
    assert memory.status()["index"]["engine"] == "client"
    assert memory.forget(user="ana", query="topic3").complete
    assert not any("topic3" in text for text in texts(memory, "topic3", k=50))
    assert memory.verify() == []
    memory.close()
    again = open_memory(settings=by_client)  # the server came back empty: everything is sent again
    assert len(texts(again, "talk", k=50)) == 34
    assert again.verify() == []


def test_a_large_home_is_built_by_a_subprocess(
    memory: Memory, open_memory: OpenMemory, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memoria.store.keeper._SUBPROCESS_FROM", 10)
    memory.remember([f"turn {i}" for i in range(40)], user="ana")
    memory.recall("turn", user="ana")
    memory.reindex()
    assert memory.verify() == []
    assert memory.status()["index"]["generation"] == 2


def test_a_second_process_finds_without_the_lock(memory: Memory, home: Path) -> None:
    memory.remember("the first process said this", user="ana")
    memory.recall("first", user="ana")
    script = """
        import sys
        from memoria import HashEmbeddings, Memory
        with Memory(sys.argv[1], embeddings=HashEmbeddings(64)) as memory:
            memory.remember("the second process said that", user="ana")
            found = memory.recall("said", user="ana").hits
            print(memory.status()["index"]["owns_index"], [hit.episode.text for hit in found])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(home)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("False")
    assert "the first process" in done.stdout
    assert "the second process" in done.stdout
    later = datetime.now(UTC) + timedelta(days=1)  # the other process goes by the machine's clock
    assert "the second process said that" in texts(memory, "second process", k=1, now=later)
    assert memory.verify() == []


def test_another_model_is_refused_until_everything_is_embedded_again(memory: Memory, open_memory: OpenMemory) -> None:
    memory.remember([f"tea number {i}" for i in range(5)], user="ana")
    memory.recall("tea", user="ana")
    memory.close()
    other = open_memory(embeddings=HashEmbeddings(32))
    for act in (lambda: other.recall("tea", user="ana"), lambda: other.remember("more", user="ana")):
        with pytest.raises(EmbeddingMismatch, match="memoria reembed"):
            act()
    assert other.status()["episodes"] == 5
    assert other.reembed() == 5
    assert other.recall("tea number 3", user="ana", k=1).hits[0].episode.text == "tea number 3"
    assert other.verify() == []
    assert other.status()["dimension"] == 32


def test_the_event_chain_shows_meddling(memory: Memory) -> None:
    for number in range(4):
        memory.remember(f"turn {number}", user="ana")
    with memory._ledger.read() as connection:
        assert verify_chain(connection) is None
    with memory._ledger.write() as connection:
        connection.execute(update(schema.event).where(schema.event.c.id == 3).values(detail='{"count":9}'))
    with memory._ledger.read() as connection:
        assert verify_chain(connection) == 3
    assert any("event 3" in fault for fault in memory.verify())


def test_vectors_come_back_from_the_ledger_as_they_were(memory: Memory) -> None:
    memory.remember(["one fish", "two fish"], user="ana")
    with memory._ledger.read() as connection:
        (batch,) = embeddings.all_points(connection)
    wanted = HashEmbeddings(64).embed_array(["user: one fish", "user: two fish"])
    np.testing.assert_allclose(np.stack([point.vector for point in batch]), wanted, atol=1e-3)


def test_index_files_hold_no_text(memory: Memory, home: Path) -> None:
    memory.remember("zanzibar is the word", user="marguerite")
    memory.recall("zanzibar", user="marguerite")
    memory.close()
    for path in (home / "index").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"zanzibar" not in data
            assert b"marguerite" not in data
    assert os.listdir(home / "index")  # noqa: PTH208
