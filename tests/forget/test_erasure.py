"""A secret that was believed, superseded, recalled and summarised is forgotten: no byte of it stays, and nothing else
goes, even where the forgetting is killed on its way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from conftest import DIMENSION, Clock

from memoria import HashEmbeddings, Memory, Settings

TURNS = 5000
WORD = "Quetzalvik"
CANARY = f"I live in {WORD}, in the blue house behind the mill at 7741 Zanzibar Lane."
SUMMARY = f"So you live in {WORD}, behind the mill."
SUPERSEDING = "I moved to Porto."
KILLS = 10
USER = "ana"
FORGET = f"""
    import sys
    from memoria import HashEmbeddings, Memory
    memory = Memory(sys.argv[1], embeddings=HashEmbeddings({DIMENSION}))
    print("open", flush=True)
    receipt = memory.forget(user="{USER}", query="{WORD}")
    assert receipt.complete, receipt
    print("done", flush=True)
"""


def opened(home: Path, days: int = 1) -> Memory:
    """The home, `days` after it was filled."""
    clock = Clock()
    clock.now += timedelta(days=days)
    return Memory(home, embeddings=HashEmbeddings(DIMENSION), settings=Settings(), clock=clock)


def chatter(number: int) -> str:
    """Small talk; every fortieth turn says something to believe."""
    if number % 40 == 0:
        return f"I love the museum of number {number}."
    return f"turn {number} about the garden, the sea and number {number * 7919}"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of 5,000 turns with the canary amid them: believed, recalled, summarised by the assistant, superseded."""
    home = tmp_path_factory.mktemp("erasure") / "home"
    with opened(home, days=0) as memory:
        for start in range(0, TURNS, 250):
            memory.remember([chatter(n) for n in range(start, start + 250)], user=USER, session=f"s{start}")
            if start == 2000:
                plant(memory)
        memory.recall("Where do I live?", user=USER)
    return home


def plant(memory: Memory) -> None:
    memory.remember(CANARY, user=USER, session="secrets")
    assert WORD in memory.recall("Where do I live?", user=USER).render()
    memory.remember({"role": "assistant", "text": SUMMARY}, user=USER, session="secrets")
    memory.remember(SUPERSEDING, user=USER, session="later")
    statuses = {b.statement: b.status for b in memory.beliefs(user=USER, about="lives", retired=True)}
    assert [status for said, status in statuses.items() if WORD in said] == ["superseded"], statuses


@pytest.fixture
def home(planted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planted, tmp_path / "planted"))


def everything(memory: Memory) -> tuple[dict[str, str], dict[str, tuple[str, str, datetime | None]]]:
    """All episodes and all beliefs, by id; without the canary's where it is still there."""
    receipt = memory.forget(user=USER, everything=True, dry_run=True)
    episodes = {e.id: e.text for e in receipt.would_go}
    beliefs = {b.id: (b.statement, b.status, b.valid_from) for b in memory.beliefs(user=USER, retired=True)}
    return (
        {key: text for key, text in episodes.items() if WORD not in text},
        {key: told for key, told in beliefs.items() if WORD not in told[0]},
    )


def traces(home: Path) -> list[str]:
    """The files that hold any piece of the canary: its words in any case, or its vectors."""
    vectors = HashEmbeddings(DIMENSION).embed_array([f"user: {CANARY}", f"assistant: {SUMMARY}"])
    words = [WORD.lower().encode(), b"7741 zanzibar", b"zanzibar lane", b"behind the mill", WORD.lower()[:9].encode()]
    rows = [row[:10].astype(kind).tobytes() for row in vectors for kind in (np.float16, np.float32)]
    found: list[str] = []
    for path in sorted(each for each in home.rglob("*") if each.is_file()):
        data = path.read_bytes()
        folded = data.lower()
        found += [f"{path.name}: {word!r}" for word in words if word in folded]
        found += [f"{path.name}: vector" for row in rows if row in data]
    return found


def check_gone(home: Path, kept: object) -> None:
    with opened(home) as memory:
        assert WORD not in memory.recall("Where do I live?", user=USER).render()
        assert everything(memory) == kept
        assert memory.verify() == []
        assert memory.verify_forgotten(user=USER) == []
    assert traces(home) == []


def test_neither_words_nor_vector_stay_and_nothing_else_goes(home: Path) -> None:
    assert {"vector" in trace for trace in traces(home)} == {True, False}
    with opened(home) as memory:
        kept = everything(memory)
        assert (len(kept[0]), len(kept[1])) == (TURNS + 1, TURNS // 40 + 1)
        receipt = memory.forget(user=USER, query=WORD)
        assert (receipt.episodes, receipt.beliefs, receipt.complete, receipt.residue) == (2, 1, True, ())
        lives = {
            b.statement: (b.status, b.superseded_by) for b in memory.beliefs(user=USER, about="lives", retired=True)
        }
        assert lives == {"user lives in Porto": ("current", None)}
        assert memory.verify_forgotten([WORD, CANARY, SUMMARY], user=USER) == []
    check_gone(home, kept)


def moments(home: Path, tmp_path: Path) -> Iterator[float]:
    """Ten moments spread over how long the forgetting takes here, measured once."""
    copy = shutil.copytree(home, tmp_path / "measured")
    command = [sys.executable, "-c", textwrap.dedent(FORGET), str(copy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        begun = time.monotonic()
        assert process.stdout.readline() == "done\n"
        took = time.monotonic() - begun
    yield from (took * number / KILLS for number in range(KILLS))


def test_killed_at_ten_points_the_next_opening_finishes(home: Path, tmp_path: Path) -> None:
    with opened(home) as memory:
        kept = everything(memory)
    held = 0
    for number, moment in enumerate(moments(home, tmp_path)):
        copy = Path(shutil.copytree(home, tmp_path / f"killed{number}"))
        command = [sys.executable, "-c", textwrap.dedent(FORGET), str(copy)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            time.sleep(moment)
            os.kill(process.pid, signal.SIGKILL)
        with opened(copy) as memory:
            assert memory.verify() == []
            assert everything(memory) == kept
            if memory.forget(user=USER, query=WORD, dry_run=True).would_go:  # killed before the unit of work was done
                held += 1
                assert memory.forget(user=USER, query=WORD).complete
        check_gone(copy, kept)
        shutil.rmtree(copy)
    assert held < KILLS
