"""sentence-transformers models as LangChain embeddings.

What enters: a name on the Hugging Face hub or a folder. What leaves: vectors as that model makes them, each side with
its own prompt where the model has prompts for questions and documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from memoria.errors import ModelUnavailable


class SentenceModel(Embeddings):
    """A sentence-transformers model, loaded at once.

    Args:
        name: a hub name ("intfloat/e5-small-v2") or a folder that holds a saved model.

    Raises:
        ModelUnavailable: sentence-transformers is missing, or it cannot load `name`.
    """

    def __init__(self, name: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ModelUnavailable(f"{name} needs sentence-transformers: pip install sentence-transformers") from error
        self.identity = name
        try:
            self._model: Any = SentenceTransformer(name)
        except Exception as error:  # of its own, of the hub's client, of the network and of torch
            reason = str(error).strip().partition("\n")[0]
            raise ModelUnavailable(
                f"sentence-transformers cannot load {name} ({reason}); check the name and, when offline, give a "
                'folder that holds the model, or "minilm", which needs no network.'
            ) from error

    def embed_array(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of `texts`, shape (n, dimension)."""
        return self._model.encode_document(list(texts), show_progress_bar=False)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of `texts` as lists."""
        return self.embed_array(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        """The vector of `text` as a question."""
        return self._model.encode_query(text, show_progress_bar=False).tolist()
