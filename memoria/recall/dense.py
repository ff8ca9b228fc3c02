"""Scores of meaning: of every turn, of its neighbours and of its session, from one nearest-neighbour search.

What enters: what the index found for the question's vector. What leaves: cosines for every turn. A window costs no
embedding of its own: the mean of its neighbours' cosines stands for it (notes: .735 against .743 R@10 on LoCoMo for
half the disk), so what was said a moment ago has its window at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memoria.store.shelf import Shelf
from memoria.store.vectors.port import Found

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Dense:
    """Cosines, each of shape (n,): of the `turn`, the mean of its neighbours (`window`), its `session`'s best.

    `found` marks the turns that the index returned; `best` is the highest cosine.
    """

    turn: Floats
    window: Floats
    session: Floats
    found: NDArray[np.bool_]
    best: float


def score_dense(shelf: Shelf, mask: NDArray[np.bool_], found: Found) -> Dense:
    """Cosines of every turn of `shelf`; a turn that the index did not return has the lowest that it did."""
    floor = float(found.scores.min()) if len(found.scores) else 0.0
    turn = np.full(len(shelf), floor, dtype=np.float32)
    places, present = shelf.places(found.ids)
    present &= mask[places] if len(shelf) else present
    places, scores = places[present], found.scores[present]
    turn[places] = scores
    before = np.where(shelf.prev >= 0, turn[shelf.prev], np.float32(floor))
    after = np.where(shelf.next >= 0, turn[shelf.next], np.float32(floor))
    best = np.full(len(shelf.sessions), floor, dtype=np.float32)
    np.maximum.at(best, shelf.session[places], scores)
    returned = np.zeros(len(shelf), dtype=np.bool_)
    returned[places] = True
    return Dense(
        turn=turn,
        window=((before + after) / 2).astype(np.float32),
        session=best[shelf.session],
        found=returned,
        best=float(scores.max()) if len(scores) else 0.0,
    )
