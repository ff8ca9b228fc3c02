"""The batches of a training: for each step the same, whoever takes it and whenever.

What enters: a data set, a stage, a seed. What leaves: rows for a step; an interrupted training goes on with the very
batch where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from memoria.distill.neutral import Neutral
from memoria.distill.recipes import Stage
from memoria.distill.records import Dataset, Pair
from memoria.models.likelihood import Row

T = TypeVar("T")


@dataclass(frozen=True)
class Lesson:
    """A question with the answer that is learnt, and with the one that was turned down for it, where there is one."""

    taken: Row
    left: Row | None = None


def rows_to_learn(data: Dataset, *, facts: bool) -> list[list[Lesson]]:
    """What is learnt, by where it comes from: what the person chose (edits, votes, dialogue, liked answers), and comes
    twice, what follows from preferences they stated, and with `facts` the answers to questions of fact, twice as well:
    each of those has to be learnt."""
    pairs = data.pairs_of("train")
    chosen = [_of_pair(each) for each in pairs if each.kind != "stated"]
    chosen += [Lesson(Row(each.prompt, each.answer)) for each in data.examples_of("train", "preference")]
    stated = [_of_pair(each) for each in pairs if each.kind == "stated"]
    told = [Lesson(Row(each.prompt, each.answer)) for each in data.examples_of("train", "fact")] if facts else []
    return [rows for rows in (chosen, told, chosen, stated, told) if rows]


def _of_pair(pair: Pair) -> Lesson:
    return Lesson(Row(pair.prompt, pair.chosen), Row(pair.prompt, pair.rejected))


def rows_to_teach(data: Dataset, *, facts: bool) -> list[tuple[Row, Row]]:
    """The same for a student, and for its teacher with the memory in the prompt; what needs no memory is left out."""
    kinds = ("preference", "fact") if facts else ("preference",)
    told = [(each.prompt, each.answer, each.memory) for each in data.examples_of("train", *kinds)]
    told += [(each.prompt, each.chosen, each.memory) for each in data.pairs_of("train")]
    return [(Row(ask, answer), Row(ask, answer, memory)) for ask, answer, memory in told if memory]


def replayed(neutral: Neutral, stage: Stage) -> int:
    """How many rows of a batch are neutral text."""
    return min(round(stage.batch * stage.replay), stage.batch - 1) if neutral.replay else 0


def picked(rows: Sequence[T], step: int, size: int, seed: str) -> list[T]:
    """The `size` rows of a step (from 0): all rows in a chance order, then all in another, and so on."""
    found: list[T] = []
    for at in range(step * size, (step + 1) * size):
        turn, place = divmod(at, len(rows))
        order = list(range(len(rows)))
        Random(f"{seed}/{turn}").shuffle(order)
        found.append(rows[order[place]])
    return found


def picked_by_turns(parts: Sequence[Sequence[T]], step: int, size: int, seed: str) -> list[T]:
    """The `size` rows of a step, from each part in turn, so that a large part does not drown a small one: what a person
    chose says more of them than the many ways to ask about what they stated."""
    places = range(step * size, (step + 1) * size)
    turns = [divmod(at, len(parts)) for at in places]
    return [picked(parts[part], at, 1, f"{seed}/{part}")[0] for at, part in turns]
