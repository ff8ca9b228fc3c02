"""A year of changing tastes: what a person says and corrects month by month, and what of it memory holds for true.

What enters: `suites/drift.yaml`, and which of two mirrored people begins the year. What leaves: for each month what a
memory that was told everything so far would teach: the corrections that rest on a taste which still holds, the newest
for each question; and those that the month brought. Which taste still holds is not looked up: a `Memory` is told what
the person says, and a correction counts while the beliefs it rests on are current.
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
from memoria.models.embeddings import HashEmbeddings

FILE = Path(__file__).parent / "suites" / "drift.yaml"
EDITS = 2  # corrections a month in each dimension
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
    """The year of the one of the two people, month by month. Raises `InvalidInput` where memory cannot read a taste."""
    with tempfile.TemporaryDirectory(prefix="memoria-drift-") as home, Memory(home, embeddings=HashEmbeddings(64)) as m:
        resting: dict[str, tuple[str, ...]] = {}  # the beliefs that each dimension's taste rests on
        told: list[Pair] = []
        m.remember("Hello.", user=_USER, session="month 0")
        for number in range(1, year.months + 1):
            for taste in year.tastes:
                if number in (1, taste.month):
                    said = getattr(taste.dimension, taste.side(begun, number))
                    resting[taste.dimension.name] = _read(m, said, number)
            new = [
                _pair(taste, choice, taste.side(begun, number), resting[taste.dimension.name])
                for taste in year.tastes
                for choice in taste.edits(number)
            ]
            told += new
            current = _held(m)
            yield Month(number, _live(told, current), tuple(new), tuple(told))


def held_out(year: Year) -> list[tuple[Taste, Choice]]:
    """The questions that nothing is learnt from."""
    return [(taste, choice) for taste in year.tastes for choice in taste.dimension.held_out]


def _dimension(pair: str, name: str) -> Dimension:
    found = [each for each in read_pair(pair).dimensions if each.name == name]
    if not found:
        raise InvalidInput(f"There is no dimension {name!r} in {pair}; name one of its dimensions.")
    return found[0]


def _held(memory: Memory) -> set[str]:
    return {belief.id for belief in memory.beliefs(user=_USER) if belief.status == "current"}


def _read(memory: Memory, said: str, month: int) -> tuple[str, ...]:
    """What memory newly believes when the person says so."""
    before = _held(memory)
    at = _START + timedelta(days=30 * (month - 1))
    memory.remember({"role": "user", "text": said, "time": at.isoformat()}, user=_USER, session=f"month {month}")
    found = tuple(sorted(_held(memory) - before))
    if not found:
        raise InvalidInput(f"Memory reads no taste in {said!r}; say it another way.")
    return found


def _pair(taste: Taste, choice: Choice, side: Side, beliefs: tuple[str, ...]) -> Pair:
    chosen, rejected = (choice.a, choice.b) if side == "a" else (choice.b, choice.a)
    return Pair(
        kind="edit",
        prompt=choice.ask,
        chosen=chosen,
        rejected=rejected,
        memory=taste.dimension.a if side == "a" else taste.dimension.b,
        group=taste.dimension.name,
        belief_ids=beliefs,
    )


def _live(told: Sequence[Pair], current: set[str]) -> tuple[Pair, ...]:
    """Of each question the newest correction, if what it rests on still holds."""
    newest = {(pair.group, pair.prompt): pair for pair in told}
    return tuple(pair for pair in newest.values() if set(pair.belief_ids) <= current)
