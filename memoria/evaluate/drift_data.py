"""A year of changing tastes: what a person says and corrects month by month, and what of it memory holds for true.

What enters: `suites/drift.yaml`, and which of two mirrored people begins the year. What leaves: for each month the
corrections that a memory which was told everything so far would teach, and those that the month brought. Which still
hold is not looked up: a `Memory` is told what the person says, hears the assistant's answers corrected, and tells it
(`Memory.dataset`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from memoria.distill.records import Pair
from memoria.errors import InvalidInput
from memoria.evaluate.mirrored_data import Choice, Dimension, Side, read_pair
from memoria.memory import Memory
from memoria.models.hashing import HashEmbeddings
from memoria.records import Turn

FILE = Path(__file__).parent / "suites" / "drift.yaml"
EDITS = 1  # corrections a month in each dimension
_START = datetime(2025, 1, 2, 9, tzinfo=UTC)
_USER = "person"


@dataclass(frozen=True)
class Taste:
    """A dimension, and the month from which on the person wants the other thing (None: never)."""

    dimension: Dimension
    month: int | None = None

    def side(self, begun: Side, month: int) -> Side:
        """Which of the two answers the person wants in a month."""
        changed = self.month is not None and month >= self.month
        return ("b" if begun == "a" else "a") if changed else begun

    def edits(self, month: int) -> list[Choice]:
        """The questions of a month: in turn, so that all come up again."""
        train = self.dimension.train
        return [train[(EDITS * month + number) % len(train)] for number in range(EDITS)]


@dataclass(frozen=True)
class Year:
    """The tastes of a year."""

    months: int
    tastes: tuple[Taste, ...]


@dataclass(frozen=True)
class Month:
    """What there is to learn at the end of a month (from 1): `live` is what memory holds for true, `new` what this
    month brought, `told` everything that was ever corrected, outdated or not."""

    number: int
    live: tuple[Pair, ...]
    new: tuple[Pair, ...]
    told: tuple[Pair, ...]


def read_year(path: Path = FILE) -> Year:
    """The year in a file. Raises `InvalidInput` naming what is amiss."""
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        tastes = tuple(
            Taste(_dimension(each["pair"], each["dimension"]), each.get("month")) for each in values["tastes"]
        )
        return Year(int(values["months"]), tastes)
    except (yaml.YAMLError, OSError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} holds no year of tastes ({error!r}); see {FILE}.") from error


def months_of(year: Year, begun: Side) -> Iterator[Month]:
    """The year of the one of the two people, month by month."""
    with tempfile.TemporaryDirectory(prefix="memoria-drift-") as home, Memory(home, embeddings=HashEmbeddings(64)) as m:
        told: list[Pair] = []
        groups: dict[str, str] = {}
        for number in range(1, year.months + 1):
            at = _START + timedelta(days=30 * (number - 1))
            for taste in year.tastes:
                if number in (1, taste.month):
                    said = taste.dimension.of(taste.side(begun, number))
                    m.remember(Turn(text=said, time=at, session=f"month {number}"), user=_USER)
            new = [
                _pair(taste, choice, taste.side(begun, number))
                for taste in year.tastes
                for choice in taste.edits(number)
            ]
            _correct(m, new, at + timedelta(hours=1))
            told += new
            groups |= {pair.prompt: pair.group for pair in new}
            data = m.dataset(user=_USER)
            live = tuple(
                pair.model_copy(update={"group": groups[pair.prompt], "split": "train"})
                for pair in data.pairs
                if pair.kind == "edit"
            )
            yield Month(number, live, tuple(new), tuple(told))


def held_out(year: Year) -> list[tuple[Taste, Choice]]:
    """The questions that nothing is learnt from."""
    return [(taste, choice) for taste in year.tastes for choice in taste.dimension.held_out]


def _dimension(pair: str, name: str) -> Dimension:
    found = [each for each in read_pair(pair).dimensions if each.name == name]
    if not found:
        raise InvalidInput(f"There is no dimension {name!r} in {pair}; name one of its dimensions.")
    return found[0]


def _correct(memory: Memory, pairs: Sequence[Pair], at: datetime) -> None:
    """Questions that the assistant answers as the person does not want it, and what they write in its place."""
    turns: list[Turn] = []
    for place, pair in enumerate(pairs):
        when, session = at + timedelta(minutes=place), f"{at:%Y-%m-%d} {pair.group}"
        turns.append(Turn(text=pair.prompt, time=when, session=session))
        turns.append(Turn(text=pair.rejected, role="assistant", time=when + timedelta(seconds=20), session=session))
    answers = [each for each in memory.remember(turns, user=_USER) if each.role == "assistant"]
    for answer, pair in zip(answers, pairs, strict=True):
        memory.feedback(answer.id, user=_USER, score=-1, correction=pair.chosen)


def _pair(taste: Taste, choice: Choice, side: Side) -> Pair:
    return Pair(
        kind="edit",
        prompt=choice.ask,
        chosen=choice.of(side),
        rejected=choice.against(side),
        memory=taste.dimension.of(side),
        group=taste.dimension.name,
    )
