"""An adapter's folder, as PEFT writes it: what kind it is, how large it will be in memory, its weights.

What enters: a folder with `adapter_config.json` and `adapter_model.safetensors`. What leaves: what a pool needs to know
before it makes room, read from the two files' heads; then the weights. Served are plain LoRA (no DoRA, no bias, nothing
else saved with it) and soft prompts, which other servers take, too.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast

from memoria.errors import InvalidInput, ModelUnavailable

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_FLOAT = 4  # bytes; what is kept in less is made fp32 when it is loaded
_KINDS: dict[Any, Literal["lora", "prompt"]] = {"LORA": "lora", "PROMPT_TUNING": "prompt"}
_PLAIN = {"bias": "none", "use_dora": False, "lora_bias": False, "modules_to_save": None, "layer_replication": None}
_LAID_OUT = ("r", "rank_pattern", "fan_in_fan_out")  # beside the tensors' names and shapes

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Head:
    """What an adapter is. Adapters of one `layout` may take each other's place by copying; `stamp` tells whether the
    files are still those that were read."""

    kind: Literal["lora", "prompt"]
    layout: str
    bytes: int
    stamp: Stamp


def stamp(folder: Path) -> Stamp:
    """What changes when the files do. Raises `ModelUnavailable` when one is gone."""
    try:
        found = [(folder / name).stat() for name in (CONFIG, WEIGHTS)]
    except OSError as error:
        raise ModelUnavailable(
            f"There is no adapter in {folder} ({Path(str(error.filename)).name} is missing); name the folder that "
            "holds it, as PEFT saved it."
        ) from error
    return tuple((each.st_ino, each.st_size, each.st_mtime_ns) for each in found)


def head(folder: Path) -> Head:
    """What the adapter in `folder` is.

    Raises:
        ModelUnavailable: it is missing or damaged.
        InvalidInput: it is of a kind that is not served.
    """
    seen = stamp(folder)
    try:
        config: Any = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        shapes = _shapes(folder / WEIGHTS)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:  # no JSON, or of another form
        raise ModelUnavailable(f"The adapter in {folder} is damaged ({error}); make it again.") from error
    values = cast(dict[str, Any], config) if isinstance(config, dict) else {}
    kind = _KINDS.get(str(values.get("peft_type")))
    if kind is None:
        raise InvalidInput(f"{folder} holds no LoRA and no soft prompt; only those are served.")
    odd = [name for name, plain in _PLAIN.items() if values.get(name, plain) not in (plain, [])]
    if odd:
        raise InvalidInput(f"The adapter in {folder} has {', '.join(odd)}; only plain LoRA is served.")
    named = json.dumps([[values.get(name) for name in _LAID_OUT], sorted(shapes.items())], sort_keys=True)
    size = sum(math.prod(shape) for shape in shapes.values()) * _FLOAT
    return Head(kind, hashlib.sha256(named.encode()).hexdigest(), size, seen)


def weights(folder: Path, device: Any) -> dict[str, Any]:
    """Its tensors by name, of a file whose `head` was read. Raises `ModelUnavailable` when it is damaged."""
    safetensors: Any = import_module("safetensors.torch")
    try:
        # Not by load_file: safetensors 0.8.0 leaks some sixty bytes for each tensor that it reads from a file.
        read = safetensors.load((folder / WEIGHTS).read_bytes())
    except Exception as error:  # safetensors raises an error of its own
        raise ModelUnavailable(f"The adapter in {folder} is damaged ({error}); make it again.") from error
    return {name: each.to(device) for name, each in read.items()}


def scale_of(config: dict[str, Any]) -> float:
    """By how much the products of a plain LoRA's factors count, by its config. Raises `ValueError` where it is none, or
    they count by several measures."""
    odd = [name for name in ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern") if config.get(name)]
    if odd or config.get("peft_type") != "LORA":
        raise ValueError(f"it is no plain LoRA{f', it has {odd[0]}' if odd else ''}")
    return float(config["lora_alpha"]) / int(config["r"])


def _shapes(path: Path) -> dict[str, list[int]]:
    """The tensors' shapes: the head of a safetensors file, its length before it, the tensors behind it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        listed: Any = json.loads(file.read(min(length, size)))
    tensors = {name: each for name, each in listed.items() if name != "__metadata__"}
    if size != 8 + length + max((each["data_offsets"][1] for each in tensors.values()), default=0):
        raise ValueError(f"{path.name} is not whole")
    return {name: each["shape"] for name, each in tensors.items()}
