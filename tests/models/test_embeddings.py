"""Embedding models: what is loaded, what is refused, what is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from memoria import HashEmbeddings, InvalidInput, load_embeddings
from memoria.errors import EmbeddingMismatch, ModelUnavailable
from memoria.models.embeddings import Embedder


class Scripted(Embeddings):
    """Gives what it is told to."""

    def __init__(self, answer: object) -> None:
        self.answer, self.asked = answer, 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.answer  # type: ignore[return-value]

    def embed_query(self, text: str) -> list[float]:
        self.asked += 1
        return self.answer[0]  # type: ignore[index, no-any-return]


def test_hashing_is_deterministic_and_normalised() -> None:
    vectors = HashEmbeddings(64).embed_array(["the sea", "the sea", "mountains", ""])
    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0], atol=1e-6)
    assert vectors[0] @ vectors[2] < 0.5
    assert HashEmbeddings(64).embed_query("the sea") == vectors[0].tolist()
    with pytest.raises(InvalidInput, match="at least 1"):
        HashEmbeddings(0)


def test_any_langchain_embeddings_serve() -> None:
    embedder = load_embeddings(Scripted([[3.0, 4.0]]), Path())
    assert embedder.dimension == 2
    np.testing.assert_allclose(embedder.embed(["x"]), [[0.6, 0.8]])
    assert embedder.identity.endswith("Scripted")
    assert embedder.embed([]).shape == (0, 2)


def test_questions_are_remembered() -> None:
    model = Scripted([[1.0, 0.0]])
    embedder = Embedder(model, "scripted")
    for _ in range(3):
        embedder.embed_query("what?")
    assert model.asked == 2  # one for the dimension


@pytest.mark.parametrize("answer", [[[1.0, 2.0, 3.0]], [[float("nan"), 1.0]], [[1.0, 2.0]] * 2, [[1.0], [1.0, 2.0]]])
def test_wrong_vectors_are_refused(answer: Sequence[Sequence[float]]) -> None:
    model = Scripted(answer)
    model.dimension = 2  # type: ignore[attr-defined]
    with pytest.raises(EmbeddingMismatch, match="check the model"):
        Embedder(model, "scripted").embed(["x"])


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        ("hash-x", InvalidInput, "hash-N"),
        ("fastembed:BAAI/bge-small-en", ModelUnavailable, "pip install fastembed"),
    ],
)
def test_unknown_models_name_the_next_step(tmp_path: Path, spec: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        load_embeddings(spec, tmp_path)


def test_hash_models_by_name(tmp_path: Path) -> None:
    assert load_embeddings("hash-8", tmp_path).dimension == 8
    assert load_embeddings("hash", tmp_path).identity == "hash-384"
