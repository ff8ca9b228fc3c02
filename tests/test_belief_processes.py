"""Eight processes believe at once: what they agree on is one belief, what they fight over has one winner."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from conftest import DIMENSION, OpenMemory

from memoria.clock import utc_now

PROCESSES = 8
SHARED = f"""
import json, sys, time
from pathlib import Path
from memoria import HashEmbeddings, Memory
from memoria.errors import EditConflict
home, name, told = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
memory = Memory(home, embeddings=HashEmbeddings({DIMENSION}))
"""
TOGETHER = """
(Path(home).parent / f"ready-{name}").touch()
until = time.monotonic() + 60
while not (Path(home).parent / "go").exists() and time.monotonic() < until:
    time.sleep(0.001)
"""
SAYS = "memory.remember(told, user='ana', session='all')"
EDITS = """
try:
    print(memory.believe("home", f"City {name}", user="ana", revision=told).object)
except EditConflict as error:
    assert "read it again" in str(error).lower(), error
    print("lost")
"""
CORRECTS = """
try:
    memory.correct(told[0], f"City {name}", user="ana", revision=told[1])
    print(f"City {name}")
except EditConflict:
    print("lost")
"""
RETRIES = """
tries = 0
while True:
    tries += 1
    (belief,) = memory.beliefs(user="ana", about="lives")
    try:
        memory.believe("home", f"City {name}", user="ana", revision=belief.revision)
        break
    except EditConflict:
        continue
print(tries)
"""


def at_once(home: Path, script: str, told: list[object]) -> list[str]:
    """What eight processes print that run `script` at the same moment, each with its own of `told`."""
    code = SHARED + TOGETHER + textwrap.dedent(script)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(home), str(number), json.dumps(each)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, each in enumerate(told)
    ]
    while len(list(home.parent.glob("ready-*"))) < len(told) and all(each.poll() is None for each in started):
        time.sleep(0.01)
    (home.parent / "go").touch()
    said: list[str] = []
    for process in started:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        said.append(out.strip())
    return said


@pytest.mark.parametrize(
    ("turns", "evidence"),
    [
        ([f"I live in Paris, and this is {n}." for n in range(PROCESSES)], PROCESSES),
        ([{"text": "I live in Paris.", "time": "2026-01-01T09:00:00+00:00"}] * PROCESSES, 1),
    ],
    ids=["eight turns", "one turn"],
)
def test_the_same_belief_asserted_at_once(
    home: Path, open_memory: OpenMemory, turns: list[object], evidence: int
) -> None:
    open_memory(clock=utc_now).close()
    at_once(home, SAYS, turns)
    memory = open_memory(clock=utc_now)
    (belief,) = memory.beliefs(user="ana", about="Paris", retired=True)
    assert (belief.statement, belief.status, belief.evidence) == ("user lives in Paris", "current", evidence)
    found = memory.explain(belief.id, user="ana").evidence
    assert len({each.episode_id for each in found}) == len(found) == evidence
    assert memory.status()["episodes"] == evidence
    assert memory.verify() == []


def test_of_edits_with_one_revision_one_wins_and_the_losers_are_told(home: Path, open_memory: OpenMemory) -> None:
    memory = open_memory(clock=utc_now)
    before = memory.believe("home", "Paris", user="ana")
    said = at_once(home, EDITS, [before.revision] * PROCESSES)
    (won,) = [each for each in said if each != "lost"]
    told = {b.object: b.status for b in memory.beliefs(user="ana", retired=True)}
    assert told == {"Paris": "superseded", won: "current"}
    assert memory.verify() == []


def test_of_corrections_with_one_revision_one_wins(home: Path, open_memory: OpenMemory) -> None:
    memory = open_memory(clock=utc_now)
    before = memory.believe("home", "Paris", user="ana")
    said = at_once(home, CORRECTS, [(before.id, before.revision)] * PROCESSES)
    (won,) = [each for each in said if each != "lost"]
    assert {b.object: b.status for b in memory.beliefs(user="ana", retired=True)} == {
        "Paris": "retracted",
        won: "current",
    }


def test_who_reads_again_loses_nothing(home: Path, open_memory: OpenMemory) -> None:
    memory = open_memory(clock=utc_now)
    memory.believe("home", "Paris", user="ana")
    tries = [int(each) for each in at_once(home, RETRIES, [None] * PROCESSES)]
    assert sum(tries) >= PROCESSES
    told = memory.beliefs(user="ana", retired=True)
    assert {b.object for b in told} == {"Paris", *(f"City {n}" for n in range(PROCESSES))}
    assert [b.status for b in told].count("current") == 1
    assert all(b.evidence == 1 for b in told)
