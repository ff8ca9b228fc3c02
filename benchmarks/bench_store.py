"""Speeds and sizes of the store and of recall, each beside its bar; ratios in one run, embedding excluded.

What enters: nothing; texts are random words with a natural spread, vectors random. What leaves: one line a figure,
`ok` or `BELOW`. Run with `make bench` on a quiet machine.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

from memoria import HashEmbeddings, Memory, Turn

START = datetime(2024, 1, 1, tzinfo=UTC)
SESSION = 25
WORDS = [f"word{i}" for i in range(8000)]
SPREAD = [1 / (i + 3) for i in range(8000)]


class Random(HashEmbeddings):
    """Random unit vectors: what embedding gives, at no cost."""

    def __init__(self) -> None:
        super().__init__(384)
        self.identity = "random-384"
        self._rng = np.random.default_rng(0)

    def embed_array(self, texts: list[str]) -> np.ndarray:  # type: ignore[override]
        vectors = self._rng.normal(size=(len(texts), 384)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def figure(name: str, value: float, unit: str, bar: float, *, at_most: bool) -> None:
    """One line: the figure, its bar, and whether it holds."""
    good = value <= bar if at_most else value >= bar
    sign = "<=" if at_most else ">="
    print(f"{'ok   ' if good else 'BELOW'}  {name:<58} {value:>10,.2f} {unit:<10} ({sign} {bar:,g})", flush=True)


def talk(rng: random.Random, number: int) -> list[Turn]:
    """One session of turns."""
    return [
        Turn(
            text=" ".join(rng.choices(WORDS, SPREAD, k=rng.randint(5, 45))),
            role="user" if i % 2 == 0 else "assistant",
            time=START + timedelta(minutes=number * 60 + i),
            session=f"s{number}",
        )
        for i in range(SESSION)
    ]


def timed(act: Callable[[], object]) -> float:
    """Seconds that `act` takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def fill(memory: Memory, turns: int, user: Callable[[int], str]) -> tuple[float, int]:
    """Remember `turns` turns in sessions; seconds, and characters of text."""
    rng = random.Random(0)
    talks = [talk(rng, number) for number in range(turns // SESSION)]
    seconds = sum(timed(lambda t=t, n=n: memory.remember(t, user=user(n))) for n, t in enumerate(talks))
    return seconds, sum(len(turn.text) for each in talks for turn in each)


def recalls(memory: Memory, user: Callable[[int], str], count: int = 200) -> list[float]:
    """Seconds of recalls of different questions, each question embedded beforehand."""
    rng = random.Random(1)
    questions = [" ".join(rng.choices(WORDS, SPREAD, k=6)) + "?" for _ in range(count)]
    for question in questions:
        memory.embedder.embed_query(question)
    return [timed(lambda q=q, n=n: memory.recall(q, user=user(n))) for n, q in enumerate(questions)]


def scan_s(count: int) -> float:
    """The median of numpy's exact scan of `count` vectors, with its top ten."""
    vectors = Random().embed_array([""] * count)

    def scan(query: np.ndarray) -> np.ndarray:
        return np.argpartition(-(vectors @ query), 10)[:10]

    return float(np.median([timed(lambda q=query: scan(q)) for query in vectors[:100]]))


def one_person(folder: Path) -> None:
    """10,000 memories of one user: adding, size, recall."""
    home = folder / "one"
    with Memory(home, embeddings=Random()) as memory:
        seconds, characters = fill(memory, 10_000, lambda _: "ana")
        figure("adding, in sessions of 25", 10_000 / seconds, "turns/s", 5000, at_most=False)
        memory.recall("warm up", user="ana")
        scan, spent = scan_s(10_000), recalls(memory, lambda _: "ana")
        figure("recall, 10,000 memories of one user, p50", np.median(spent) * 1000, "ms", 10, at_most=True)
        figure("  beside numpy's exact scan", float(np.median(spent)) / scan, "times", 12, at_most=True)
        print(f"       (p95 {np.percentile(spent, 95) * 1000:.1f} ms, scan {scan * 1000:.2f} ms)")
        memory.close()
    size = sum(path.stat().st_blocks * 512 for path in home.rglob("*") if path.is_file())
    figure("on disk beyond the text", (size - characters) / 10_000, "bytes/turn", 3000, at_most=True)
    with Memory(home, embeddings=Random()) as memory:
        single = timed(lambda: [memory.remember(f"single {i}", user="ana") for i in range(500)])
        figure("single acknowledged writes", 500 / single, "writes/s", 300, at_most=False)


def many_people(folder: Path) -> None:
    """100,000 memories over 1,000 users: recall and reopening."""
    home = folder / "many"
    with Memory(home, embeddings=Random()) as memory:
        fill(memory, 100_000, lambda number: f"user{number % 1000}")
        memory.recall("warm up", user="user0")
        spent = recalls(memory, lambda number: f"user{number * 7 % 1000}")
        figure("recall, 100,000 memories of 1,000 users, p50", np.median(spent) * 1000, "ms", 5, at_most=True)
    begun = time.perf_counter()
    with Memory(home, embeddings=Random()) as memory:
        memory.recall("after opening", user="user5")
        figure("reopening it, with the first recall", time.perf_counter() - begun, "s", 1, at_most=True)


def fresh_process(folder: Path) -> None:
    """Importing, and the memory of a process that opens a 10,000-turn home and recalls once with the real model."""
    code = "import time; t = time.process_time(); import memoria; print(time.process_time() - t)"
    spent = float(subprocess.check_output([sys.executable, "-c", code], text=True))
    figure("import memoria", spent, "CPU-s", 0.4, at_most=True)
    code = "import time; t = time.process_time(); from memoria import Memory; print(time.process_time() - t)"
    print(
        f"       (from memoria import Memory: {float(subprocess.check_output([sys.executable, '-c', code])):.2f} CPU-s)"
    )
    done = subprocess.check_output([sys.executable, __file__, "resident", str(folder / "one")], text=True)
    figure("resident after opening 10,000 turns and one recall", json.loads(done), "MB", 400, at_most=True)


def resident(home: Path) -> None:
    """Print this process's resident megabytes after one recall with the real model's own session loaded."""
    from memoria import load_embeddings
    from memoria.settings import Settings

    model = load_embeddings(None, Settings().cache_dir).model
    model.identity = "random-384"  # type: ignore[attr-defined]  # the home's vectors are random; the model is real
    with Memory(home, embeddings=model) as memory:
        memory.recall("What did word17 say about word99?", user="ana")
        print(json.dumps(psutil.Process().memory_info().rss / 1e6))


def main() -> None:
    """Every figure."""
    with tempfile.TemporaryDirectory(prefix="memoria-bench-") as name:
        one_person(Path(name))
        many_people(Path(name))
        fresh_process(Path(name))


if __name__ == "__main__":
    if sys.argv[1:2] == ["resident"]:
        resident(Path(sys.argv[2]))
    else:
        main()
