"""How well items answer a query: by meaning and by words, exactly, over the items below one namespace alone.

What enters: a shelf, the query's vector and its terms. What leaves: a score for each item between 0 and 1:

    MEANING * cosine + WORDS * coverage

The cosine is that of the item's best piece (less than 0 counts as 0). The coverage is the share of the query's words,
weighed by how rare they are among these items (BM25's IDF), that the item holds, each the more the oftener it stands
there and the less the longer the item is: BM25's own saturation (k1 1.2, b 0.75), as it compares with that of a word
which stands once in an item of average length, and at most 1. Other namespaces' items are neither read nor counted.

Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memoria.store.item_shelf import ItemShelf
from memoria.store.item_writes import hashed

Floats = NDArray[np.float32]

MEANING, WORDS = 0.5, 0.5
_K1, _B = 1.2, 0.75


def ranked(shelf: ItemShelf, vector: Floats, words: Sequence[str]) -> tuple[NDArray[np.intp], Floats]:
    """The places of all items, the best first, and the scores (n,) by place: NaN, and last, where nothing of an item is
    searched. Of equal ones the first put comes first."""
    scores = MEANING * _cosines(shelf, vector) + WORDS * _coverage(shelf, words)
    searched = np.zeros(len(shelf), dtype=np.bool_)
    searched[shelf.places] = True
    scores = np.where(searched, scores, np.float32(np.nan)).astype(np.float32)
    return np.argsort(-scores, kind="stable"), scores  # NaN sorts last


def _cosines(shelf: ItemShelf, vector: Floats) -> Floats:
    best = np.zeros(len(shelf), dtype=np.float32)
    if len(shelf.vectors):
        np.maximum.at(best, shelf.places, np.minimum(shelf.vectors @ vector, np.float32(1)))
    return best


def _coverage(shelf: ItemShelf, words: Sequence[str]) -> Floats:
    n, asked = len(shelf), np.unique(hashed(words))
    found = np.zeros(n, dtype=np.float32)
    mean = max(float(shelf.lengths.mean()), 1.0) if n else 1.0
    saturation = _K1 * (1 - _B + _B * shelf.lengths / mean)
    total = 0.0
    for word in asked:
        counts = np.bincount(shelf.word_places[shelf.words == word], minlength=n).astype(np.float32)
        holding = int((counts > 0).sum())
        idf = float(np.log1p((n - holding + 0.5) / (holding + 0.5)))
        total += idf
        once = np.float32(1 / (1 + _K1))
        found += np.float32(idf) * np.minimum(counts / (counts + saturation) / once, np.float32(1))
    return found / np.float32(total or 1.0)
