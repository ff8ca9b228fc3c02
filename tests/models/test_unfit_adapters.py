"""What cannot be served: of another base, of another kind, damaged; it is named, and the pool goes on without it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from random_adapters import make_lora, make_prompt
from safetensors.torch import load_file, save_file
from tiny import make_tiny
from transformers import AutoConfig, AutoModelForCausalLM

from memoria.errors import InvalidInput, ModelUnavailable
from memoria.models.adapter_files import CONFIG, WEIGHTS
from memoria.models.adapters import AdapterPool
from memoria.models.generation import Loaded, Sampling, fresh_weights

GREEDY = Sampling(24, 0.0, 1.0, 1.1, 0, 1)


def said(text: str) -> list[tuple[str, str]]:
    return [("user", text)]


def test_what_cannot_be_served_is_named(loaded: Loaded, loras: list[Path], tmp_path: Path) -> None:
    other = fresh_weights(str(make_tiny(tmp_path / "other", hidden=64)))
    pool = AdapterPool(loaded, slots=1)
    wanted = pool.generate([(said("Hi"), loras[0])], GREEDY)
    foreign = make_lora(other, tmp_path / "foreign", 1)
    with pytest.raises(ModelUnavailable, match="cannot be put on this base"):
        pool.generate([(said("Hi"), foreign)], GREEDY)
    halved = tmp_path / "halved"
    shutil.copytree(loras[0], halved)
    kept = {name: each for name, each in load_file(halved / WEIGHTS).items() if ".layers.0." in name}
    save_file(kept, halved / WEIGHTS)
    with pytest.raises(ModelUnavailable, match="missing adapter keys"):
        pool.generate([(said("Hi"), halved)], GREEDY)
    (halved / WEIGHTS).write_bytes((loras[0] / WEIGHTS).read_bytes()[:-100])
    with pytest.raises(ModelUnavailable, match="is not whole"):
        pool.generate([(said("Hi"), halved)], GREEDY)
    dora = make_lora(loaded, tmp_path / "dora", 1, use_dora=True)
    with pytest.raises(InvalidInput, match="use_dora; only plain LoRA"):
        pool.generate([(said("Hi"), dora)], GREEDY)
    with pytest.raises(InvalidInput, match="needs a slot"):
        AdapterPool(loaded, slots=0)
    assert pool.generate([(said("Hi"), loras[0])], GREEDY) == wanted


def test_an_adapter_of_a_larger_base_is_refused_and_not_cut(loaded: Loaded, tmp_path: Path) -> None:
    config = AutoConfig.from_pretrained(make_tiny(tmp_path / "tiny"))
    config.num_hidden_layers, config.layer_types = 4, None
    deeper = make_lora(replace(loaded, model=AutoModelForCausalLM.from_config(config)), tmp_path / "deeper", 1)
    with pytest.raises(ModelUnavailable, match=r"layers\.2.*which the base has not.*made for another"):
        AdapterPool(loaded).generate([(said("Hi"), deeper)], GREEDY)


def test_a_soft_prompt_of_another_base_is_named(loaded: Loaded, tmp_path: Path) -> None:
    wider = fresh_weights(str(make_tiny(tmp_path / "wider", hidden=64)))
    soft = make_prompt(wider, tmp_path / "soft", 1)
    with pytest.raises(ModelUnavailable, match=r"soft prompt in .* cannot be put on this base"):
        AdapterPool(loaded).generate([(said("Hi"), soft)], GREEDY)


def test_one_that_fails_to_take_anothers_place_leaves_the_slot_empty(
    loaded: Loaded, loras: list[Path], tmp_path: Path
) -> None:
    pool = AdapterPool(loaded, slots=1)
    wanted = pool.generate([(said("Hi"), loras[0])], GREEDY)
    with pool.use(loras[0]) as model:
        held = [each for name, each in model.named_parameters() if "lora_" in name]
    for name, old, new in ((WEIGHTS, b'"F32"', b'"Q32"'), (CONFIG, b'"CAUSAL_LM"', b'"NO_SUCH_TASK"')):
        damaged = tmp_path / name
        shutil.copytree(loras[1], damaged)
        (damaged / name).write_bytes((damaged / name).read_bytes().replace(old, new))
        with pytest.raises(ModelUnavailable, match=str(damaged)):
            pool.generate([(said("Hi"), damaged)], GREEDY)
        assert all(each.abs().sum() == 0 for each in held)
        assert pool.generate([(said("Hi"), loras[0])], GREEDY) == wanted


def test_files_cut_short_under_a_pool_are_damage_and_not_its_end(
    loaded: Loaded, loras: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(loras[0], folder)
    pool = AdapterPool(loaded)
    pool.generate([(said("Hi"), folder)], GREEDY)
    assert str(folder) not in Path("/proc/self/maps").read_text()  # what is mapped and cut short kills the process
    for content in (b"", (2).to_bytes(8, "little") + b"[]", (8).to_bytes(8, "little") + b'{"a": 1}'):
        (folder / WEIGHTS).write_bytes(content)
        with pytest.raises(ModelUnavailable, match=f"{folder} is damaged"):
            pool.generate([(said("Hi"), folder)], GREEDY)
