"""Mirrored users: pairs of people of our own writing of whom each prefers what the other does not.

What enters: the YAML files in `suites/mirrored/`. What leaves: `MirroredPair`s. What fits the one does not fit
the other, so that whatever ignores the person is right half of the time over the two, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from memoria.distill.records import Pair
from memoria.errors import InvalidInput
from memoria.store.text import terms

FOLDER = Path(__file__).parent / "suites" / "mirrored"
HARD = "hard"  # the file of the set for heads alone

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Sided(_Part):
    """What is there for each of the two people."""

    a: str
    b: str

    def of(self, side: Side) -> str:
        """What fits this one."""
        return self.a if side == "a" else self.b

    def against(self, side: Side) -> str:
        """What fits the other."""
        return self.b if side == "a" else self.a


class Choice(_Sided):
    """A question with the answer that fits each of the two."""

    ask: str


class Dimension(_Sided):
    """A preference: how each of the two states it, and choices that it decides.

    `vocabulary`: whether what fits can be told by words that the training answers have, too ("shared", the easy set) or
    only by what they mean ("apart").
    """

    name: str
    vocabulary: Literal["shared", "apart"]
    train: tuple[Choice, ...]
    held_out: tuple[Choice, ...]

    def shared_terms(self) -> set[str]:
        """The stems of content words in both a training answer and a held-out one, of whichever side."""
        told, asked = ({term for each in some for side in SIDES for term in terms(each.of(side))}
                       for some in (self.train, self.held_out))  # fmt: skip
        return told & asked


class FactAsked(_Sided):
    """A fact, whose value is another with each of the two: how it `says` so, a question in words that memoria does
    not train on, the form of the `answer`. False answers are the other's value and `others`."""

    name: str
    says: str
    held_out: str
    answer: str
    others: tuple[str, str]

    def statement(self, side: Side) -> str:
        """What the person says."""
        return self.says.format(self.of(side))

    def answers(self, side: Side) -> tuple[str, ...]:
        """The true answer first, then the three false ones."""
        return tuple(self.answer.format(value) for value in (self.of(side), self.against(side), *self.others))


class MirroredPair(_Part):
    """Two people."""

    name: str
    users: _Sided
    dimensions: tuple[Dimension, ...]
    facts: tuple[FactAsked, ...] = ()

    def held_out(self) -> list[tuple[Dimension, Choice]]:
        """The questions that nothing is learnt from."""
        return [(dimension, choice) for dimension in self.dimensions for choice in dimension.held_out]


def names() -> list[str]:
    """The names of the packaged pairs that a model can be trained on."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != HARD)


def read_pair(name: str, folder: Path = FOLDER) -> MirroredPair:
    """The pair in `folder`/name.yaml. Raises `InvalidInput` naming the file and the key."""
    path = folder / f"{name}.yaml"
    if not path.exists():
        raise InvalidInput(f"There is no {path}; the packaged pairs are {', '.join(names())} and {HARD}.")
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return MirroredPair.model_validate({"name": name, **values})
    except (yaml.YAMLError, TypeError) as error:
        raise InvalidInput(f"{path} holds no mirrored users ({error}); see those in {FOLDER}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{path}: {key}: {first['msg']}; correct it.") from error


def lengths(dimension: Dimension, count: Callable[[str], int]) -> dict[str, float]:
    """How the two sides' answers compare in length: the mean on either, and how often each is the longer."""
    sizes = [(count(each.a), count(each.b)) for each in (*dimension.train, *dimension.held_out)]
    return {
        "a": sum(a for a, _ in sizes) / len(sizes),
        "b": sum(b for _, b in sizes) / len(sizes),
        "a longer": sum(a > b for a, b in sizes),
        "b longer": sum(b > a for a, b in sizes),
        "questions": len(sizes),
    }


def held_out_pairs(pair: MirroredPair, side: Side) -> list[Pair]:
    """The held-out choices of one of the two as pairs, grouped by dimension; the stated preference as memory."""
    return [
        Pair(
            kind="edit",
            prompt=each.ask,
            chosen=each.of(side),
            rejected=each.against(side),
            memory=dimension.of(side),
            group=dimension.name,
            split="held_out",
        )
        for dimension, each in pair.held_out()
    ]
