"""Merging LoRA adapters into one: several aims, or several people's pieces, each with its weight.

What enters: folders of adapters for one base, and their weights. What leaves: a folder with a plain LoRA of a rank that
vLLM takes, made on a twin of the base; the base and the parts stay as they are.

Rewarded soups: Ramé et al. (2023); personalized soups: Jang et al. (2023). PEFT's `add_weighted_adapter` does the sums.
Its "linear" would double two equal adapters, since it shares a weight out to both factors and adds up each by itself;
here a factor gets the whole weight. Its "svd" takes apart every weight matrix as a whole; the same comes out of its
"cat" in the small space that the factors span.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from memoria.errors import InvalidInput, ModelUnavailable, first_line
from memoria.models.adapter_files import CONFIG, WEIGHTS, head
from memoria.models.generation import Loaded
from memoria.models.slots import quiet, require_peft, twin

Combination = Literal["svd", "cat", "linear"]
Numbers = NDArray[np.float64]

_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # vLLM's, from 8 on
_MERGED = "merged"


def merge(
    loaded: Loaded,
    parts: Sequence[Path],
    weights: Sequence[float],
    target: Path,
    *,
    combination: Combination = "svd",
    rank: int | None = None,
) -> Path:
    """Write the `weights`-weighted sum of the LoRA adapters `parts` of `loaded` into the folder `target`.

    Args:
        combination: "cat" is the sum itself, its rank the sum of theirs; "svd" the nearest to it of rank `rank` (None:
            the largest of theirs); "linear" sums the factors each by itself: rough, but small and quick.

    Raises:
        InvalidInput: they cannot be merged.
        ModelUnavailable: PEFT, or a part, is missing or damaged.
    """
    configs = _checked(parts, weights)
    if combination == "linear" and len(parts) > 1:
        if len({each["r"] for each in configs}) > 1:
            raise InvalidInput("Adapters of several ranks have no linear merge; take svd or cat.")
        config, state = _merged(loaded, parts, [each * abs(each) for each in weights], "linear")
    else:
        config, state = _merged(loaded, parts, weights, "cat")
    pairs = {name: (state[f"{name}.lora_A.weight"], state[f"{name}.lora_B.weight"]) for name in _modules(state)}
    if combination == "svd":
        wanted = rank or max(each["r"] for each in configs)
        pairs = {name: _nearest(down, up, wanted) for name, (down, up) in pairs.items()}
    _write(config, pairs, target)
    return target


def _checked(parts: Sequence[Path], weights: Sequence[float]) -> list[dict[str, Any]]:
    """The parts' configs."""
    if not parts or len(parts) != len(weights):
        raise InvalidInput(f"Each adapter needs a weight; there are {len(parts)} and {len(weights)}.")
    if any(head(part).kind != "lora" for part in parts):
        raise InvalidInput("Only LoRA adapters can be merged.")
    configs: list[dict[str, Any]] = [json.loads((part / CONFIG).read_text(encoding="utf-8")) for part in parts]
    for name in ("base_model_name_or_path", "layers_to_transform"):
        found = {json.dumps(each.get(name)) for each in configs}
        if len(found) > 1:
            raise InvalidInput(f"Adapters of one {name} can be merged; these have {', '.join(sorted(found))}.")
    return configs


def _merged(loaded: Loaded, parts: Sequence[Path], weights: Sequence[float], how: str) -> tuple[Any, dict[str, Any]]:
    """PEFT's config and tensors of the sum."""
    peft = require_peft()
    names = [f"part{number}" for number in range(len(parts))]
    try:
        with quiet():
            model = peft.PeftModel.from_pretrained(twin(loaded.model), str(parts[0]), adapter_name=names[0])
            for name, part in zip(names[1:], parts[1:], strict=True):
                model.load_adapter(str(part), name)
            model.add_weighted_adapter(names, list(weights), _MERGED, combination_type=how)
            return model.peft_config[_MERGED], peft.get_peft_model_state_dict(model, adapter_name=_MERGED)
    except Exception as error:  # PEFT, torch and safetensors each raise errors of their own
        raise ModelUnavailable(
            f"The adapters cannot be merged ({first_line(error)}); are all of them made for this base?"
        ) from error


def _modules(state: dict[str, Any]) -> list[str]:
    return [name.removesuffix(".lora_A.weight") for name in state if name.endswith(".lora_A.weight")]


def nearest(left: Numbers, right: Numbers, rank: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The factors (out, rank) and (rank, in) of the matrix of that rank which is nearest to `left` @ `right`."""
    q_left, r_left = np.linalg.qr(left)
    q_right, r_right = np.linalg.qr(right.T)
    u, s, v = np.linalg.svd(r_left @ r_right.T, full_matrices=False)
    root = np.sqrt(s[:rank])
    up, down = q_left @ (u[:, :rank] * root), (root[:, None] * v[:rank]) @ q_right.T
    missing = max(0, rank - len(root))  # of few and thin ones: rows of nothing
    up, down = np.pad(up, ((0, 0), (0, missing))), np.pad(down, ((0, missing), (0, 0)))
    return up.astype(np.float32), down.astype(np.float32)


def _nearest(down: Any, up: Any, rank: int) -> tuple[Any, Any]:
    """`nearest` of torch's tensors."""
    from_numpy: Any = import_module("torch").from_numpy
    found = nearest(up.detach().double().numpy(), down.detach().double().numpy(), rank)
    return from_numpy(found[1]), from_numpy(found[0])


def _write(config: Any, pairs: dict[str, tuple[Any, Any]], target: Path) -> None:
    """Write the factors, filled up with nothing to a rank that servers take."""
    largest = max(len(down) for down, _ in pairs.values())
    rank = next((each for each in _RANKS if each >= largest), 0)
    if not rank:
        raise InvalidInput(f"The merged adapter would have rank {largest}, servers take {_RANKS[-1]}; take svd.")
    pad: Any = import_module("torch").nn.functional.pad
    state: dict[str, Any] = {}
    for name, (down, up) in pairs.items():
        more = rank - len(down)
        state[f"{name}.lora_A.weight"] = pad(down, (0, 0, 0, more)).contiguous()
        state[f"{name}.lora_B.weight"] = pad(up, (0, more)).contiguous()
    config.r = config.lora_alpha = rank  # the weights are in the factors: a scale of one
    config.rank_pattern, config.alpha_pattern, config.use_rslora, config.inference_mode = {}, {}, False, True
    target.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(str(target))
    half = target / f"{WEIGHTS}.part"  # whoever finds the weights there finds them whole
    import_module("safetensors.torch").save_file(state, half, metadata={"format": "pt"})
    half.replace(target / WEIGHTS)
