"""Adapters that nobody trained: random weights, large enough to change what a model says.

What enters: a base and a folder. What leaves: the folder with a LoRA or a soft prompt in it, as PEFT writes it; the
same for the same seed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memoria.models.generation import Loaded
from memoria.models.slots import quiet, twin


def make_lora(loaded: Loaded, folder: Path, seed: int, *, size: float = 0.3, **config: Any) -> Path:
    """Write a random LoRA for the base into `folder`; `config` replaces r=8 on all linear layers."""
    import peft

    values = {"r": 8, "lora_alpha": 16, "target_modules": "all-linear", "task_type": "CAUSAL_LM"} | config
    with quiet():
        model = peft.get_peft_model(twin(loaded.model), peft.LoraConfig(**values))
    return _randomly(model, folder, seed, size)


def make_prompt(loaded: Loaded, folder: Path, seed: int, *, tokens: int = 5, size: float = 1.0) -> Path:
    """Write a random soft prompt for the base into `folder`."""
    import peft

    config = peft.PromptTuningConfig(num_virtual_tokens=tokens, task_type="CAUSAL_LM")
    with quiet():
        model = peft.get_peft_model(twin(loaded.model), config)
    return _randomly(model, folder, seed, size)


def _randomly(model: Any, folder: Path, seed: int, size: float) -> Path:
    import torch

    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in model.parameters():
            if each.requires_grad:
                each.copy_(torch.randn(each.shape, generator=chance) * size)
    with quiet():
        model.save_pretrained(folder)
    return folder
