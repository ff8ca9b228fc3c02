"""A model with an adapter: made to be trained, or read from a folder.

What enters: a model of the caller's own (PEFT changes it in place), a recipe or a folder. What leaves: PEFT's model.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from memoria.distill.recipes import Recipe
from memoria.errors import InvalidInput, ModelUnavailable, first_line
from memoria.models.adapter_files import CONFIG, scale_of, weights
from memoria.models.generation import Loaded
from memoria.models.slots import quiet, require_peft


def begun(loaded: Loaded, recipe: Recipe, base: str, start: Path | None = None) -> Any:
    """An adapter by the recipe on `loaded.model`, ready to be trained: fresh, or as the one in the folder `start` is.
    `base` is the name that servers know the model by. Raises `ModelUnavailable` where PEFT is missing, `InvalidInput`
    where `start` has another form than the recipe."""
    peft = require_peft()
    common = {"task_type": "CAUSAL_LM"}
    if recipe.kind == "lora":
        config = peft.LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            lora_dropout=recipe.dropout,
            target_modules=_linear_of(loaded.model, recipe.layers),
            bias="none",
            **common,
        )
    elif recipe.kind == "prompt":
        config = peft.PromptTuningConfig(num_virtual_tokens=recipe.virtual_tokens, **common)
    else:
        config = peft.PrefixTuningConfig(num_virtual_tokens=recipe.virtual_tokens, **common)
    with quiet():
        model = peft.get_peft_model(loaded.model, config)
    model.peft_config["default"].base_model_name_or_path = base
    if start is not None:
        _take(model, start)
    return model.train()


def _take(model: Any, start: Path) -> None:
    """Have the model's adapter do what the one in `start` does."""
    mine = model.peft_config["default"]
    try:
        begin = weights(start, model.device)
        config: dict[str, Any] = json.loads((start / CONFIG).read_text(encoding="utf-8"))
        own = require_peft().get_peft_model_state_dict(model, save_embedding_layers=False)
        if {name: each.shape for name, each in begin.items()} != {name: each.shape for name, each in own.items()}:
            raise ValueError("it has another rank or other layers than the recipe")
        if config.get("base_model_name_or_path") != mine.base_model_name_or_path:
            raise ValueError(
                f"it was made for {config.get('base_model_name_or_path')}, not for {mine.base_model_name_or_path}"
            )
        if mine.peft_type == "LORA":  # it may count by another measure
            factor = scale_of(config) / (mine.lora_alpha / mine.r)
            begin = {name: each * factor if ".lora_B." in name else each for name, each in begin.items()}
    except (OSError, LookupError, ValueError, AttributeError, ModelUnavailable) as error:
        raise InvalidInput(f"Training cannot begin from {start}: {error}; name an adapter of that recipe.") from error
    require_peft().set_peft_model_state_dict(model, begin)


def tuned(loaded: Loaded, folder: Path) -> Any:
    """The adapter of `folder` on `loaded.model`. Raises `ModelUnavailable` where it cannot be read."""
    peft = require_peft()
    try:
        with quiet():
            return peft.PeftModel.from_pretrained(loaded.model, str(folder)).eval()
    except Exception as error:  # PEFT and safetensors each raise errors of their own
        raise ModelUnavailable(f"No adapter can be read from {folder} ({first_line(error)}).") from error


def save(model: Any, folder: Path) -> None:
    """Write the adapter into `folder`: its config and its weights, nothing else."""
    model.save_pretrained(folder, save_embedding_layers=False)  # else it looks for the base on the hub
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card


def _linear_of(model: Any, layers: int | None) -> list[str]:
    """The names of the linear layers within the upper `layers` (None: all), as suffixes that PEFT and vLLM know where
    all are meant."""
    torch: Any = import_module("torch")
    head = model.get_output_embeddings()
    found = [name for name, each in model.named_modules() if isinstance(each, torch.nn.Linear) and each is not head]
    if layers is None:
        return sorted({name.rpartition(".")[2] for name in found})
    count = int(model.config.num_hidden_layers)
    upper = {str(number) for number in range(max(0, count - layers), count)}
    return [name for name in found if upper & set(name.split("."))]
