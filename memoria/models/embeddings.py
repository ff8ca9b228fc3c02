"""Embedding models: LangChain's `Embeddings` is the port, and `Embedder` what memoria makes of one.

What enters: a name, or any LangChain embeddings object. What leaves: unit vectors as float32 arrays, checked, with the
model's identity, which a home stores beside its vectors so that two models never mix.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from memoria.errors import EmbeddingMismatch, InvalidInput, ModelUnavailable, first_line
from memoria.models.fastembed import FastEmbed
from memoria.models.hashing import HashEmbeddings
from memoria.models.minilm import MiniLM

Vectors = NDArray[np.float32]

_REMEMBERED_QUERIES = 1024


class Embedder:
    """A model with an identity: `embed` gives unit vectors. Safe to share by threads."""

    def __init__(self, model: Embeddings, identity: str) -> None:
        self.model = model
        self.identity = identity
        self._dimension: int | None = getattr(model, "dimension", None)
        self._queries: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def dimension(self) -> int:
        """How many numbers a vector has; asked of the model once."""
        if self._dimension is None:
            self._dimension = len(self.model.embed_query("dimension"))
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of `texts`, float32 (n, dimension). Raises `EmbeddingMismatch` when the model gives others."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        whole = getattr(self.model, "embed_array", None)
        given = whole(texts) if whole is not None else self.model.embed_documents(list(texts))
        return self._checked(given, len(texts))

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of a question, float32 (dimension,); the last thousand are remembered."""
        with self._lock:
            if text in self._queries:
                self._queries.move_to_end(text)
                return self._queries[text]
        vector = self._checked([self.model.embed_query(text)], 1)[0]
        vector.flags.writeable = False  # shared by every caller
        with self._lock:
            self._queries[text] = vector
            if len(self._queries) > _REMEMBERED_QUERIES:
                self._queries.popitem(last=False)
        return vector

    def _checked(self, given: object, count: int) -> Vectors:
        try:
            vectors = np.asarray(given, dtype=np.float32)
        except (ValueError, TypeError) as error:
            raise EmbeddingMismatch(f"{self.identity} gave vectors of different lengths; check the model.") from error
        if vectors.shape != (count, self.dimension) or not np.isfinite(vectors).all():
            raise EmbeddingMismatch(
                f"{self.identity} gave vectors of shape {vectors.shape} for {count} texts of {self.dimension} finite "
                "numbers each; check the model."
            )
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


def load_embeddings(spec: str | Embeddings | None, cache_dir: Path) -> Embedder:
    """The embedding model that `spec` names.

    Args:
        spec: None or "minilm" (the offline default), "minilm-fp32", "hash" or "hash-N" (N numbers, for tests),
            "fastembed:NAME", a sentence-transformers hub name or path, or any LangChain embeddings object.
        cache_dir: where exported and fetched models lie.

    Raises:
        ModelUnavailable: a package, the weights or the network is missing.
    """
    if isinstance(spec, Embeddings):
        return Embedder(spec, _identity(spec))
    model: Embeddings
    if spec in (None, "minilm", "minilm-fp32"):
        model = MiniLM(cache_dir, "fp32" if spec == "minilm-fp32" else "int8")
        return Embedder(model, model.identity)
    assert spec is not None
    if spec == "hash" or spec.startswith("hash-"):
        number = spec.removeprefix("hash").removeprefix("-") or "384"
        if not number.isdigit():
            raise InvalidInput(f"The embedding model {spec!r} is none; write hash-N with N a number.")
        model = HashEmbeddings(int(number))
        return Embedder(model, model.identity)
    if spec.startswith("fastembed:"):
        model = FastEmbed(spec.removeprefix("fastembed:"), cache_dir)
        return Embedder(model, model.identity)
    return Embedder(_Hub(spec, cache_dir), f"hub:{spec}")


def _identity(model: Embeddings) -> str:
    """What the object calls itself, else its class: a home asks for the same one ever after."""
    for name in ("identity", "model", "model_name"):
        value = getattr(model, name, None)
        if isinstance(value, str):
            return value
    return f"{type(model).__module__}.{type(model).__qualname__}"


class _Hub(Embeddings):
    """A sentence-transformers model by hub name or path."""

    def __init__(self, name: str, cache_dir: Path) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ModelUnavailable(
                f'The embedding model {name!r} needs: pip install "memoria-lifelong[local]"'
            ) from error
        try:
            self._model = SentenceTransformer(name, device="cpu", cache_folder=str(cache_dir / "hub"))
        except (OSError, ValueError) as error:
            raise ModelUnavailable(
                f"The embedding model {name!r} cannot be loaded ({first_line(error)}); "
                "check the name or path, or go online once."
            ) from error

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of passages."""
        return self._model.encode(texts, show_progress_bar=False).tolist()

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self.embed_documents([text])[0]
