"""Forgotten is gone: from recall, from the ledger, from every byte; a killed erasure finishes; others keep theirs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import DIMENSION, OpenMemory

from memoria import HashEmbeddings, InvalidInput, Memory, Settings
from memoria.errors import UnknownUser
from memoria.forget.verify import residue
from memoria.records import Receipt, Scope
from memoria.settings import StoreSettings
from memoria.store.scopes import require_scope

CANARY = "The safe in the cellar opens with zanzibar-quetzal-7741 and nothing else."
DAY = datetime(2025, 3, 1, tzinfo=UTC)


def fill(memory: Memory, count: int, user: str = "ana") -> None:
    for start in range(0, count, 50):
        said = [f"turn {i} about the garden, the sea and number {i * 7919}" for i in range(start, start + 50)]
        memory.remember(said, user=user, session=f"s{start}")


def texts(memory: Memory, question: str, user: str = "ana") -> list[str]:
    return [hit.episode.text for hit in memory.recall(question, user=user, k=50, budget=10**6).hits]


def scan(memory: Memory) -> list[str]:
    vectors = HashEmbeddings(DIMENSION).embed_array([f"user: {CANARY}"])
    return residue(memory._ledger, memory.home, [CANARY], list(vectors))


def in_files(memory: Memory) -> bool:
    """Whether the canary's bytes are anywhere in the home."""
    return any(CANARY.encode()[30:50] in path.read_bytes() for path in memory.home.rglob("*") if path.is_file())


def good(receipt: Receipt, episodes: int) -> None:
    assert (receipt.episodes, receipt.complete, receipt.residue) == (episodes, True, ())


@pytest.mark.parametrize("index", ["edge", "exact"])
def test_no_byte_is_left(open_memory: OpenMemory, index: str) -> None:
    memory = open_memory(settings=Settings(store=StoreSettings(index=index)))
    fill(memory, 1000)
    (kept,) = memory.remember(CANARY, user="ana", session="secrets")
    fill(memory, 1000, user="bob")
    assert CANARY in texts(memory, "safe in the cellar")
    assert in_files(memory)
    good(memory.forget(user="ana", ids=[kept.id]), 1)
    assert not in_files(memory)
    assert scan(memory) == []
    assert CANARY not in texts(memory, "safe in the cellar zanzibar-quetzal-7741")
    assert memory.status()["episodes"] == 2000
    assert memory.verify() == []
    memory.close()
    assert scan(open_memory()) == []


def test_every_selector(memory: Memory) -> None:
    for day in range(6):
        text = f"on day {day} we saw the sea" + (" and a heron" if day % 2 else "")
        memory.remember({"text": text, "time": DAY + timedelta(days=day)}, user="ana", session=f"s{day}")
    good(memory.forget(user="ana", query="the heron"), 3)
    good(memory.forget(user="ana", session="s0"), 1)
    good(memory.forget(user="ana", before=DAY + timedelta(days=3)), 1)
    assert texts(memory, "sea") == ["on day 4 we saw the sea"]
    good(memory.forget(user="ana", everything=True), 1)
    with pytest.raises(UnknownUser):
        memory.recall("sea", user="ana")
    assert memory.status()["people"] == 0
    assert memory.verify() == []
    assert len(memory.remember("a new beginning", user="ana")) == 1


def test_a_forgotten_persons_number_is_never_anothers(memory: Memory) -> None:
    def number(user: str) -> int:
        with memory._ledger.read() as connection:
            return require_scope(connection, Scope(user=user)).id

    memory.remember("hello", user="ana")
    first = number("ana")
    memory.forget(user="ana", everything=True)
    memory.remember("hello", user="bob")
    assert number("bob") != first


def test_nearly_the_same_goes_too(memory: Memory) -> None:
    memory.remember(["I owe Rui three hundred euros", "The sea was calm"], user="ana")
    shown = memory.forget(user="ana", query="user: I owe Rui three hundred euros.", dry_run=True)
    assert [episode.text for episode in shown.would_go] == ["I owe Rui three hundred euros"]
    assert (shown.number, shown.complete) == (0, False)
    assert memory.status()["episodes"] == 2


def test_other_peoples_memory_is_untouched(memory: Memory) -> None:
    (theirs,) = memory.remember("we saw a heron", user="bob")
    memory.remember("we saw a heron", user="ana")
    with pytest.raises(InvalidInput, match="not in this memory"):
        memory.forget(user="ana", ids=[theirs.id])
    good(memory.forget(user="ana", query="heron"), 1)
    assert texts(memory, "heron", user="bob") == ["we saw a heron"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "given nothing"),
        ({"query": "x", "everything": True}, "query and everything"),
        ({"ids": ["0" * 32]}, "not in this memory"),
        ({"ids": ["no hex"]}, "not in this memory"),
        ({"session": "nowhere"}, "no session"),
        ({"before": datetime(2025, 1, 1)}, "time zone"),
    ],
)
def test_bad_wishes_forget_nothing(memory: Memory, arguments: dict, said: str) -> None:
    memory.remember("hello", user="ana")
    with pytest.raises(InvalidInput, match=said):
        memory.forget(user="ana", **arguments)
    with pytest.raises(UnknownUser):
        memory.forget(user="nobody", everything=True)
    assert memory.status()["episodes"] == 1


def test_what_is_left_is_seen(memory: Memory, home: Path) -> None:
    memory.remember(CANARY, user="ana")
    memory.forget(user="ana", everything=True)
    vector = HashEmbeddings(DIMENSION).embed_array([f"user: {CANARY}"])[0]
    (home / "left-over").write_bytes(b"..." + CANARY.encode()[10:40] + vector.astype("float16").tobytes())
    assert scan(memory) == [
        "left-over still holds a piece of an erased text.",
        "left-over still holds an erased vector.",
    ]


def test_the_log_keeps_no_content(memory: Memory, home: Path) -> None:
    (kept,) = memory.remember(CANARY, user="ana", session="secrets")
    memory.forget(user="ana", session="secrets")
    with memory._ledger.read() as connection:
        (detail,) = connection.exec_driver_sql("SELECT detail FROM event WHERE kind = 'forget'").one()
    assert kept.id in detail
    assert "zanzibar" not in detail
    assert b"secrets" not in b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_another_process_finishes_what_it_holds_open(memory: Memory, open_memory: OpenMemory) -> None:
    fill(memory, 100)
    memory.remember(CANARY, user="ana")
    memory.recall("safe", user="ana")  # holds the index
    script = f"""
        import sys
        from memoria import HashEmbeddings, Memory
        with Memory(sys.argv[1], embeddings=HashEmbeddings({DIMENSION})) as memory:
            receipt = memory.forget(user="ana", query="zanzibar-quetzal-7741")
            print(receipt.episodes, receipt.complete)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(memory.home)]
    assert subprocess.check_output(command, text=True) == "1 False\n"
    assert CANARY not in texts(memory, "safe in the cellar")
    memory.close()
    again = open_memory()
    assert scan(again) == []
    assert again.verify() == []


def test_threads_recall_while_another_forgets(memory: Memory) -> None:
    fill(memory, 200)
    failures: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        try:
            while not stop.is_set():
                assert texts(memory, "the sea")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(8):
        memory.remember(f"{CANARY} {number}", user="ana", session="secrets")
        assert memory.forget(user="ana", session="secrets").episodes == 1
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    memory.close()


def test_killed_at_any_point_the_next_opening_finishes(tmp_path: Path, open_memory: OpenMemory, home: Path) -> None:
    script = f"""
        import sys
        from memoria import HashEmbeddings, Memory
        memory = Memory(sys.argv[1], embeddings=HashEmbeddings({DIMENSION}))
        print("open", flush=True)
        memory.forget(user="ana", session="secrets")
        print("done", flush=True)
    """
    for number in range(10):
        memory = open_memory()
        fill(memory, 300, user=f"user{number}")
        memory.remember([CANARY, "and more"], user="ana", session="secrets")
        memory.recall("safe", user="ana")
        memory.close()
        command = [sys.executable, "-c", textwrap.dedent(script), str(home)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            time.sleep(number * 0.012)
            os.kill(process.pid, signal.SIGKILL)
        again = open_memory()
        held = CANARY in again_texts(again)
        if not held:
            assert scan(again) == []
        assert again.verify() == []
        assert again.status()["episodes"] == 300 * (number + 1) + (2 if held else 0)
        if held:
            good(again.forget(user="ana", session="secrets"), 2)
            assert scan(again) == []
        again.close()


def again_texts(memory: Memory) -> list[str]:
    """Ana's turns; none once she is forgotten."""
    try:
        return texts(memory, "safe in the cellar")
    except UnknownUser:
        return []


def test_the_zeros_of_a_sparse_vector_are_no_residue(open_memory: OpenMemory) -> None:
    sparse = HashEmbeddings(64)
    said = next(each for each in map(str, range(1000)) if not sparse.embed_array([f"user: {each}"])[0][:12].any())
    memory = open_memory(embeddings=sparse)
    (kept,) = memory.remember(said, user="ana")
    memory.remember("The sea is calm today, and so am I.", user="ana")
    good(memory.forget(user="ana", ids=[kept.id]), 1)


def test_a_vector_that_is_left_is_found(memory: Memory) -> None:
    memory.remember("The sea is calm today, and so am I.", user="ana")
    gone = HashEmbeddings(DIMENSION).embed_array([f"user: {CANARY}"])
    (memory.home / "left").write_bytes(b"x" * 7 + gone[0].tobytes())
    assert residue(memory._ledger, memory.home, [], list(gone)) == ["left still holds an erased vector."]
