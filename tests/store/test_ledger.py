"""The ledger as a file: new, newer, damaged, full, forked."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import OpenMemory

from memoria import HashEmbeddings, Memory
from memoria.errors import CorruptHome, ForkedProcess, HomeTooNew, MemoriaError, StoreError
from memoria.store.ledger import FILE


def test_a_newer_home_is_refused_and_left_alone(memory: Memory, open_memory: OpenMemory, home: Path) -> None:
    memory.remember("hello", user="ana")
    memory.close()
    raw = sqlite3.connect(home / FILE)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    with pytest.raises(HomeTooNew, match="pip install -U memoria-lifelong"):
        open_memory()
    assert raw.execute("SELECT count(*) FROM episode").fetchone() == (1,)
    raw.close()


@pytest.mark.parametrize("content", [b"this is no database at all, but some text" * 50, os.urandom(8192)])
def test_a_file_that_is_no_ledger_is_refused(open_memory: OpenMemory, home: Path, content: bytes) -> None:
    home.mkdir()
    (home / FILE).write_bytes(content)
    with pytest.raises(CorruptHome, match="restore it from a backup"):
        open_memory()
    assert (home / FILE).read_bytes() == content


def test_another_programs_database_is_refused(open_memory: OpenMemory, home: Path) -> None:
    home.mkdir()
    raw = sqlite3.connect(home / FILE)
    raw.execute("CREATE TABLE things (name)")
    raw.commit()
    raw.close()
    with pytest.raises(CorruptHome, match="other program"):
        open_memory()


def test_a_damaged_page_is_reported(memory: Memory, open_memory: OpenMemory, home: Path) -> None:
    memory.remember([f"turn number {i} about the sea" for i in range(300)], user="ana")
    memory.close()
    data = bytearray((home / FILE).read_bytes())
    data[4096 * 3 : -4096] = os.urandom(len(data) - 4096 * 4)
    (home / FILE).write_bytes(bytes(data))
    with pytest.raises(StoreError, match=r"backup|report"):
        again = open_memory()
        again.recall("sea", user="ana")
        again.verify()


def test_a_home_that_is_a_file_is_refused(open_memory: OpenMemory, home: Path) -> None:
    home.write_text("")
    with pytest.raises(StoreError, match="--home"):
        open_memory()


@pytest.mark.parametrize("name", ["100%", "what?", "a b#c", "água", "x" * 200, "q&mode=ro"])
def test_any_folder_can_be_a_home(tmp_path: Path, name: str) -> None:
    place = tmp_path / name / "deep"
    for _ in range(2):
        with Memory(place, embeddings=HashEmbeddings(16)) as memory:
            memory.remember({"text": "hello", "id": "1"}, user="ana")
            assert memory.recall("hello", user="ana").hits
    assert (place / FILE).exists()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    script = """
        import resource, signal, sys
        from memoria import HashEmbeddings, Memory, MemoriaError, Settings
        from memoria.errors import StorageFull
        home = sys.argv[1]
        memory = Memory(home, embeddings=HashEmbeddings(64), settings=Settings())
        kept = memory.remember([f"early turn {i}" for i in range(20)], user="ana")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
        acknowledged = 20
        try:
            for batch in range(1000):
                acknowledged += len(memory.remember([f"{batch} {i} " + "x" * 500 for i in range(20)], user="ana"))
        except StorageFull as error:
            print("full:", error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        memory.remember("after the disk has room again", user="ana")
        assert memory.status()["episodes"] == acknowledged + 1, (memory.status(), acknowledged)
        assert memory.recall("early turn 3", user="ana", k=3).hits
        assert memory.verify() == []
        memory.close()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "full:" in done.stdout
    assert "free some space" in done.stdout


def test_a_fork_is_told_to_open_its_own(memory: Memory) -> None:
    memory.remember("hello", user="ana")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            memory.remember("from the child", user="ana")
            said = b"nothing"
        except ForkedProcess as error:
            said = str(error).encode()
        os.write(writer, said)
        os._exit(0)
    os.waitpid(child, 0)
    assert b"open a new Memory" in os.read(reader, 1000)
    os.close(reader)
    os.close(writer)
    assert memory.status()["episodes"] == 1


def test_a_closed_memory_says_so(memory: Memory) -> None:
    memory.close()
    memory.close()
    for act in (lambda: memory.remember("x", user="a"), lambda: memory.recall("x", user="a"), memory.status):
        with pytest.raises(MemoriaError, match="closed"):
            act()


def test_the_database_zeroes_what_it_frees(memory: Memory) -> None:
    pragma = memory._ledger._engine.raw_connection()
    assert pragma.cursor().execute("PRAGMA secure_delete").fetchone() == (1,)
    assert pragma.cursor().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    pragma.close()
