"""Qdrant's fastembed library as a LangChain `Embeddings`.

What enters: the name of one of its models, and texts. What leaves: vectors. The library is an extra of the user's own.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from memoria.errors import ModelUnavailable


class FastEmbed(Embeddings):
    """The fastembed model `name`. Raises `ModelUnavailable` when it, or the library, cannot be had."""

    def __init__(self, name: str, cache_dir: Path) -> None:
        try:
            fastembed: Any = import_module("fastembed")
        except ImportError as error:
            raise ModelUnavailable(f"Embeddings by fastembed:{name} need: pip install fastembed") from error
        self.identity = f"fastembed:{name}"
        try:
            self._model: Any = fastembed.TextEmbedding(name, cache_dir=str(cache_dir))
        except (ValueError, OSError) as error:
            raise ModelUnavailable(
                f"fastembed cannot load {name!r} ({error}); check the name, or go online once."
            ) from error

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of passages."""
        return [vector.tolist() for vector in self._model.passage_embed(texts)]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return next(iter(self._model.query_embed(text))).tolist()
