"""A pool of adapters: each row as its person's adapter has it, a few in memory, the base as it was."""

from __future__ import annotations

import gc
import hashlib
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from random_adapters import make_lora, make_prompt

from memoria.errors import InvalidInput, ModelUnavailable
from memoria.models.adapter_files import head
from memoria.models.adapters import AdapterPool
from memoria.models.generation import Loaded, Request, Sampling, pieces, tokens_of
from memoria.models.slots import quiet, twin

GREEDY = Sampling(24, 0.0, 1.0, 1.1, 0, 1)
ASKED = ["Hi", "What shall I cook tonight, and for whom?", "Tell me of Lisbon.", "A book?", "And now?", "Why not tea"]


@pytest.fixture(scope="module")
def prompt(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_prompt(loaded, tmp_path_factory.mktemp("prompts") / "soft", 7)


def said(text: str) -> list[tuple[str, str]]:
    return [("user", text)]


def fingerprint(loaded: Loaded) -> str:
    made = hashlib.sha256()
    for name, each in loaded.model.state_dict().items():
        made.update(name.encode() + each.numpy().tobytes())
    return made.hexdigest()


def logits_by_peft(loaded: Loaded, folder: Path, ids: Any) -> Any:
    """What PEFT by itself makes of the adapter, on a model that has no other."""
    with quiet(), torch.inference_mode():
        return peft.PeftModel.from_pretrained(twin(loaded.model), str(folder)).eval()(input_ids=ids).logits


def first_scores(pool: AdapterPool, folder: Path | None, text: str) -> Any:
    """The scores of the answer's first token."""
    seen: list[Any] = []

    def keep(_: Any, scores: Any) -> Any:
        seen.append(scores.clone())
        return scores

    pool.generate([(said(text), folder)], Sampling(1, 0.0, 1.0, 1.0, 0, 1), processors=(keep,))
    return seen[0]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_mixed_people_get_the_text_that_they_get_alone(
    loaded: Loaded, loras: list[Path], prompt: Path, temperature: float
) -> None:
    pool = AdapterPool(loaded)
    people = [loras[0], None, prompt, loras[1], loras[2], loras[0]]
    asked = [(said(text), adapter) for text, adapter in zip(ASKED, people, strict=True)]
    how = [Sampling(24, temperature, 0.95, 1.1, seed, 1) for seed in range(len(asked))]
    together = pool.generate(asked, how)
    alone = [AdapterPool(loaded).generate([each], one)[0] for each, one in zip(asked, how, strict=True)]
    assert together == alone
    assert len(set(pool.generate([(said("Hi"), each) for each in {*people}], GREEDY))) == 5


def test_an_adapter_has_the_effect_that_peft_gives_it(loaded: Loaded, loras: list[Path], prompt: Path) -> None:
    pool = AdapterPool(loaded, slots=1)
    ids = torch.tensor([tokens_of(loaded, said("Tell me of Lisbon."))])
    for folder in (loras[0], loras[1], prompt, loras[0]):
        wanted = logits_by_peft(loaded, folder, ids)[:, -1]
        assert torch.allclose(first_scores(pool, folder, "Tell me of Lisbon."), wanted, atol=1e-4)
    with pool.use(loras[2]) as model, torch.inference_mode():
        assert torch.allclose(model(input_ids=ids).logits, logits_by_peft(loaded, loras[2], ids), atol=1e-4)
    with pool.use(None) as model, torch.inference_mode():
        assert torch.equal(model(input_ids=ids).logits, loaded.model(input_ids=ids).logits)


def test_adapters_of_other_ranks_targets_and_scales_take_turns(loaded: Loaded, tmp_path: Path) -> None:
    made = [
        make_lora(loaded, tmp_path / "a", 1),
        make_lora(loaded, tmp_path / "b", 2, r=16),
        make_lora(loaded, tmp_path / "c", 3, lora_alpha=4),
        make_lora(loaded, tmp_path / "d", 4, target_modules=["q_proj", "up_proj"], layers_to_transform=[1]),
        make_lora(loaded, tmp_path / "e", 5, target_modules=["q_proj", "v_proj"], use_rslora=True),
    ]
    pool = AdapterPool(loaded, slots=2)
    ids = torch.tensor([tokens_of(loaded, said("Hi"))])
    wanted = {folder: logits_by_peft(loaded, folder, ids)[:, -1] for folder in made}
    for folder in random.Random(3).choices(made, k=25):
        assert torch.allclose(first_scores(pool, folder, "Hi"), wanted[folder], atol=1e-4), folder.name
        assert len(pool.resident) <= 2


def test_the_least_recently_used_makes_room(loaded: Loaded, loras: list[Path]) -> None:
    pool = AdapterPool(loaded, slots=2)
    for folder in (loras[0], loras[1], loras[0], loras[2]):
        pool.generate([(said("Hi"), folder)], GREEDY)
    assert pool.resident == (loras[0], loras[2])
    texts = pool.generate([(said("Hi"), folder) for folder in loras], GREEDY)
    assert texts == [AdapterPool(loaded).generate([(said("Hi"), folder)], GREEDY)[0] for folder in loras]
    assert len(pool.resident) == 2


def test_memory_never_holds_more_than_allowed(loaded: Loaded, tmp_path: Path) -> None:
    made = [make_lora(loaded, tmp_path / f"r{rank}-{seed}", seed, r=rank) for rank in (4, 8, 16) for seed in (1, 2)]
    made += [make_prompt(loaded, tmp_path / f"p{seed}", seed, tokens=40) for seed in (1, 2)]
    largest = max(head(each).bytes for each in made)
    pool = AdapterPool(loaded, slots=4, memory_mb=1.6 * largest / 1e6)
    chance = random.Random(5)
    for _ in range(40):
        pool.generate([(said("Hi"), each) for each in chance.choices(made, k=3)], Sampling(2, 0.0, 1.0, 1.0, 0, 1))
        assert _bytes_in_slots(pool) <= pool.resident_bytes <= 1.6 * largest
    with pytest.raises(InvalidInput, match=r"takes .* MB, the pool has"):
        AdapterPool(loaded, memory_mb=0.5 * largest / 1e6).generate([(said("Hi"), made[-3])], GREEDY)


def _bytes_in_slots(pool: AdapterPool) -> int:
    """What PEFT's layers really hold."""
    for each in pool.resident:
        with suppress(InvalidInput), pool.use(each) as model:  # a soft prompt is in no slot
            return sum(values.numel() * 4 for name, values in model.named_parameters() if "lora_" in name)
    return 0


def test_the_base_is_bit_for_bit_what_it_was(loaded: Loaded, loras: list[Path], prompt: Path, tmp_path: Path) -> None:
    before = fingerprint(loaded)
    ids = torch.tensor([tokens_of(loaded, said("Hi"))])
    with torch.inference_mode():
        wanted = loaded.model(input_ids=ids).logits
    pool = AdapterPool(loaded, slots=3, memory_mb=1.0)
    people = [*loras, None, prompt, make_lora(loaded, tmp_path / "wide", 1, r=32)]
    chance = random.Random(1)
    for _ in range(10):
        pool.generate([(said("Hi"), each) for each in chance.sample(people, 5)], GREEDY)
    pool.forget(loras[0])
    assert fingerprint(loaded) == before
    assert not any("lora" in name for name, _ in loaded.model.named_modules())
    with torch.inference_mode():
        assert torch.equal(loaded.model(input_ids=ids).logits, wanted)


def test_a_forgotten_one_is_gone_from_memory_at_once(loaded: Loaded, loras: list[Path], prompt: Path) -> None:
    pool = AdapterPool(loaded)
    with pool.use(loras[0]) as model:
        mine = [each for name, each in model.named_parameters() if "lora_" in name and each.any()]
    assert len(mine) > 10
    with torch.inference_mode(), pool.use(loras[1]):
        pass
    stream = pieces(loaded, [Request(tokens_of(loaded, said("Hi")), GREEDY, adapter=loras[0])], pool)
    next(stream)
    pool.forget(loras[0])
    assert all(each.abs().sum() == 0 for each in mine)
    assert pool.resident == (loras[1],)
    with pytest.raises(ModelUnavailable, match="was forgotten"):
        list(stream)
    with pytest.raises(ModelUnavailable, match="was forgotten"):
        pool.generate([(said("Hi"), loras[0])], GREEDY)
    pool.forget(prompt)
    with pytest.raises(ModelUnavailable, match="was forgotten"):
        pool.generate([(said("Hi"), prompt)], GREEDY)
    assert pool.generate([(said("Hi"), loras[1])], GREEDY) == AdapterPool(loaded).generate(
        [(said("Hi"), loras[1])], GREEDY
    )


def test_memory_follows_the_files(loaded: Loaded, loras: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(loras[0], folder)
    pool = AdapterPool(loaded)
    first = pool.generate([(said("Hi"), folder)], GREEDY)
    shutil.rmtree(folder)
    shutil.copytree(loras[1], folder)
    assert pool.generate([(said("Hi"), folder)], GREEDY) == pool.generate([(said("Hi"), loras[1])], GREEDY) != first
    shutil.rmtree(folder)
    with pytest.raises(ModelUnavailable, match=r"adapter_config\.json is missing"):
        pool.generate([(said("Hi"), folder)], GREEDY)
    assert pool.resident == (loras[1],)


def test_what_lost_its_files_leaves_memory_with_the_next_answer(
    loaded: Loaded, loras: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(loras[0], folder)
    pool = AdapterPool(loaded)
    pool.generate([(said("Hi"), folder)], GREEDY)
    shutil.rmtree(folder)
    pool.generate([(said("Hi"), loras[1])], GREEDY)
    assert pool.resident == (loras[1],)


def test_a_soft_prompt_that_makes_room_spares_the_answer_under_way(
    loaded: Loaded, loras: list[Path], prompt: Path
) -> None:
    pool = AdapterPool(loaded, memory_mb=(head(loras[0]).bytes + 1) / 1e6)
    mine = pool.prefix(prompt)
    before = mine.clone()
    pool.generate([(said("Hi"), loras[0])], GREEDY)  # as another thread may, before the answer's first token
    assert pool.resident == (loras[0],)
    assert torch.equal(mine, before)


def test_threads_share_a_pool(loaded: Loaded, loras: list[Path]) -> None:
    pool = AdapterPool(loaded, slots=2)
    wanted = [AdapterPool(loaded).generate([(said("Hi"), each)], GREEDY) for each in loras[:6]]
    with ThreadPoolExecutor(6) as threads:
        for _ in range(3):
            assert list(threads.map(lambda each: pool.generate([(said("Hi"), each)], GREEDY), loras[:6])) == wanted
    assert len(pool.resident) == 2


def test_many_swaps_leave_nothing_behind(loaded: Loaded, loras: list[Path]) -> None:
    pool = AdapterPool(loaded, slots=3)

    def tensors() -> int:
        gc.collect()
        return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())

    def turn() -> None:
        for each in loras:
            with pool.use(each):
                pass

    turn()
    before = tensors()
    for _ in range(10):
        turn()
    assert tensors() == before
    assert len(pool.resident) == 3
