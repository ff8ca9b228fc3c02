"""How examples are split: by a hash of their group, the same wherever the same is remembered.

What enters: names of groups, without ids (which differ from home to home). What leaves: which of them are held out. No
clock and no chance; a twin who wants the opposite of everything has the same split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

from memoria.distill.records import Split

SHARE = 0.3  # of questions that were really asked
T = TypeVar("T")


def draw(*parts: str) -> float:
    """A number from 0 to 1 that `parts` always come to."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def group_of(*parts: str) -> str:
    """A group's name."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def split_of(group: str) -> Split:
    """A group by itself."""
    return "held_out" if draw("split", group) < SHARE else "train"


def held_out(of: str, count: int, size: int) -> set[int]:
    """Which `count` of `size` places are held out for `of`."""
    return set(sorted(range(size), key=lambda place: draw("place", of, str(place)))[:count])


def mixed(of: str, values: Iterable[T]) -> Sequence[T]:
    """`values`, each once, in an order that only `of` and they tell."""
    return sorted(dict.fromkeys(values), key=lambda value: draw("order", of, str(value)))
