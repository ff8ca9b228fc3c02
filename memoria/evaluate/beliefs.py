"""The evolving-memory suite: seven things that a memory must do as what it hears changes.

What enters: scripted dialogues, an embedding model, settings. What leaves: a `BeliefReport`: for each task the share of
checks passed, by memoria and by two baselines over the same turns. No judge: expected words in beliefs, and expected
turns among the hits. After MEME's tasks (exact, aggregate, update, contradiction, deletion, cascade, absence).

memoria passes where its context gives every word wanted, in a belief that it states as current or quoted from its five
best turns; where no belief that it holds says what is so no longer; and where no belief answers directly what nothing
answers. "beliefs" is the same without the quotes. A baseline has turns and no beliefs: it passes where its five best
turns hold every word wanted and the first of them to speak of the matter is not one that is out of date (so does
memoria, where it has only turns to show); it knows that it does not know by a threshold on its best score, which is set
on the dialogues that it is measured on, in its favour.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memoria.clock import utc_now
from memoria.evaluate.baselines import Baselines
from memoria.evaluate.dialogues import TASKS, Check, Dialogue
from memoria.evaluate.metrics import mean
from memoria.memory import Memory
from memoria.models.embeddings import Embedder
from memoria.records import Belief, BeliefHit, Context
from memoria.settings import Settings

USER = "person"
BASELINES = ("dense", "BM25")
SYSTEMS = ("memoria", "beliefs", *BASELINES)
_BEST = 5

Place = tuple[int, int]  # session, turn


@dataclass(frozen=True)
class Passed:
    """One check: which systems passed it, the share of the expected turns among memoria's hits, and what failed."""

    dialogue: str
    task: str
    question: str
    systems: dict[str, bool]
    hits: float | None
    faults: tuple[str, ...]


@dataclass(frozen=True)
class _Bare:
    """A baseline's answer to a check: its best score, which a threshold decides on, and whether its turns pass."""

    score: float
    absent: bool
    passed: bool


@dataclass(frozen=True)
class _Asked:
    """One check asked of every system."""

    dialogue: str
    task: str
    check: Check
    faults: tuple[str, ...]
    by_beliefs: bool
    hits: float | None
    bare: dict[str, _Bare]


@dataclass
class BeliefReport:
    """Filled while the suite runs."""

    split: str
    style: str
    rows: list[Passed] = field(default_factory=list[Passed])

    def share(self, system: str, task: str) -> float:
        """The share of a task's checks that a system passed."""
        return mean([float(row.systems[system]) for row in self.rows if row.task == task])

    def to_json(self) -> dict[str, Any]:
        """Plain values; the keys are stable."""
        tasks = {
            task: {system: round(self.share(system, task), 4) for system in SYSTEMS}
            | {
                "checks": sum(row.task == task for row in self.rows),
                "hits": round(mean([row.hits for row in self.rows if row.task == task and row.hits is not None]), 4),
            }
            for task in TASKS
            if any(row.task == task for row in self.rows)
        }
        failed = [
            {"dialogue": row.dialogue, "question": row.question, "faults": list(row.faults)}
            for row in self.rows
            if not row.systems["memoria"]
        ]
        dialogues = len({row.dialogue for row in self.rows})
        return {"split": self.split, "style": self.style, "dialogues": dialogues, "tasks": tasks, "failed": failed}


def evaluate_beliefs(
    dialogues: Iterable[Dialogue],
    split: str,
    style: str = "plain",
    *,
    embedder: Embedder,
    settings: Settings,
    progress: Callable[[int], None] | None = None,
) -> BeliefReport:
    """Run every dialogue, in each of its phrasings, through `Memory`'s public verbs, and the baselines beside it."""
    found: list[_Asked] = []
    for number, dialogue in enumerate(dialogues, 1):
        for phrasing in range(dialogue.phrasings):
            found += _run(dialogue, phrasing, embedder, settings)
        if progress is not None:
            progress(number)
    limits = {system: _best_limit([each.bare[system] for each in found]) for system in BASELINES}
    report = BeliefReport(split, style)
    for each in found:
        systems = {"memoria": not each.faults, "beliefs": each.by_beliefs}
        systems |= {system: _decided(each.bare[system], limits[system]) for system in BASELINES}
        report.rows.append(Passed(each.dialogue, each.task, each.check.question, systems, each.hits, each.faults))
    return report


@dataclass
class _Heard:
    """What a dialogue's person has said and not had forgotten, by episode id: where, and as a baseline reads it."""

    places: dict[str, Place] = field(default_factory=dict[str, Place])
    texts: dict[str, str] = field(default_factory=dict[str, str])


def _run(dialogue: Dialogue, phrasing: int, embedder: Embedder, settings: Settings) -> list[_Asked]:
    clock = [utc_now()]
    folder = tempfile.TemporaryDirectory(prefix="memoria-eval-")
    with folder as home, Memory(home, embeddings=embedder, settings=settings, clock=lambda: clock[0]) as memory:
        heard = _Heard()
        for number, session in enumerate(dialogue.sessions):
            clock[0] = session.moment(len(session.turns))
            for episode in memory.remember(dialogue.turns(number, phrasing), user=USER):
                at = episode.metadata["at"]
                heard.places[episode.id] = (at[0], at[1])
                heard.texts[episode.id] = f"{episode.speaker}: {episode.text}"
            for wish in dialogue.forget:
                if wish.after_session == number:
                    for episode in memory.forget(user=USER, query=wish.query, dry_run=True).would_go:
                        del heard.places[episode.id], heard.texts[episode.id]
                    memory.forget(user=USER, query=wish.query)
        clock[0] = dialogue.end()
        texts = list(heard.texts.values())
        baselines = Baselines(texts, embedder.embed(texts))
        name = f"{dialogue.id}/{phrasing}"
        return [_ask(memory, name, dialogue.task, check, heard, baselines, embedder) for check in dialogue.checks]


def _ask(
    memory: Memory, name: str, task: str, check: Check, heard: _Heard, baselines: Baselines, embedder: Embedder
) -> _Asked:
    at = datetime.combine(check.at, time(12, tzinfo=UTC)) if check.at else None
    context = memory.recall(check.question, user=USER, at=at)
    held = memory.beliefs(user=USER, at=at)
    best = [hit.episode for hit in context.hits[:_BEST]]
    quoted = [(episode.text, heard.places[episode.id]) for episode in best]
    wanted = {place for place in heard.places.values() if place in set(check.evidence)}
    share = len(wanted & {place for _, place in quoted}) / len(wanted) if wanted else None
    vector = np.asarray(embedder.embed_query(check.question), dtype=np.float32)
    turns = list(zip(heard.texts.values(), heard.places.values(), strict=True))
    bare = {system: _bare(scores, turns, check) for system, scores in baselines.scores(check.question, vector).items()}
    faults = faults_of(check, task, context, held, quoted)
    strict = not faults and not faults_of(check, task, context, held, ())
    return _Asked(name, task, check, tuple(faults), strict, share, bare)


def faults_of(
    check: Check, task: str, context: Context, held: Sequence[Belief], quoted: Sequence[tuple[str, Place]]
) -> list[str]:
    """What a memory got wrong of a check, in words; empty when it passes. `quoted` are its best turns, best first."""
    stated = [hit for hit in context.beliefs if hit.belief.status == "current"]
    missing = [word for word in check.current if not _states(stated, word)]
    if missing and (task == "absence" or not _turns_give(quoted, check, missing)):
        faults = [f"does not give {word!r}" for word in missing]
    else:
        faults = []
    if check.absent:
        sure = [hit.belief for hit in stated if hit.direct and not hit.belief.needs_confirmation]
        faults += [f"answers with {each.statement!r}" for each in sure]
    elif task != "absence":
        sure = [each for each in held if each.status == "current" and not each.needs_confirmation]
        faults += [
            f"still holds {word!r}: {b.statement!r}" for word in check.gone for b in sure if _in(word, b.statement)
        ]
    for word in check.confirm:
        doubted = any(_in(word, each.statement) and each.needs_confirmation for each in held)
        if not doubted:
            known = [each.statement for each in held if _in(word, each.statement)]
            faults.append(f"does not doubt {word!r}: {known}")
    return faults


def _states(stated: Sequence[BeliefHit], word: str) -> bool:
    return any(_in(word, hit.belief.statement) for hit in stated)


def _in(word: str, text: str) -> bool:
    return word.casefold() in text.casefold()


def _turns_give(turns: Sequence[tuple[str, Place]], check: Check, words: Sequence[str]) -> bool:
    """Whether turns (best first) hold all of `words`, the first of them to speak of the matter not out of date."""
    if not all(any(_in(word, text) for text, _ in turns) for word in words):
        return False
    about = [turn for turn in turns if any(_in(word, turn[0]) for word in (*check.current, *check.gone))]
    if not check.gone or not about:
        return True
    first, place = about[0]
    return place in check.evidence or any(_in(word, first) for word in check.current)


def _bare(scores: NDArray[np.float32], turns: Sequence[tuple[str, Place]], check: Check) -> _Bare:
    """What a baseline makes of a check with its five best turns."""
    order: list[int] = np.argsort(-scores, kind="stable")[:_BEST].tolist()
    best = [turns[i] for i in order]
    passed = _turns_give(best, check, (*check.current, *check.confirm))
    if check.confirm:
        passed = passed and any(place in check.evidence for _, place in best)
    return _Bare(float(scores[order[0]]) if order else 0.0, check.absent, passed)


def _decided(bare: _Bare, limit: float) -> bool:
    return bare.score < limit if bare.absent else bare.passed and bare.score >= limit


def _best_limit(found: Sequence[_Bare]) -> float:
    """The threshold below which a baseline had best say that it does not know."""
    candidates = [-1.0, *sorted({each.score for each in found})]
    return max(candidates, key=lambda limit: sum(_decided(each, limit) for each in found))
