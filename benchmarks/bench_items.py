"""What LangGraph's store costs, kept by memoria and in memory: putting, searching, listing at ten thousand items.

What enters: made-up notes, in one namespace and over a thousand. What leaves: one line a figure, memoria's beside
`InMemoryStore`'s with the same embeddings. Run with `OMP_NUM_THREADS=1 python benchmarks/bench_items.py` on a quiet
machine.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from langgraph.store.base import BaseStore, PutOp
from langgraph.store.memory import InMemoryStore

from memoria import HashEmbeddings, Memory
from memoria.integrations.langgraph_store import MemoriaStore

ITEMS, SPACES, DIMENSION, BATCH = 10_000, 1_000, 384, 100
NOUNS = "bee hive garden boat harbour bread oven moon tide violin teacher train mountain letter window winter".split()
VERBS = "keeps repairs paints remembers visits sells photographs forgets borrows cleans describes follows".split()


def notes(count: int) -> list[str]:
    """Notes of some ten words, most of their words common to many."""
    rng = random.Random(0)
    made: list[str] = []
    for number in range(count):
        words = [rng.choice(NOUNS), rng.choice(VERBS), rng.choice(NOUNS), "near the", rng.choice(NOUNS)]
        made.append(f"person{number % 977} {' '.join(words)} number{number}")
    return made


def millis(work: Callable[[], object], times: int = 30) -> tuple[float, float]:
    """The median and the 95th percentile of `times` runs, in milliseconds by the wall."""
    taken: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(taken), sorted(taken)[int(len(taken) * 0.95)]


def tell(name: str, ours: tuple[float, float], theirs: tuple[float, float]) -> None:
    """One line: p50 and p95 of both."""
    print(f"{name:<58} {ours[0]:9.2f} {ours[1]:9.2f} ms   in memory {theirs[0]:9.2f} {theirs[1]:9.2f} ms")


def spaced(number: int, spaces: int) -> tuple[str, ...]:
    """Where the note of that number lies."""
    return ("memories", f"user{number % spaces}")


def fill(store: BaseStore, texts: list[str], spaces: int) -> float:
    """Put all notes in batches; items a second."""
    begun = time.perf_counter()
    for start in range(0, len(texts), BATCH):
        chunk = enumerate(texts[start : start + BATCH], start)
        store.batch([PutOp(spaced(n, spaces), f"k{n}", {"text": text, "n": n}) for n, text in chunk])
    return len(texts) / (time.perf_counter() - begun)


def singles(store: BaseStore, count: int) -> float:
    """Put notes one by one; items a second."""
    begun = time.perf_counter()
    for number in range(count):
        store.put(("single", "one"), f"k{number}", {"text": f"a single note number {number}"})
    return count / (time.perf_counter() - begun)


def queries() -> Iterator[str]:
    """Questions without end, none twice."""
    rng = random.Random(1)
    number = 0
    while True:
        number += 1
        yield f"who {rng.choice(VERBS)} the {rng.choice(NOUNS)} near the {rng.choice(NOUNS)} in {number}?"


def measure(memoria: BaseStore, in_memory: BaseStore, spaces: int) -> None:
    """All searches, of both stores."""
    asked = queries()
    one = spaced(7, spaces)

    def both(name: str, work: Callable[[BaseStore], object], times: int = 30) -> None:
        tell(name, millis(lambda: work(memoria), times), millis(lambda: work(in_memory), min(times, 10)))

    both("first search of everything", lambda s: s.search(("memories",), query=next(asked)), 1)
    both("search of everything", lambda s: s.search(("memories",), query=next(asked)))
    both("search of everything, filtered", lambda s: s.search((), query=next(asked), filter={"n": {"$lt": 500}}))
    both("search of one namespace", lambda s: s.search(one, query=next(asked)))

    def put_and_search(store: BaseStore) -> None:
        store.put(one, "new", {"text": next(asked)})
        store.search(("memories",), query=next(asked))

    both("a put and a search of everything", put_and_search)
    both("filter without a query, one hit", lambda s: s.search((), filter={"text": {"$eq": "none such"}}))
    both("the first ten without a query", lambda s: s.search(("memories",)))
    both("get", lambda s: s.get(one, "k7"), 200)
    both("list 100 namespaces", lambda s: s.list_namespaces())


def main() -> None:
    """Measure, report."""
    embeddings = HashEmbeddings(DIMENSION)
    texts = notes(ITEMS)
    for spaces in (1, SPACES):
        with tempfile.TemporaryDirectory() as home, Memory(Path(home), embeddings=embeddings) as memory:
            ours = MemoriaStore(memory, index={"fields": ["text"]})
            theirs = InMemoryStore(index={"dims": DIMENSION, "embed": embeddings, "fields": ["text"]})
            print(f"\n{ITEMS:,} items over {spaces:,} namespaces, {DIMENSION} numbers a vector (p50, p95)")
            print(f"put, batches of {BATCH}: {fill(ours, texts, spaces):,.0f} items/s (in memory ", end="")
            print(f"{fill(theirs, texts, spaces):,.0f})")
            measure(ours, theirs, spaces)
            print(f"put one by one: {singles(ours, 500):,.0f} items/s (in memory {singles(theirs, 500):,.0f})")
            begun = time.perf_counter()
            embeddings.embed_documents(texts[:1000])
            print(f"of which embedding: {(time.perf_counter() - begun):.3f} ms an item")


if __name__ == "__main__":
    main()
