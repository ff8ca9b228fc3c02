"""Merged adapters: the sum of their parts, in a form that others serve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from random_adapters import make_lora, make_prompt
from safetensors.torch import load_file
from tiny import make_tiny

from memoria.distill.merge import Combination, merge
from memoria.errors import InvalidInput, ModelUnavailable
from memoria.models.adapter_files import CONFIG, WEIGHTS
from memoria.models.adapters import AdapterPool
from memoria.models.generation import Loaded, fresh_weights
from memoria.models.slots import quiet, twin

IDS = torch.tensor([[5, 80, 20, 33, 71, 2, 190]])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return fresh_weights(str(make_tiny(tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module")
def parts(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    return [make_lora(loaded, folder / str(seed), seed, lora_alpha=8 * (1 + seed)) for seed in range(3)]


def logits(loaded: Loaded, folder: Path) -> Any:
    with AdapterPool(loaded).use(folder) as model, torch.inference_mode():
        return model(input_ids=IDS).logits


def deltas(folder: Path) -> dict[str, Any]:
    """What an adapter adds to each weight matrix."""
    config, state = json.loads((folder / CONFIG).read_text()), load_file(folder / WEIGHTS)
    scale = config["lora_alpha"] / config["r"]
    return {
        name.removesuffix(".lora_A.weight"): scale * state[name.replace("lora_A", "lora_B")] @ state[name]
        for name in state
        if "lora_A" in name
    }


@pytest.mark.parametrize("combination", ["svd", "cat", "linear"])
def test_all_the_weight_on_one_gives_that_one(
    loaded: Loaded, parts: list[Path], combination: Combination, tmp_path: Path
) -> None:
    before = {name: each.clone() for name, each in loaded.model.state_dict().items()}
    made = merge(loaded, parts[:2], (1, 0), tmp_path / "made", combination=combination)
    assert torch.allclose(logits(loaded, made), logits(loaded, parts[0]), atol=1e-3)
    assert not torch.allclose(logits(loaded, made), logits(loaded, parts[1]), atol=1e-1)
    assert all(torch.equal(each, before[name]) for name, each in loaded.model.state_dict().items())


@pytest.mark.parametrize("combination", ["svd", "cat", "linear"])
def test_the_mean_of_equals_is_the_same(
    loaded: Loaded, parts: list[Path], combination: Combination, tmp_path: Path
) -> None:
    made = merge(loaded, [parts[1], parts[1]], (0.5, 0.5), tmp_path / "made", combination=combination)
    assert torch.allclose(logits(loaded, made), logits(loaded, parts[1]), atol=1e-3)
    one = merge(loaded, [parts[1]], [0.5], tmp_path / "one", combination=combination)
    assert all(torch.allclose(each, deltas(parts[1])[name] / 2, atol=1e-4) for name, each in deltas(one).items())


def test_a_concatenation_is_the_weighted_sum(loaded: Loaded, parts: list[Path], tmp_path: Path) -> None:
    made = merge(loaded, parts, (0.6, -0.2, 0.3), tmp_path / "made", combination="cat")
    a, b, c = (deltas(part) for part in parts)
    assert all(
        torch.allclose(each, 0.6 * a[name] - 0.2 * b[name] + 0.3 * c[name], atol=1e-4)
        for name, each in deltas(made).items()
    )
    config = json.loads((made / CONFIG).read_text())
    assert config["r"] == config["lora_alpha"] == 32  # 24, filled up to a rank that vLLM takes
    assert {each.name for each in made.iterdir()} == {CONFIG, WEIGHTS}
    assert next(iter(load_file(made / WEIGHTS))).startswith("base_model.model.")


def test_the_nearest_of_a_rank_is_what_peft_finds(loaded: Loaded, parts: list[Path], tmp_path: Path) -> None:
    made = deltas(merge(loaded, parts[:2], (0.7, 0.3), tmp_path / "made"))
    with quiet():
        model = peft.PeftModel.from_pretrained(twin(loaded.model), str(parts[0]), adapter_name="a")
        model.load_adapter(str(parts[1]), "b")
        model.add_weighted_adapter(["a", "b"], [0.7, 0.3], "c", combination_type="svd")
    state = peft.get_peft_model_state_dict(model, adapter_name="c")
    for name, each in made.items():
        theirs = state[f"{name}.lora_B.weight"] @ state[f"{name}.lora_A.weight"]
        assert torch.allclose(each, theirs, atol=1e-3)


def test_what_cannot_be_merged_is_named(loaded: Loaded, parts: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "made"
    with pytest.raises(InvalidInput, match="needs a weight; there are 3 and 2"):
        merge(loaded, parts, (1, 1), target)
    with pytest.raises(InvalidInput, match="Only LoRA"):
        merge(loaded, [make_prompt(loaded, tmp_path / "soft", 1)], [1], target)
    wide = make_lora(loaded, tmp_path / "wide", 1, r=16)
    with pytest.raises(InvalidInput, match="several ranks"):
        merge(loaded, [parts[0], wide], (1, 1), target, combination="linear")
    config = json.loads((wide / CONFIG).read_text())
    (wide / CONFIG).write_text(json.dumps(config | {"base_model_name_or_path": "another"}))
    with pytest.raises(InvalidInput, match=r'of one base_model_name_or_path.*"another"'):
        merge(loaded, [parts[0], wide], (1, 1), target)
    other = fresh_weights(str(make_tiny(tmp_path / "other", hidden=64)))
    with pytest.raises(ModelUnavailable, match="made for this base"):
        merge(other, parts[:2], (1, 1), target)
    assert not target.exists()


def test_what_is_half_written_is_no_adapter(
    loaded: Loaded, parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Any, path: Path, **__: Any) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("safetensors.torch.save_file", killed)
        merge(loaded, parts[:2], (1, 1), tmp_path / "made")
    assert not (tmp_path / "made" / WEIGHTS).exists()
    made = merge(loaded, parts[:2], (1, 1), tmp_path / "made")
    assert {each.name for each in made.iterdir()} == {CONFIG, WEIGHTS}
