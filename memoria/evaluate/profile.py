"""The profile suite: the same questions at the same budgets, with lines of the profile in the context and without.

What enters: a data set's file, an embedding model, settings and budgets. What leaves: a `ProfileReport`. A question
sees, and the profile is made of, only what was said by the time it is asked: where questions of one case are asked at
different times, each time gets a home of its own. No judge is needed: evidence is counted by its ids, and among options
the one nearest to the context is taken (`choose`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memoria.clock import stopwatch, utc_now
from memoria.evaluate.dataset import Case, Item, Question, read_cases
from memoria.evaluate.profile_report import Paired, ProfileReport
from memoria.evaluate.recall import USER, KnownEmbeddings, last_moment, remember_case
from memoria.memory import Memory
from memoria.models.embeddings import Embedder
from memoria.records import Context
from memoria.settings import Settings

BUDGETS = (300, 800, 1500)
_NEAREST = 3  # lines of the context that an option is held against

Vectors = NDArray[np.float32]


class _Remembered(KnownEmbeddings):
    """Embeddings made once each, when first wanted: reflection embeds names that nobody knows beforehand."""

    def embed_array(self, texts: Sequence[str]) -> Vectors:
        """The vectors, float32 (n, dimension)."""
        self.learn(texts)
        return super().embed_array(texts)

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self.embed_array([text])[0].tolist()


@dataclass
class _Time:
    """A clock that stands where it is put."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def evaluate_profile(
    path: Path,
    *,
    embedder: Embedder,
    settings: Settings,
    budgets: Sequence[int] = BUDGETS,
    limit: int | None = None,
    categories: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
) -> ProfileReport:
    """Run the suite over the first `limit` cases of `path` that ask questions of `categories` (none: of any).

    Raises `InvalidInput` for a file that is no data set.
    """
    report = ProfileReport(dataset=path.name, model=embedder.identity, budgets=tuple(budgets))
    wanted = ((case, _asked(case, categories)) for case in read_cases(path))
    for number, (case, questions) in enumerate(islice((each for each in wanted if each[1]), limit), 1):
        for seen, asked in _by_time(case, questions):
            _run_case(seen, asked, embedder, settings, report)
        report.unasked += sum(not _seen(case, question) for question in questions)
        if progress is not None:
            progress(number)
    return report


def choose(options: Vectors, lines: Vectors, question: Vectors | None = None) -> int:
    """Which option is nearest to the context: by the mean of its three greatest cosines to lines of it, and with
    `question` by its cosine to that too, each counting as much; all are unit vectors."""
    near = np.zeros(len(options), dtype=np.float32) if question is None else options @ question
    if len(lines):
        near = near + np.sort(options @ lines.T, axis=1)[:, -_NEAREST:].mean(axis=1)
    return int(near.argmax())


def _asked(case: Case, categories: Collection[str]) -> list[Question]:
    """The case's questions that can be scored."""
    scored = (question for question in case.questions if question.answerable or question.gold is not None)
    return [question for question in scored if not categories or question.category in categories]


def _seen(case: Case, question: Question) -> tuple[Item, ...]:
    """What was said by the time of a question."""
    if question.asked is None:
        return case.items
    return tuple(item for item in case.items if item.turn.time is None or item.turn.time <= question.asked)


def _by_time(case: Case, questions: Sequence[Question]) -> Iterator[tuple[Case, list[Question]]]:
    """The case as it stood for its questions: those that see the same are asked of one home."""
    groups: dict[tuple[str, ...], list[Question]] = {}
    for question in questions:
        groups.setdefault(tuple(item.id for item in _seen(case, question)), []).append(question)
    for ids, group in groups.items():
        if ids:
            yield Case(case.name, _seen(case, group[0]), tuple(group)), group


def _run_case(
    case: Case, questions: Sequence[Question], embedder: Embedder, settings: Settings, report: ProfileReport
) -> None:
    known = _Remembered(embedder)
    # What has no time is taken as said first of all.
    time = _Time(min((item.turn.time for item in case.items if item.turn.time is not None), default=utc_now()))
    folder = tempfile.TemporaryDirectory(prefix="memoria-eval-")
    with folder as home, Memory(home, embeddings=known, settings=settings, clock=time) as memory:
        remember_case(memory, case)
        end = time.now = last_moment(case) or time.now
        begun = stopwatch()
        memory.reflect(user=USER)
        report.reflect_s += stopwatch() - begun
        report.homes += 1
        report.turns += len(case.items)
        report.lines += len(memory.profile(user=USER).lines)
        items = {each.id: str(each.metadata["item"]) for each in memory.episodes(user=USER)}
        for question in questions:
            now = question.asked or end
            report.longest.append(_is_gold(question, max(question.options, key=len, default="")))
            report.unaided.append(_nearest(known, question))
            for budget in report.budgets:
                plain, profiled = (
                    memory.recall(question.text, user=USER, budget=budget, now=now, profile=each)
                    for each in (False, True)
                )
                report.rows.append(
                    Paired(
                        category=question.category,
                        budget=budget,
                        without=_scores(plain, question, items, known),
                        within=_scores(profiled, question, items, known),
                        stated=len(profiled.profile),
                        tokens=(plain.tokens, profiled.tokens),
                    )
                )


def _scores(context: Context, question: Question, items: dict[str, str], known: _Remembered) -> dict[str, float]:
    """The measures of one context that the question allows."""
    scores: dict[str, float] = {}
    if question.answerable:
        quoted = {items[hit.episode.id] for hit in context.hits}
        told = quoted | {items[each] for each in _told(context) if each in items}
        scores["quoted"] = len(quoted & question.evidence) / len(question.evidence)
        scores["told"] = len(told & question.evidence) / len(question.evidence)
    if question.gold is not None:
        lines = [each.text for each in context.profile]
        lines += [each.belief.statement for each in context.beliefs] + [hit.quote for hit in context.hits]
        vectors: Any = known.embed_array(lines) if lines else np.empty((0, known.dimension), dtype=np.float32)
        options = known.embed_array(question.options)
        scores["context"] = float(choose(options, vectors) == question.gold)
        scores["chosen"] = float(choose(options, vectors, known.embed_array([question.text])[0]) == question.gold)
    return scores


def _told(context: Context) -> Iterator[str]:
    """The turns whose content a line tells: those behind beliefs, and the one that a line quotes. That a topic came up
    in forty turns tells the content of none."""
    for belief in context.beliefs:
        yield from belief.episode_ids
    for line in context.profile:
        if line.belief_ids or len(line.episode_ids) == 1:
            yield from line.episode_ids


def _is_gold(question: Question, option: str) -> float | None:
    return float(question.options.index(option) == question.gold) if question.gold is not None else None


def _nearest(known: KnownEmbeddings, question: Question) -> float | None:
    """Whether the option nearest to the question itself is the right one."""
    if question.gold is None:
        return None
    nothing = np.empty((0, known.dimension), dtype=np.float32)
    vector = known.embed_array([question.text])[0]
    return float(choose(known.embed_array(question.options), nothing, vector) == question.gold)
