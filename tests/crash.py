"""A writer that is killed, and the check of what it left.

What enters: a home, a number of rounds, a seed. What leaves: how many acknowledged writes survived, and every fault.
The writer logs an intent before each act and an acknowledgement after it, outside the home; whatever it acknowledged
must be there, whatever it began is there whole or not at all, and index, lexicon and ledger must agree. Used by the
tests (few rounds) and by `make kill-bench` (fifty).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from memoria import HashEmbeddings, Memory, Scope, Settings
from memoria.settings import StoreSettings
from memoria.store import schema
from memoria.store.episodes import remove_episodes, row_ids
from memoria.store.scopes import find_scope

USER = "ana"
BATCH = 5
SETTINGS = Settings(store=StoreSettings(flush_every=40))


@dataclass
class Outcome:
    """What the rounds found."""

    acknowledged: int = 0
    removed: int = 0
    faults: list[str] = field(default_factory=list)


def open_home(home: Path) -> Memory:
    """The home as writer and checker open it."""
    return Memory(home, embeddings=HashEmbeddings(32), settings=SETTINGS)


def write_forever(home: Path, log: Path, seed: int) -> None:
    """Remember, recall (which drains) and remove until killed, logging each act before and after it."""
    rng = random.Random(seed)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(**line: object) -> None:
        os.write(out, (json.dumps(line) + "\n").encode())

    with open_home(home) as memory:
        live: list[str] = []
        number = 0
        while True:
            number += 1
            name = f"{seed}-{number}"
            note(begin=name)
            kept = memory.remember([f"{name} turn {i}" for i in range(BATCH)], user=USER, session=name)
            live += [episode.id for episode in kept]
            note(done=name, ids=[episode.id for episode in kept])
            if rng.random() < 0.5:
                memory.recall(f"turn {rng.randrange(BATCH)}", user=USER)
            if rng.random() < 0.3:
                gone = [live.pop(rng.randrange(len(live))) for _ in range(2)]
                note(removing=gone)
                remove(memory, gone)
                note(removed=gone)


def remove(memory: Memory, public: list[str]) -> None:
    """Remove episodes, as forgetting will."""
    with memory._ledger.write() as connection:
        state = find_scope(connection, Scope(user=USER))
        assert state is not None
        remove_episodes(connection, state, row_ids(connection, state.id, public))


def kill_rounds(folder: Path, rounds: int, seed: int = 0, longest_s: float = 1.0) -> Outcome:
    """Kill a writer at `rounds` random moments of one home's life; check after each."""
    rng = random.Random(seed)
    outcome = Outcome()
    home, log = folder / "home", folder / "log"
    for number in range(rounds):
        command = [sys.executable, __file__, str(home), str(log), str(number)]
        before = log.stat().st_size if log.exists() else 0
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as writer:
            while (log.stat().st_size if log.exists() else 0) == before and writer.poll() is None:
                time.sleep(0.01)
            time.sleep(rng.random() * longest_s)
            writer.send_signal(signal.SIGKILL)
        check(home, log, outcome)
    return outcome


def check(home: Path, log: Path, outcome: Outcome) -> None:
    """Compare the home with what the log says was acknowledged."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    acknowledged = {each for line in lines for each in line.get("ids", ())}
    pairs = [line["removing"] for line in lines if "removing" in line]
    removed = {gone for line in lines for gone in line.get("removed", ())}
    open_batches = {line["begin"] for line in lines if "begin" in line} - {line.get("done") for line in lines}
    with open_home(home) as memory:
        outcome.faults += memory.verify()
        with memory._ledger.read() as connection:
            query = select(schema.episode.c.key, schema.session.c.name).join(schema.session)
            held = {row[0].hex(): row[1] for row in connection.execute(query)}
    lost = acknowledged - {gone for pair in pairs for gone in pair} - held.keys()
    outcome.faults += [f"acknowledged {each} is lost" for each in lost]
    outcome.faults += [f"removed {each} is back" for each in removed & held.keys()]
    outcome.faults += [f"half a removal: {pair}" for pair in pairs if len(held.keys() & set(pair)) == 1]
    sizes = Counter(held.values())
    outcome.faults += [f"half a delivery: {name}" for name in open_batches if sizes[name] not in (0, BATCH)]
    outcome.acknowledged, outcome.removed = len(acknowledged), len(removed)


if __name__ == "__main__":
    write_forever(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
