"""What reflection costs, and what the profile adds to a recall, each figure beside its bar; embedding excluded.

What enters: the turns of `../shared/data/longmemeval.jsonl.gz` where it lies there, else those of `examples/data`, over
and over in sessions of 25; vectors are random. What leaves: one line a figure, `ok` or `BELOW`. Run with `make bench`
on a quiet machine.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from bench_store import SESSION, START, Random, figure, timed

from memoria import Memory, Turn

DATA = Path("../shared/data/longmemeval.jsonl.gz")
SIZES = {500: 2.0, 5_000: 10.0, 20_000: 40.0}  # turns, and seconds of a first reflection
QUESTIONS = (
    "Can you recommend a restaurant for the weekend?",
    "What should I cook for my sister?",
    "Where did I buy the camera?",
    "Any ideas for a trip in the summer?",
    "How many books have I read this year?",
)
_TAKEN = 60  # haystacks: more turns than are asked for


def spoken() -> Iterator[tuple[str, str]]:
    """What people and their assistants say, with the role; without end."""
    if DATA.exists():
        with gzip.open(DATA, "rt", encoding="utf-8") as lines:
            rows = [item for line in islice(lines, _TAKEN) for item in json.loads(line)["items"]]
    else:
        paths = sorted(Path("examples/data").glob("*.jsonl"))
        rows = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    told = [(row["text"], str(row.get("speaker"))) for row in rows if row["text"].strip()]
    return cycle((text, "assistant" if speaker == "assistant" else "user") for text, speaker in told)


def fill(memory: Memory, turns: int, said: Iterator[tuple[str, str]]) -> None:
    """Remember `turns` turns, a session a day."""
    for number in range(turns // SESSION):
        day = START + timedelta(days=number)
        talk = [
            Turn(text=text, role="user" if role == "user" else "assistant", time=day + timedelta(minutes=minute))
            for minute, (text, role) in enumerate(islice(said, SESSION))
        ]
        memory.remember(talk, user="ana", session=f"s{number}")


def reflecting(folder: Path, turns: int, bar: float) -> None:
    """A first reflection, one of an unchanged history, one after a single new turn."""
    with Memory(folder / str(turns), embeddings=Random()) as memory:
        fill(memory, turns, spoken())
        figure(f"reflecting on {turns:,} turns", timed(lambda: memory.reflect(user="ana")), "s", bar, at_most=True)
        again = float(np.median([timed(lambda: memory.reflect(user="ana")) for _ in range(20)]))
        figure("  again, nothing changed", again * 1000, "ms", 20, at_most=True)
        memory.remember("I moved to Lisbon.", user="ana")
        print(f"       (again, after one more turn: {timed(lambda: memory.reflect(user='ana')):.2f} s)", flush=True)


def recalling(folder: Path) -> None:
    """Recall with the profile and without, alternating, over 10,000 turns."""
    with Memory(folder / "recall", embeddings=Random()) as memory:
        fill(memory, 10_000, spoken())
        memory.reflect(user="ana")
        for question in QUESTIONS:
            memory.recall(question, user="ana", profile=True)
        spent: dict[bool, list[float]] = {False: [], True: []}
        for number in range(200):
            for profile, taken in spent.items():
                question = QUESTIONS[number % len(QUESTIONS)]
                taken.append(timed(lambda q=question, p=profile: memory.recall(q, user="ana", profile=p)))
        without, within = (float(np.median(taken)) * 1000 for taken in spent.values())
        print(f"       (recall, 10,000 turns, without the profile, p50: {without:.1f} ms)")
        figure("recall, 10,000 turns, what the profile adds, p50", within - without, "ms", 10, at_most=True)


def main() -> None:
    """Every figure."""
    with tempfile.TemporaryDirectory(prefix="memoria-bench-") as name:
        for turns, bar in SIZES.items():
            reflecting(Path(name), turns, bar)
        recalling(Path(name))


if __name__ == "__main__":
    main()
