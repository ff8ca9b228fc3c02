"""What an index is: the port that Edge, a Qdrant server and the exact search each fill.

What enters: points (ids, whose, when, a vector: never text). What leaves: ids with scores, best first. One conformance
suite (`tests/store/test_vector_index.py`) holds all three to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Point:
    """One vector, float32 (dimension,), normalised; `time` is microseconds since 1970 UTC."""

    id: int
    scope: int
    kind: str
    time: int
    vector: NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """Row ids (n,) and their cosine scores (n,), best first."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]


class VectorIndex(Protocol):
    """A place to keep vectors and find the nearest. Every call is idempotent; `search` may run in several threads."""

    @property
    def name(self) -> str:
        """The engine's name, for status pages."""
        ...

    def upsert(self, points: Sequence[Point]) -> None:
        """Add points, or put them in the place of those with the same ids."""
        ...

    def delete(self, ids: Sequence[int]) -> None:
        """Remove points; ids that are not there are no error."""
        ...

    def search(self, vector: NDArray[np.float32], *, scope: int, limit: int, before: int | None = None) -> Found:
        """The scope's `limit` nearest points by cosine, none later than `before` (microseconds)."""
        ...

    def ids(self) -> set[int]:
        """Every id held."""
        ...

    def count(self) -> int:
        """How many points are held."""
        ...

    def flush(self) -> None:
        """Return once everything accepted is durable."""
        ...

    def drop(self) -> None:
        """Close, and remove everything this index keeps: its generation is over."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Closing twice is no error."""
        ...
