"""Qdrant's fastembed library as LangChain embeddings.

What enters: a model name of fastembed's list. What leaves: vectors as that library makes them. fastembed fetches a
model's files when it first meets its name; memoria itself fetches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from memoria.errors import ModelUnavailable


class FastEmbed(Embeddings):
    """A model of fastembed's list, loaded at once.

    Args:
        name: for example "BAAI/bge-small-en-v1.5".
        cache_dir: fastembed keeps its files in `cache_dir/fastembed`.

    Raises:
        ModelUnavailable: fastembed is missing, does not know `name`, or cannot fetch it.
    """

    def __init__(self, name: str, cache_dir: Path) -> None:
        try:
            from fastembed import TextEmbedding  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
        except ImportError as error:
            raise ModelUnavailable(f"fastembed:{name} needs fastembed: pip install fastembed") from error
        self.identity = f"fastembed:{name}"
        try:
            self._model: Any = TextEmbedding(model_name=name, cache_dir=str(cache_dir / "fastembed"))
        except Exception as error:  # of its own, of the hub's client and of the network
            raise ModelUnavailable(
                f"fastembed cannot load {name} ({error}); check the name, and be online the first time."
            ) from error

    def embed_array(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of `texts`, shape (n, dimension)."""
        return np.array(list(self._model.passage_embed(list(texts))), np.float32)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of `texts` as lists."""
        return self.embed_array(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        """The vector of `text` as a question."""
        return next(iter(self._model.query_embed(text))).tolist()
