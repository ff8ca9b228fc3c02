"""What beliefs cost, each figure beside its bar: reading a turn, finding the beliefs a question is about, the graph.

What enters: the turns of `../shared/data/locomo.jsonl.gz` where it lies there, else those of `examples/data`; ten
thousand made-up facts. What leaves: one line a figure, `ok` or `BELOW`. Run with `make bench` on a quiet machine.
"""

from __future__ import annotations

import gzip
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from memoria import HashEmbeddings, Memory
from memoria.extract.ontology import key_of, load_ontology
from memoria.extract.rules import RulesExtractor
from memoria.recall.beliefs import BeliefIndex
from memoria.recall.graph import BeliefGraph
from memoria.records import Episode, Scope
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.beliefs import Claim, add_claims
from memoria.store.scopes import require_scope
from memoria.store.text import terms

LOCOMO = Path("../shared/data/locomo.jsonl.gz")
FACTS = 10_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def millis(work: Callable[[], object], times: int = 50) -> float:
    """The median of `times` runs, in milliseconds of one core."""
    taken: list[float] = []
    for _ in range(times):
        begun = time.process_time()
        work()
        taken.append((time.process_time() - begun) * 1e3)
    return statistics.median(taken)


def tell(name: str, value: float, bar: float) -> None:
    """One line: the figure beside its bar."""
    print(f"{'ok   ' if value <= bar else 'BELOW'} {name}: {value:.2f} ms (bar {bar:g})")


def user_turns() -> list[str]:
    """What people say."""
    if LOCOMO.exists():
        with gzip.open(LOCOMO, "rt", encoding="utf-8") as lines:
            return [item["text"] for line in lines for item in json.loads(line)["items"] if item["text"].strip()]
    found: list[str] = []
    for path in sorted(Path("examples/data").glob("*.jsonl")):
        rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        found += [row["text"] for row in rows if row.get("role", "user") == "user"]
    return found


def extraction(texts: Sequence[str]) -> None:
    """The rules on real turns, with the parse."""
    extractor = RulesExtractor(load_ontology(), spacy=True)
    episodes = [
        Episode(
            id=str(n),
            tenant="t",
            user="u",
            session="s",
            position=n,
            speaker="user",
            role="user",
            trust="user",
            text=text,
            occurred_at=NOW,
            recorded_at=NOW,
        )
        for n, text in enumerate(texts)
    ]
    extractor.extract(episodes[:200], ())  # loads the model
    taken: list[float] = []
    for episode in episodes:
        begun = time.process_time()
        extractor.extract([episode], ())
        taken.append((time.process_time() - begun) * 1e3)
    tell(f"reading a turn, median of {len(taken)} ({extractor.name})", statistics.median(taken), 5)
    print(f"      mean {statistics.mean(taken):.2f} ms, 99 % within {sorted(taken)[int(len(taken) * 0.99)]:.2f} ms")


def many_facts(home: str) -> BeliefShelf:
    """A shelf of ten thousand facts about three thousand people and things."""
    rng = random.Random(0)
    ontology = load_ontology()
    names = [f"Person{n}" for n in range(3000)]
    predicates = ["friend", "colleague", "visited", "owns", "language", "hobby", "member", "uses"]
    with Memory(home, embeddings=HashEmbeddings(64)) as memory:
        memory.remember("I live in Porto.", user="ana")
        claims: list[Claim] = []
        for number in range(FACTS):
            subject, predicate = rng.choice(["user", *names]), rng.choice(predicates)
            value = rng.choice(names) if predicate in ("friend", "colleague") else f"Thing{rng.randrange(10**6)}"
            content = {
                "subject": subject,
                "predicate": predicate,
                "object": value,
                "statement": ontology.statement(subject, predicate, value),
            }
            claim = Claim("fact", key_of(subject), predicate, key_of(value), False, "affirm", number, "bench", content)
            claims.append(claim)
        with memory._ledger.write() as connection:  # a benchmark looks under the bonnet
            scope = require_scope(connection, Scope(user="ana"))
            add_claims(connection, memory._ledger, scope.id, claims, 1)
        with memory._ledger.read() as connection:
            return memory._belief_shelves.shelf(connection, scope.id)


def main() -> None:
    """Measure, report."""
    extraction(user_turns())
    with tempfile.TemporaryDirectory() as home:
        shelf = many_facts(home)
    index = BeliefIndex(shelf, load_ontology())
    asked = [f"Where does Person{n} live and what is their hobby?" for n in range(40)] + ["What do I own?"] * 10
    questions = iter(asked * 3)

    def look_up() -> object:
        question = next(questions)
        return index.ask(question, terms(question))

    tell(f"the beliefs a question is about, of {len(shelf.rows):,}", millis(look_up, 100), 3)
    graph = BeliefGraph(shelf)
    seeds = iter([f"person{n}" for n in range(200)])
    tell(f"personalised PageRank over {len(graph):,} nodes, cached", millis(lambda: graph.near([next(seeds)]), 100), 5)


if __name__ == "__main__":
    main()
