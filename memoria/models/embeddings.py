"""One face for every embedding model: checked unit vectors, and a name to keep beside them.

What enters: any LangChain `Embeddings`, or a name for one. What leaves: an `Embedder`, whose vectors are float32,
of one length and of unit norm, so that a dot product is a cosine everywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from memoria.errors import EmbeddingMismatch, InvalidInput
from memoria.models.fastembed import FastEmbed
from memoria.models.hashing import HashEmbeddings
from memoria.models.hub import SentenceModel
from memoria.models.minilm import MiniLM

_CACHED_QUERIES = 1024
_PROBE = "memoria"


@runtime_checkable
class _ArrayEmbeddings(Protocol):
    """Models that can skip Python lists."""

    def embed_array(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class Embedder:
    """An embedding model as memoria uses it. Safe to share between threads when the model is.

    Args:
        model: any LangChain embeddings.

    Attributes:
        identity: the name under which its vectors are kept; vectors of two identities are never compared.
    """

    def __init__(self, model: Embeddings) -> None:
        self.identity = _identity(model)
        self._model = model
        self._dimension = _declared_dimension(model)
        self._cached_query = lru_cache(_CACHED_QUERIES)(self._query)

    @property
    def dimension(self) -> int:
        """Components of a vector; a model that does not declare it is asked once, with a short text."""
        if self._dimension is None:
            self._checked([self._model.embed_query(_PROBE)], 1)
        assert self._dimension is not None  # `_checked` notes it
        return self._dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of `texts` in their order, shape (n, dimension); a zero vector stays zero.

        Raises:
            EmbeddingMismatch: the model gave another number of vectors, unequal or changed lengths, or values
                that are not finite.
        """
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        if isinstance(self._model, _ArrayEmbeddings):
            return self._checked(self._model.embed_array(texts), len(texts))
        return self._checked(self._model.embed_documents(list(texts)), len(texts))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a question, shape (dimension,), read-only; the last 1,024 questions are kept.

        Raises:
            EmbeddingMismatch: as for `embed`.
        """
        return self._cached_query(text)

    def _query(self, text: str) -> NDArray[np.float32]:
        vector = self._checked([self._model.embed_query(text)], 1)[0]
        vector.setflags(write=False)
        return vector

    def _checked(self, raw: Any, count: int) -> NDArray[np.float32]:
        try:
            vectors = np.array(raw, np.float64)  # a copy, wide enough that a norm cannot overflow
        except (TypeError, ValueError) as error:
            raise self._mismatch("vectors of unequal length or values that are not numbers") from error
        if vectors.ndim != 2 or len(vectors) != count or not vectors.shape[1]:
            raise self._mismatch(f"an array of shape {vectors.shape} for {count} texts")
        if not np.isfinite(vectors).all():
            raise self._mismatch("values that are not finite")
        if self._dimension is None:
            self._dimension = vectors.shape[1]
        if vectors.shape[1] != self._dimension:
            raise self._mismatch(f"{vectors.shape[1]} components where it has {self._dimension}")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors.astype(np.float32)

    def _mismatch(self, what: str) -> EmbeddingMismatch:
        return EmbeddingMismatch(f"The embedding model {self.identity} gave {what}; check it or use another one.")


def _identity(model: Embeddings) -> str:
    for attribute in ("identity", "model", "model_name"):
        name = getattr(model, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(model).__qualname__


def _declared_dimension(model: Embeddings) -> int | None:
    declared = getattr(model, "dimension", None)
    return declared if isinstance(declared, int) else None


def load_embeddings(spec: str | Embeddings | None, cache_dir: Path) -> Embedder:
    """The embedding model that `spec` names.

    Args:
        spec: None or "minilm" (the offline default), "minilm-fp32", "hash" or "hash-N" (tests), "fastembed:NAME",
            any other name or folder for sentence-transformers, or a LangChain embeddings object.
        cache_dir: where model files may be kept.

    Raises:
        InvalidInput: `spec` is none of these.
        ModelUnavailable: the model's package or files are missing (the default finds out at its first text).
    """
    if spec is None:
        spec = "minilm"
    if not isinstance(spec, str):
        return Embedder(spec)
    return Embedder(_named(spec, cache_dir))


def _named(spec: str, cache_dir: Path) -> Embeddings:
    kind, _, size = spec.partition("-")
    if spec == "minilm":
        return MiniLM(cache_dir)
    if spec == "minilm-fp32":
        return MiniLM(cache_dir, "fp32")
    if spec == "hash":
        return HashEmbeddings()
    if kind == "hash" and size.isdecimal():
        return HashEmbeddings(int(size))
    if spec.startswith("fastembed:"):
        return FastEmbed(spec.removeprefix("fastembed:"), cache_dir)
    if not spec.strip():
        raise InvalidInput('The embeddings\' name is empty; give one, or None for the offline "minilm".')
    return SentenceModel(spec)
