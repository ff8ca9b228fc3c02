"""What beliefs make of real data: preferences read from PrefEval, updates of LongMemEval with the newer turn first.

What enters: `../shared/data` (never shipped) and a folder for vectors. What leaves: the share of preference turns, and
of filler turns, that yield a preference; their polarity against labels made by hand (`tests/data`, ids only); and how
often, where old and new evidence are both among the ten best turns, the newer stands first.

    .venv/bin/python benchmarks/measure_beliefs.py ../shared/data /tmp/vectors
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from memoria import Memory, Settings, load_embeddings
from memoria.evaluate.dataset import Case, read_cases
from memoria.evaluate.recall import USER, KnownEmbeddings, heard, last_moment, remember_case
from memoria.extract.ontology import load_ontology
from memoria.extract.rules import RulesExtractor
from memoria.records import Episode

LABELS = Path(__file__).parents[1] / "tests" / "data" / "prefeval_polarity.json"
SAME_TALK = timedelta(hours=6)
NOW = datetime(2025, 1, 1, tzinfo=UTC)


def polarities(extractor: RulesExtractor, text: str) -> set[int]:
    """The polarities of the preferences that one turn of the user yields."""
    common: dict[str, Any] = {"tenant": "t", "user": "u", "session": "s", "position": 0, "speaker": "user"}
    episode = Episode(id="e", role="user", trust="user", text=text, occurred_at=NOW, recorded_at=NOW, **common)
    return {each.polarity for each in extractor.extract([episode], ())[0] if each.kind == "preference"}


def preferences(path: Path) -> None:
    """How many turns of PrefEval yield a preference, and whether its polarity is right."""
    extractor = RulesExtractor(load_ontology(), spacy=True)
    found: dict[tuple[str, str], set[int]] = {}
    filler: list[bool] = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            for item in row["items"]:
                if item["speaker"] != "user" or not item["text"].strip():
                    continue
                given = polarities(extractor, item["text"])
                if item["id"].startswith("p"):
                    found[row["episode_id"], item["id"]] = given
                else:
                    filler.append(bool(given))
    yielded = sum(map(bool, found.values()))
    print(f"preference turns that yield a preference: {yielded}/{len(found)} = {yielded / len(found):.3f} (bar .85)")
    print(f"filler turns that do: {sum(filler)}/{len(filler)} = {sum(filler) / len(filler):.4f} (bar .03)")
    labels = json.loads(LABELS.read_text())
    right = sum(_right(found[each["episode"], each["id"]], each["polarity"]) for each in labels)
    print(f"right polarity: {right}/{len(labels)}")


def _right(given: set[int], label: int | str) -> bool:
    return bool(given) if label == "both" else given == {label}


def updates(path: Path, cache: Path) -> None:
    """How often the newer of two pieces of evidence stands first, over the knowledge-update questions."""
    embedder = load_embeddings(None, cache)
    first: list[bool] = []
    for number, case in enumerate(read_cases(path)):
        asked = [q for q in case.questions if q.category == "knowledge-update" and q.answerable]
        if not asked:
            continue
        known = KnownEmbeddings(embedder)
        texts = list(dict.fromkeys([heard(item) for item in case.items] + [q.text for q in asked]))
        vectors = cache / f"{path.name}-{number}.npz"
        if vectors.exists():
            known._vectors = dict(zip(texts, np.load(vectors)["vectors"], strict=True))
        else:
            known.learn(texts)
            np.savez(vectors, vectors=known.embed_array(texts))
        first += newer_first(case, known)
        print(f"\r{sum(first)} of {len(first)}  ", end="", file=sys.stderr)
    print(f"\nthe newer evidence first: {sum(first)}/{len(first)} = {np.mean(first):.3f} (bar .85)")


def newer_first(case: Case, known: KnownEmbeddings) -> list[bool]:
    """For each question with old and new evidence among the ten best turns, whether the newest comes first."""
    when = {item.id: item.turn.time for item in case.items}
    found: list[bool] = []
    with tempfile.TemporaryDirectory() as home, Memory(home, embeddings=known, settings=Settings()) as memory:
        remember_case(memory, case)
        for question in case.questions:
            now = question.asked or last_moment(case)
            context = memory.recall(question.text, user=USER, k=10, budget=10**9, now=now)
            ids = [hit.episode.metadata["item"] for hit in context.hits]
            times = {each: when[each] for each in question.evidence if when.get(each)}
            newest = max(times.values())
            new = [ids.index(e) for e, at in times.items() if newest - at < SAME_TALK and e in ids]
            old = [ids.index(e) for e, at in times.items() if newest - at >= SAME_TALK and e in ids]
            if new and old:
                found.append(min(new) < min(old))
    return found


def main() -> None:
    """Measure, report."""
    data, cache = Path(sys.argv[1]), Path(sys.argv[2])
    cache.mkdir(parents=True, exist_ok=True)
    preferences(data / "prefeval.jsonl.gz")
    updates(data / "longmemeval.jsonl.gz", cache)


if __name__ == "__main__":
    main()
