"""Embeddings without weights: words and letter triples hashed into a fixed number of signed buckets.

What enters: texts. What leaves: unit vectors, the same on every machine and in every year. They exist for tests and
for trying memoria out; they know spelling, not meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from memoria.errors import InvalidInput

_WORD = re.compile(r"\w+")


def _features(text: str) -> Iterator[tuple[str, float]]:
    """Words count once; their letter triples (with edges marked) a little, so that inflected forms stay close."""
    for word in _WORD.findall(text.casefold()):
        yield word, 1.0
        edged = f"<{word}>"
        for start in range(len(edged) - 2):
            yield f"#{edged[start : start + 3]}", 0.3


class HashEmbeddings(Embeddings):
    """Deterministic signed feature hashing; a text without words gives the zero vector.

    Args:
        dimension: components of a vector, at least 1.

    Raises:
        InvalidInput: `dimension` is below 1.
    """

    def __init__(self, dimension: int = 384) -> None:
        if dimension < 1:
            raise InvalidInput(f"HashEmbeddings cannot have {dimension} dimensions; give at least 1.")
        self.dimension = dimension
        self.identity = f"hash-{dimension}"

    def embed_array(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of `texts`, shape (n, dimension)."""
        vectors = np.zeros((len(texts), self.dimension), np.float64)
        for row, text in zip(vectors, texts, strict=True):
            weights: Counter[str] = Counter()
            for feature, weight in _features(text):
                weights[feature] += weight  # pyright: ignore[reportArgumentType]  # a Counter sums floats too
            for feature, weight in weights.items():
                hashed = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "little")
                row[(hashed >> 1) % self.dimension] += weight if hashed & 1 else -weight
            row /= np.linalg.norm(row) or 1.0
        return vectors.astype(np.float32)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors of `texts` as lists."""
        return self.embed_array(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of `text`; the same as it has as a document."""
        return self.embed_array([text])[0].tolist()
