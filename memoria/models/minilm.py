"""The offline default: all-MiniLM-L6-v2 from a wheel, run by ONNX Runtime on one thread.

What enters: texts; words beyond the 256th token are not read. What leaves: unit vectors of 384 components. It exists
so that memoria works without a network, a key or torch. Texts run one at a time: int8 scales its activations over
all that runs together, so in a batch the same text would get another vector (cosine down to .94) from its neighbours,
and batches would win only a few per cent on one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from memoria.errors import ModelUnavailable
from memoria.models.export import INSTALL, WEIGHTS_SHA256, Precision, exported_model

_MAX_TOKENS = 256  # what the model was published with


class MiniLM(Embeddings):
    """all-MiniLM-L6-v2; nothing is loaded before the first text. Safe to share between threads.

    Args:
        cache_dir: folder that keeps the exported model (23 MB as int8, 90 MB as fp32).
        precision: "int8" runs about 2.5 times as fast as "fp32", which agrees with sentence-transformers.

    Every embedding raises `ModelUnavailable` when the `local` extra is not installed or its weights are damaged.
    """

    dimension = 384

    def __init__(self, cache_dir: Path, precision: Precision = "int8") -> None:
        self.identity = f"all-MiniLM-L6-v2:{WEIGHTS_SHA256[:8]}:{precision}"
        self._cache_dir = cache_dir
        self._precision: Precision = precision
        self._loaded: tuple[Any, Any] | None = None
        self._loading = Lock()

    def embed_array(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of `texts`, shape (n, 384)."""
        tokenizer, session = self._load()
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            ids = np.array(tokenizer.encode(text).ids, np.int64)
            row[:] = session.run(["vector"], {"ids": ids})[0]
        return vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors of `texts` as lists."""
        return self.embed_array(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of `text`; the same as it has as a document."""
        return self.embed_array([text])[0].tolist()

    def _load(self) -> tuple[Any, Any]:
        with self._loading:
            if self._loaded is None:
                self._loaded = _open(exported_model(self._cache_dir, self._precision))
            return self._loaded


def _open(folder: Path) -> tuple[Any, Any]:
    """The tokenizer and the ONNX Runtime session of an exported model."""
    try:
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ModelUnavailable(f"The offline embedding model needs {error.name}: {INSTALL}") from error
    options = SessionOptions()
    options.intra_op_num_threads = 1  # more threads cost more than they give on texts of this size
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        session = InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    except Exception as error:  # both libraries raise bare exceptions of their own
        raise ModelUnavailable(
            f"The exported model in {folder} is damaged ({error}); delete that folder and run again."
        ) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)
    return tokenizer, session
