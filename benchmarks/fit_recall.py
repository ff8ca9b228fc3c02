"""Fit recall's weights and its confidence, and report what they give on conversations left out.

What enters: LoCoMo and the first haystacks of LongMemEval from `../shared/data` (never shipped). What leaves: the
numbers for `memoria/recall/weights.py`, and R@10 and NDCG@10 of the left-out conversations. LoCoMo's fit leaves out one
conversation at a time; LongMemEval's a fifth of its haystacks. Both sets fit one and the same weights: a LongMemEval
question counts three times, as there are fourteen times fewer.

    .venv/bin/python benchmarks/fit_recall.py ../shared/data /tmp/fit-cache
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from memoria import Memory, Settings, load_embeddings
from memoria.evaluate.dataset import Case, read_cases
from memoria.evaluate.metrics import score_ranking
from memoria.evaluate.recall import USER, KnownEmbeddings, heard, last_moment, remember_case
from memoria.recall.confidence import evidence_of
from memoria.recall.weights import CONFIDENCE, WEIGHTS

SETS = {"locomo": (None, 1.0), "longmemeval": (60, 3.0)}  # cases taken, and what a question of it weighs
SETTINGS = Settings().without_signals(["belief", "graph"])
CANDIDATES = 80  # of each leg, for the fit; ranking is over everything
NAMES = tuple(name for name in WEIGHTS if not name.startswith(("belief.", "graph.")))  # swept apart


@dataclass
class Asked:
    """One question: features of every candidate (m, f), which of them answer, and what scoring needs."""

    group: str
    weight: float
    features: np.ndarray
    answers: np.ndarray
    items: list[str]
    sessions: list[str]
    evidence: frozenset[str]
    evidence_sessions: frozenset[str]


def known_embeddings(name: str, number: int, case: Case, texts: list[str], embedder: Any, cache: Path) -> Any:
    """The case's vectors, from the cache where a former run left them."""
    known = KnownEmbeddings(embedder)
    path = cache / f"{name}-{number}.npz"
    if path.exists():
        known._vectors = dict(zip(texts, np.load(path)["vectors"], strict=True))
    else:
        known.learn(texts)
        np.savez(path, vectors=known.embed_array(texts))
    return known


def ask(memory: Memory, case: Case, group: str, weight: float) -> list[Asked]:
    """Every answerable question of a case, with the features of its candidates."""
    found: list[Asked] = []
    items = {item.id: item for item in case.items}
    for question in case.questions:
        if not question.answerable:
            continue
        examined = memory.examine(question.text, user=USER, now=question.asked or last_moment(case))
        shelf, ranking = examined.shelf, examined.ranking
        places = np.flatnonzero(ranking.candidate)
        zeros = np.zeros(len(shelf), dtype=np.float32)
        matrix = np.stack([ranking.features.get(name, zeros)[places] for name in NAMES], axis=1)
        ids = [ID_OF[group][int(shelf.ids[place])] for place in places]
        sessions = [str(items[each].turn.session) for each in ids]
        wanted = question.evidence_sessions or {str(items[e].turn.session) for e in question.evidence if e in items}
        answers = np.array([each in question.evidence for each in ids])
        found.append(Asked(group, weight, matrix, answers, ids, sessions, question.evidence, frozenset(wanted or {""})))
    return found


ID_OF: dict[str, dict[int, str]] = {}


def judge(memory: Memory, questions: list[str]) -> list[dict[str, float]]:
    """What confidence rests on, for questions asked of a memory."""
    found = []
    for text in questions:
        examined = memory.examine(text, user=USER, now=None)
        found.append(evidence_of(examined.lexical, examined.dense, examined.ranking.best(10)))
    return found


def collect(data: Path, cache: Path) -> tuple[list[Asked], list[tuple[dict[str, float], bool, float]]]:
    """Every question of both sets, and the evidence of right and wrong conversations."""
    embedder = load_embeddings(None, cache)
    asked: list[Asked] = []
    judged: list[tuple[dict[str, float], bool, float]] = []
    for name, (limit, weight) in SETS.items():
        cases = list(read_cases(data / f"{name}.jsonl.gz", limit))
        for number, case in enumerate(cases):
            other = cases[(number + 1) % len(cases)]
            own = [q.text for q in case.questions if q.answerable]
            wrong = [q.text for q in other.questions if q.answerable]
            texts = [heard(item) for item in case.items] + own + wrong
            known = known_embeddings(name, number, case, texts, embedder, cache)
            with (
                tempfile.TemporaryDirectory() as home,
                Memory(home, embeddings=known, settings=SETTINGS) as memory,
            ):
                remember_case(memory, case)
                group = f"{name}-{number}"
                ID_OF[group] = row_items(memory)
                asked.extend(ask(memory, case, group, weight))
                judged.extend((e, True, weight) for e in judge(memory, own))
                judged.extend((e, False, weight) for e in judge(memory, wrong))
            print(f"\r{group}   ", end="", file=sys.stderr)
    return asked, judged


def row_items(memory: Memory) -> dict[int, str]:
    """Ledger row -> the data set's item id."""
    import json

    from sqlalchemy import select

    from memoria.store.schema import episode

    with memory._ledger.read() as connection:  # a benchmark looks under the bonnet
        return {
            row: json.loads(metadata)["item"]
            for row, metadata in connection.execute(select(episode.c.id, episode.c.metadata))
        }


def fit(asked: list[Asked]) -> np.ndarray:
    """Logistic regression over the candidates' features; weights (f,) on the features' own scale."""
    rows, labels, weights = [], [], []
    for each in asked:
        if not each.answers.any():
            continue
        dense, lexical = (each.features[:, NAMES.index(n)] for n in ("dense.turn", "lexical_window.cover"))
        keep = np.unique(np.concatenate([np.argsort(-dense)[:CANDIDATES], np.argsort(-lexical)[:CANDIDATES]]))
        keep = np.union1d(keep, np.flatnonzero(each.answers))
        rows.append(each.features[keep])
        labels.append(each.answers[keep])
        weights.append(np.full(len(keep), each.weight))
    x, y, w = np.concatenate(rows), np.concatenate(labels), np.concatenate(weights)
    scale = x.std(axis=0) + 1e-9
    return LogisticRegression(max_iter=500).fit(x / scale, y, sample_weight=w).coef_[0] / scale


def score(asked: list[Asked], weights: np.ndarray) -> dict[str, float]:
    """The mean measures of ranking by `weights`."""
    rows = []
    for each in asked:
        order = np.argsort(-(each.features @ weights), kind="stable")[:20]
        ranked, sessions = [each.items[i] for i in order], [each.sessions[i] for i in order]
        rows.append(score_ranking(ranked, sessions, each.evidence, each.evidence_sessions))
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def left_out(asked: list[Asked], name: str, folds: int) -> dict[str, float]:
    """The measures on one set's questions, each answered by weights that never saw its fold."""
    groups = sorted({each.group for each in asked if each.group.startswith(name)})
    parts, sizes = [], []
    for fold in range(folds):
        held = set(groups[fold::folds])
        mine = [each for each in asked if each.group in held]
        if mine:
            parts.append(score(mine, fit([each for each in asked if each.group not in held])))
            sizes.append(len(mine))
    return {key: round(float(np.average([part[key] for part in parts], weights=sizes)), 3) for key in parts[0]}


def fit_confidence(judged: list[tuple[dict[str, float], bool, float]]) -> None:
    """Fit, and report how well the right conversation is told from the wrong one."""
    names = [name for name in CONFIDENCE if name != "bias"]
    x = np.array([[evidence[name] for name in names] for evidence, _, _ in judged])
    y = np.array([right for _, right, _ in judged])
    share = np.array([weight for _, _, weight in judged])
    model = LogisticRegression(C=100, max_iter=1000).fit(x, y, sample_weight=share)
    sure = model.predict_proba(x)[:, 1]
    print(
        "CONFIDENCE",
        {"bias": round(float(model.intercept_[0]), 2)}
        | dict(zip(names, model.coef_[0].round(2).tolist(), strict=True)),
    )
    for threshold in (0.3, 0.4, 0.5, 0.6):
        right, wrong = np.mean(sure[y] >= threshold), np.mean(sure[~y] >= threshold)
        print(f"  at {threshold}: known {right:.3f} of right, {wrong:.3f} of wrong")


def main() -> None:
    """Collect, fit, report."""
    data, cache = Path(sys.argv[1]), Path(sys.argv[2])
    cache.mkdir(parents=True, exist_ok=True)
    asked, judged = collect(data, cache)
    print()
    for name, folds in (("locomo", 5), ("longmemeval", 5)):
        print(name, "left out:", left_out(asked, name, folds))
    weights = fit(asked)
    print("WEIGHTS", {name: round(float(value), 2) for name, value in zip(NAMES, weights, strict=True)})
    for name in SETS:
        print(name, "in the fit:", score([each for each in asked if each.group.startswith(name)], weights))
    fit_confidence(judged)


if __name__ == "__main__":
    main()
