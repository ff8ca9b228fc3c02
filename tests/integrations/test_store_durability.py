"""MemoriaStore over processes and time: shared, killed in a batch, deleted and forgotten to the last byte."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import DIMENSION, OpenMemory

from memoria import HashEmbeddings, Memory, Settings, UnknownUser
from memoria.integrations.langgraph_store import MemoriaStore

WORDS = "Quetzalvik keeps seventy axolotls beneath the conservatory"
BATCH = 40
WRITER = f"""
    import itertools, sys
    from langgraph.store.base import PutOp
    from memoria import HashEmbeddings, Memory
    from memoria.integrations.langgraph_store import MemoriaStore
    home, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with Memory(home, embeddings=HashEmbeddings({DIMENSION})) as memory:
        store = MemoriaStore(memory)
        for n in itertools.count() if rounds < 0 else range(rounds):
            here = ("memories", name)
            gone = [PutOp(here, f"{{n - 1}}-{{i}}", None) for i in range({BATCH})] if rounds < 0 and n % 3 == 2 else []
            notes = [(f"{{n}}-{{i}}", {{"text": f"note {{n}} {{i}}", "n": n}}) for i in range({BATCH})]
            store.batch([*(PutOp(here, *note) for note in notes), *gone])
            print(n, flush=True)
"""


def start(home: Path, name: str, rounds: int) -> subprocess.Popen[str]:
    script = "\n".join(line[4:] for line in WRITER.splitlines())
    command = [sys.executable, "-W", "error", "-c", script, str(home), name, str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_write_and_search_one_home(memory: Memory, home: Path) -> None:
    store = MemoriaStore(memory)
    with start(home, "ana", 15) as ana, start(home, "bob", 15) as bob:
        seen = 0
        while ana.poll() is None or bob.poll() is None:
            found = store.search(("memories",), query="note 3", limit=10_000)
            assert len(found) >= seen, "what was there is there"
            assert len(found) % BATCH == 0, "a batch is seen whole or not at all"
            seen = len(found)
        told = [each.communicate()[1] for each in (ana, bob)]
        assert [ana.returncode, bob.returncode] == [0, 0], told
    assert len(store.search(("memories",), query="note", limit=10_000)) == 2 * 15 * BATCH
    assert store.search(("memories", "bob"), query="note 14 7", limit=1)[0].key == "14-7"
    assert store.list_namespaces() == [("memories", "ana"), ("memories", "bob")]
    assert memory.verify() == []


@pytest.mark.parametrize("moment", [0.0, 0.03, 0.11])
def test_a_batch_that_is_killed_is_written_whole_or_not_at_all(
    home: Path, open_memory: OpenMemory, moment: float
) -> None:
    with start(home, "ana", -1) as writer:
        assert writer.stdout is not None
        for _ in range(4):
            writer.stdout.readline()
        time.sleep(moment)
        os.kill(writer.pid, signal.SIGKILL)
        done = 3 + sum(1 for _ in writer.stdout)
    with open_memory() as memory:
        store = MemoriaStore(memory)
        found = store.search((), limit=100_000)
        counts = Counter(item.value["n"] for item in found)
        last = max(counts)
        assert last in (done, done + 1), "what was acknowledged is there"
        assert set(counts.values()) == {BATCH}
        assert set(counts) == {n for n in range(last + 1) if n % 3 != 1 or n + 1 > last}, (
            "deletions came with their batch"
        )
        assert {item.key for item in store.search((), query="note", limit=100_000)} == {item.key for item in found}
        assert memory.verify() == []


def traces(home: Path) -> list[str]:
    """The files that hold a word of the secret, or a piece of its vector."""
    vectors = HashEmbeddings(DIMENSION).embed_array([WORDS, f"content: {WORDS}"])
    wanted = [word.encode() for word in (WORDS, "Quetzalvik", "quetzalvik", "axolotl", "conservatory")]
    wanted += [row[:10].astype(kind).tobytes() for row in vectors for kind in (np.float16, np.float32)]
    files = [path for path in home.rglob("*") if path.is_file()]
    return [path.name for path in files if any(each in path.read_bytes() for each in wanted)]


def fill(store: MemoriaStore) -> None:
    for number in range(200):
        store.put(("memories", f"person{number % 7}"), f"k{number}", {"content": f"small talk number {number}"})
    store.put(("memories", "ana"), "secret", {"content": WORDS, "more": {"list": [WORDS]}})
    store.put(("ana", "memories", "deep"), "other", {"content": WORDS}, index=False)
    store.put(("memories", "bob"), "k", {"content": "Bob keeps bees"})


def test_what_is_deleted_leaves_no_byte(memory: Memory, home: Path) -> None:
    store = MemoriaStore(memory)
    fill(store)
    store.search((), query=WORDS)
    assert traces(home)
    store.delete(("memories", "ana"), "secret")
    store.delete(("ana", "memories", "deep"), "other")
    assert traces(home) == []
    assert len(store.search((), limit=1000)) == 201


def test_what_is_swept_leaves_no_byte(home: Path, open_memory: OpenMemory) -> None:
    store = MemoriaStore(open_memory(), ttl={"omit_expired": True})
    store.put(("docs",), "k", {"content": WORDS}, ttl=0)
    assert traces(home)
    assert store.sweep_ttl() == 1
    assert traces(home) == []


def test_forgetting_a_person_takes_their_items_to_the_last_byte(memory: Memory, home: Path) -> None:
    store = MemoriaStore(memory)
    fill(store)
    memory.remember("I live in Porto.", user="ana")
    store.put(("docs", "ana"), "k", {"content": "nobody's"})
    would = memory.forget(user="ana", everything=True, dry_run=True)
    assert (would.items, len(would.items_would_go), store.get(("memories", "ana"), "secret") is None) == (2, 2, False)
    assert {each.split(" of ")[0] for each in memory.verify_forgotten([WORDS], user="ana")} == {
        "Item 'other'",
        "Item 'secret'",
    }
    receipt = memory.forget(user="ana", everything=True)
    assert (receipt.items, receipt.episodes, receipt.complete, receipt.residue) == (2, 1, True, ())
    assert traces(home) == []
    assert memory.verify_forgotten([WORDS]) == []
    assert memory.verify_forgotten(user="ana") == memory.verify_forgotten() == memory.verify() == []
    with pytest.raises(UnknownUser):
        memory.forget(user="ana", everything=True)
    assert {space[0] for space in store.list_namespaces()} == {"memories", "docs"}
    assert store.search(("memories", "bob"), query="bees")[0].value == {"content": "Bob keeps bees"}
    assert store.get(("docs", "ana"), "k") is not None


def test_forgetting_turns_says_where_an_item_says_the_same(memory: Memory) -> None:
    store = MemoriaStore(memory)
    memory.remember(WORDS, user="ana", session="one")
    store.put(("memories", "ana"), "note", {"content": f'She said "{WORDS}"'})
    receipt = memory.forget(user="ana", session="one")
    assert (receipt.items, receipt.complete, receipt.residue) == (0, True, ()), "the item was not asked for"
    (told,) = memory.verify_forgotten([f'said "{WORDS}'], user="ana")
    assert told.startswith("Item 'note' of LangGraph's store still says")
    store.delete(("memories", "ana"), "note")
    assert memory.verify_forgotten([WORDS], user="ana") == []


def test_a_home_from_before_takes_items(tmp_path: Path) -> None:
    home = tmp_path / "old"
    Memory(home, embeddings=HashEmbeddings(DIMENSION), settings=Settings()).close()
    raw = sqlite3.connect(home / "ledger.db")
    for table in ("item_piece", "item", "item_namespace"):
        raw.execute(f"DROP TABLE {table}")
    raw.execute("ALTER TABLE erasure DROP COLUMN items")
    for table in ("job_attempt", "job_run", "job", "profile_entry", "profile_citation", "profile_line", "profile"):
        raw.execute(f"DROP TABLE IF EXISTS {table}")
    raw.execute("UPDATE alembic_version SET version_num = '0004'")
    raw.commit()
    raw.close()
    with Memory(home, embeddings=HashEmbeddings(DIMENSION), settings=Settings()) as memory:
        store = MemoriaStore(memory)
        store.put(("memories", "ana"), "k", {"content": WORDS})
        assert memory.forget(user="ana", everything=True).items == 1
