"""The recall suite: remember a data set, ask its questions, compare with the baselines.

What enters: a data set's file, an embedding model and settings. What leaves: a `RecallReport`. Each case gets a fresh
home in a temporary folder and goes through `Memory`'s public verbs; nothing later than a question's time is used.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from memoria.clock import stopwatch, utc_now
from memoria.evaluate.baselines import Baselines
from memoria.evaluate.dataset import Case, Item, Question, read_cases
from memoria.evaluate.metrics import score_ranking
from memoria.evaluate.report import RecallReport, Row
from memoria.memory import Memory
from memoria.models.embeddings import Embedder
from memoria.settings import Settings

USER = "person"
_DEPTH = 20
_UNLIMITED = 10**9


class KnownEmbeddings(Embeddings):
    """Embeddings made beforehand, so that storing and searching can be timed without the model."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self.identity, self.dimension = embedder.identity, embedder.dimension

    def learn(self, texts: Sequence[str]) -> None:
        """Embed what is not known yet."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(fresh, self._embedder.embed(fresh), strict=True))

    def embed_array(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The known vectors, float32 (n, dimension)."""
        return np.stack([self._vectors[text] for text in texts])

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The known vectors as lists."""
        return self.embed_array(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        """The known vector of a question."""
        return self._vectors[text].tolist()


def evaluate_recall(
    path: Path,
    *,
    embedder: Embedder,
    settings: Settings,
    limit: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> RecallReport:
    """Run the suite over the first `limit` cases of `path`; `progress` hears how many are done.

    Raises `InvalidInput` for a file that is no data set.
    """
    report = RecallReport(dataset=path.name, model=embedder.identity)
    for number, case in enumerate(read_cases(path, limit), 1):
        _run_case(case, embedder, settings, report)
        if progress is not None:
            progress(number)
    return report


def remember_case(memory: Memory, case: Case) -> None:
    """Remember a case's items, one delivery a session, in the order of the file."""
    sessions: dict[str | None, list[Item]] = {}
    for item in case.items:
        sessions.setdefault(item.turn.session, []).append(item)
    for items in sessions.values():
        memory.remember([item.turn for item in items], user=USER)


def heard(item: Item) -> str:
    """What is embedded and searched of an item."""
    return f"{item.turn.speaker}: {item.turn.text}"


def last_moment(case: Case) -> datetime | None:
    """When the case's newest item was said; None where it has no times."""
    return max((item.turn.time for item in case.items if item.turn.time is not None), default=None)


def _run_case(case: Case, embedder: Embedder, settings: Settings, report: RecallReport) -> None:
    questions = [question for question in case.questions if question.answerable]
    report.cases += 1
    report.items += len(case.items)
    if not questions:
        return
    known = KnownEmbeddings(embedder)
    begun = stopwatch()
    known.learn([heard(item) for item in case.items])
    report.embed_s += stopwatch() - begun
    known.learn([question.text for question in questions])
    folder = tempfile.TemporaryDirectory(prefix="memoria-eval-")
    # What has no time is taken as said first of all, for memoria and baselines alike.
    first = min((item.turn.time for item in case.items if item.turn.time is not None), default=utc_now())
    with folder as home, Memory(home, embeddings=known, settings=settings, clock=lambda: first) as memory:
        begun = stopwatch()
        remember_case(memory, case)
        report.store_s += stopwatch() - begun
        _ask(memory, case, questions, known, report)


def _ask(
    memory: Memory, case: Case, questions: Sequence[Question], known: KnownEmbeddings, report: RecallReport
) -> None:
    texts = [heard(item) for item in case.items]
    baselines = Baselines(texts, known.embed_array(texts))
    sessions = {item.id: str(item.turn.session) for item in case.items}
    ids = [item.id for item in case.items]
    end = last_moment(case)
    memory.recall(questions[0].text, user=USER, now=questions[0].asked or end)  # opens the index: not a question's cost
    for question in questions:
        now = question.asked or end
        begun = stopwatch()
        context = memory.recall(question.text, user=USER, k=_DEPTH, budget=_UNLIMITED, now=now)
        report.latencies.append(stopwatch() - begun)
        seen = np.array([_may_see(item, now) for item in case.items])
        vector = np.asarray(known.embed_query(question.text), dtype=np.float32)
        orders = baselines.rank(question.text, vector, seen, _DEPTH) if seen.any() else {}
        ranked: dict[str, list[str]] = {name: [ids[place] for place in order] for name, order in orders.items()}
        ranked["memoria"] = [hit.episode.metadata["item"] for hit in context.hits]
        wanted = question.evidence_sessions or {sessions[each] for each in question.evidence if each in sessions}
        for system, found in ranked.items():
            scores = score_ranking(found, [sessions[each] for each in found], question.evidence, wanted or {""})
            report.rows.append(Row(system, question.category, scores))


def _may_see(item: Item, now: datetime | None) -> bool:
    return now is None or item.turn.time is None or item.turn.time <= now
