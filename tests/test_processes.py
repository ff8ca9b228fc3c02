"""Four processes on one home at once: two write, one reads, one asks for the status."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from conftest import DIMENSION

from memoria import HashEmbeddings, Memory

SHARED = f"""
import sys, time
from memoria import HashEmbeddings, Memory
home, name, turns = sys.argv[1], sys.argv[2], 60
memory = Memory(home, embeddings=HashEmbeddings({DIMENSION}))
"""
WRITER = """
    for number in range(turns):
        text = f"{name} said number{number}word"
        assert len(memory.remember(text, user="ana", session=name)) == 1
        assert memory.recall(text, user="ana", k=1).hits[0].episode.text == text
"""
READER = """
    from memoria import UnknownUser
    seen, until = 0, time.monotonic() + 60
    while seen < 2 * turns and time.monotonic() < until:
        try:
            found = len(memory.recall("said", user="ana", k=500, budget=10**6).hits)
        except UnknownUser:
            continue
        assert found >= seen, (found, seen)
        seen = found
    assert seen == 2 * turns, seen
"""
STATUS = """
    for _ in range(40):
        report = memory.status()
        assert report["people"] <= 1
        time.sleep(0.02)
"""


def test_processes_share_a_home(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    roles = [(WRITER, "w1"), (WRITER, "w2"), (READER, "r"), (STATUS, "s")]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SHARED + textwrap.dedent(script), home, name],
            stderr=subprocess.PIPE,
            text=True,
        )
        for script, name in roles
    ]
    for process, (_, name) in zip(started, roles, strict=True):
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, f"{name}: {errors}"
        assert "locked" not in errors
    with Memory(home, embeddings=HashEmbeddings(DIMENSION)) as memory:
        assert memory.status()["episodes"] == 120
        assert memory.verify() == []
