"""Three rankings to beat, over the same vectors and the same words as memoria's.

What enters: a case's texts and vectors, a question's text and vector, and which items may be seen. What leaves: three
orders of the items: plain dense (what most systems do), reciprocal rank fusion of dense and stemmed BM25 (what the good
ones do), and half and half of their min-max scores (what no rival measured beats).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from memoria.store.text import terms

Floats = NDArray[np.float32]

NAMES = ("dense", "RRF", "mix")
_K1, _B = 1.5, 0.75
_RRF_K = 60  # Cormack, Clarke & Büttcher (2009)


class Baselines:
    """`texts` are `speaker: text`; `vectors` float32 (n, dimension), normalised."""

    def __init__(self, texts: Sequence[str], vectors: Floats) -> None:
        self._vectors = vectors
        self._lengths = np.zeros(len(texts), dtype=np.float32)
        self._postings: dict[str, list[tuple[int, int]]] = {}
        for number, text in enumerate(texts):
            words = terms(text)
            self._lengths[number] = len(words)
            for word, count in Counter(words).items():
                self._postings.setdefault(word, []).append((number, count))

    def rank(self, question: str, vector: Floats, seen: NDArray[np.bool_], limit: int) -> dict[str, NDArray[np.int64]]:
        """The best `limit` of the `seen` items by each baseline, best first."""
        dense = self._vectors @ vector
        lexical = self._bm25(question, seen)
        orders = {
            "dense": dense,
            "RRF": 1 / (_RRF_K + _ranks(dense, seen)) + (lexical > 0) / (_RRF_K + _ranks(lexical, seen)),
            "mix": _min_max(dense, seen) + _min_max(lexical, seen),
        }
        return {name: np.argsort(-np.where(seen, s, -np.inf), kind="stable")[:limit] for name, s in orders.items()}

    def scores(self, question: str, vector: Floats) -> dict[str, Floats]:
        """The scores (n,) of all items, by cosine and by BM25."""
        return {
            "dense": self._vectors @ vector,
            "BM25": self._bm25(question, np.ones(len(self._lengths), dtype=np.bool_)),
        }

    def _bm25(self, question: str, seen: NDArray[np.bool_]) -> Floats:
        scores = np.zeros(len(self._lengths), dtype=np.float32)
        count = int(seen.sum())
        mean = float(self._lengths[seen].mean()) or 1.0
        for word in dict.fromkeys(terms(question)):
            found = [(n, tf) for n, tf in self._postings.get(word, ()) if seen[n]]
            idf = log(1 + (count - len(found) + 0.5) / (len(found) + 0.5))
            for n, tf in found:
                scores[n] += idf * tf * (_K1 + 1) / (tf + _K1 * (1 - _B + _B * self._lengths[n] / mean))
        return scores


def _ranks(scores: Floats, seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[np.argsort(-np.where(seen, scores, -np.inf), kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


def _min_max(scores: Floats, seen: NDArray[np.bool_]) -> Floats:
    low, high = float(scores[seen].min()), float(scores[seen].max())
    return (scores - np.float32(low)) / np.float32(max(high - low, 1e-9))
