"""BM25 of every turn, of its window and of its session, over one person's words alone.

What enters: a shelf, a mask of the turns that may be seen, and terms. What leaves: scores between 0 and 1: each is
divided by the most that the question's terms could give, so scores of different questions can be compared. Counts,
lengths and document frequencies come from the masked turns only: later turns and other people change nothing.

Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memoria.store.shelf import Shelf

Floats = NDArray[np.float32]

K1, B = 1.2, 0.75  # the usual values; recall hardly changes between 0.9 and 1.6


@dataclass(frozen=True)
class Lexical:
    """Scores in [0, 1): `turn`, `window` (a turn with its two neighbours) and `session`, each of shape (n,).

    `cover` is the share of the question's weight (IDF) that a turn's own words cover, `window_cover` its window's;
    `known` is the share that the whole memory covers (a word never said weighs as much as the rarest one said); `idf`
    is each term's weight.
    """

    turn: Floats
    window: Floats
    session: Floats
    cover: Floats
    window_cover: Floats
    known: float
    idf: dict[str, float]


def score_lexical(shelf: Shelf, mask: NDArray[np.bool_], terms: Sequence[str]) -> Lexical:
    """Score every turn of `shelf` (n of them) for `terms`; masked turns count for nothing and score 0."""
    n = len(shelf)
    visible = max(int(mask.sum()), 1)
    tally = _Tally(n, len(shelf.sessions))
    length = np.where(mask, shelf.length, 0).astype(np.float32)
    saturation = _Lengths(shelf, length, visible)
    heard = lost = 0.0
    weights: dict[str, float] = {}
    for term in terms:
        postings = shelf.postings(term)
        keep = mask[postings.docs]
        docs, tf = postings.docs[keep], postings.tf[keep].astype(np.float32)
        idf = float(np.log1p((visible - len(docs) + 0.5) / (len(docs) + 0.5)))
        weights[term] = idf
        if len(docs) == 0:
            lost += idf
            continue
        heard += idf
        tally.add(shelf, saturation, docs, tf, idf)
    most = (K1 + 1) * (heard + lost) or 1.0
    return Lexical(
        turn=tally.turn / np.float32(most),
        window=tally.window * mask / np.float32(most),
        session=(tally.session / np.float32(most))[shelf.session] * mask,
        cover=tally.cover / np.float32((heard + lost) or 1.0),
        window_cover=tally.window_cover * mask / np.float32((heard + lost) or 1.0),
        known=heard / ((heard + lost) or 1.0),
        idf=weights,
    )


class _Lengths:
    """BM25's length terms, of turns, windows and sessions."""

    def __init__(self, shelf: Shelf, length: Floats, visible: int) -> None:
        window = length + _beside(shelf.prev, length) + _beside(shelf.next, length)
        session = np.bincount(shelf.session, length, minlength=len(shelf.sessions)).astype(np.float32)
        mean = max(float(length.sum()) / visible, 1.0)
        self.turn = K1 * (1 - B + B * length / mean)
        self.window = K1 * (1 - B + B * window / max(float(window.sum()) / visible, 1.0))
        self.session = K1 * (1 - B + B * session / max(float(session.sum()) / max((session > 0).sum(), 1), 1.0))


class _Tally:
    """The sums over terms, as they grow."""

    def __init__(self, n: int, sessions: int) -> None:
        self.turn, self.window, self.cover, self.window_cover = (np.zeros(n, dtype=np.float32) for _ in range(4))
        self.session = np.zeros(sessions, dtype=np.float32)

    def add(self, shelf: Shelf, length: _Lengths, docs: NDArray[np.int32], tf: Floats, idf: float) -> None:
        """Add one term, found `tf` times in each of `docs`."""
        self.turn[docs] += idf * tf * (K1 + 1) / (tf + length.turn[docs])
        self.cover[docs] += idf
        counts = _around(shelf, docs, tf)
        # Over all turns at once: picking out the few that count took longer.
        self.window += np.float32(idf * (K1 + 1)) * (counts / (counts + length.window))
        self.window_cover += np.float32(idf) * (counts > 0)
        total = np.bincount(shelf.session[docs], tf, minlength=len(self.session)).astype(np.float32)
        self.session += idf * total * (K1 + 1) / (total + length.session)


def _around(shelf: Shelf, docs: NDArray[np.int32], tf: Floats) -> Floats:
    """How often a term, found `tf` times in each of `docs`, stands in every turn's window, (n,)."""
    counts = np.zeros(len(shelf), dtype=np.float32)
    counts[docs] = tf
    before, after = shelf.prev[docs], shelf.next[docs]
    counts[before[before >= 0]] += tf[before >= 0]  # each index once: a turn has one neighbour on a side
    counts[after[after >= 0]] += tf[after >= 0]
    return counts


def _beside(neighbour: NDArray[np.int32], values: Floats) -> Floats:
    """Each turn's neighbour's value; 0 where there is none."""
    return np.where(neighbour >= 0, values[neighbour], np.float32(0))
