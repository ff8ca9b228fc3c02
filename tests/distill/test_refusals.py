"""The gate refuses what was really trained badly, says why in figures, and what served goes on.

With the packaged language model and a person of the mirrored suite: minutes, on a processor.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from memoria import HashEmbeddings, Memory, Settings
from memoria.distill.base import base_of
from memoria.distill.neutral import load_neutral
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.records import Adapter, Dataset
from memoria.distill.train import train
from memoria.evaluate.mirrored_data import MirroredPair, Side, names, read_pair
from memoria.models.generation import fresh_weights
from memoria.settings import DistilSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

GOOD = Recipe(name="good", stages=(Stage(steps=70, batch=8, rate=1e-3),))
QUICK = Recipe(name="quick", layers=12, stages=(Stage(steps=30, batch=8, rate=1.5e-3),))


def correct(memory: Memory, user: str, pair: MirroredPair, side: Side) -> None:
    """A person who states nothing, and corrects whatever the assistant answers to suit their twin."""
    asked = [choice for dimension in pair.dimensions for choice in (*dimension.train, *dimension.held_out)]
    turns = [
        {"role": role, "text": text}
        for choice in asked
        for role, text in (("user", choice.ask), ("assistant", choice.against(side)))
    ]
    answers = [each for each in memory.remember(turns, user=user) if each.role == "assistant"]
    for choice, answer in zip(asked, answers, strict=True):
        memory.feedback(answer.id, user=user, correction=choice.of(side))


@pytest.fixture(scope="module")
def pair() -> MirroredPair:
    return read_pair(names()[0])


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory, model_cache: Path, pair: MirroredPair) -> Iterator[Memory]:
    """Both twins' memories; one of them has an adapter that serves."""
    settings = Settings(cache_dir=model_cache, distil=DistilSettings(kinds=("adapter",)))
    home = tmp_path_factory.mktemp("refusals") / "home"
    with Memory(home, embeddings=HashEmbeddings(64), settings=settings) as opened:
        correct(opened, pair.users.a, pair, "a")
        correct(opened, pair.users.b, pair, "b")
        done = opened.distill(user=pair.users.b, recipe=GOOD)
        assert done.made[0].outcome == "promoted", done.made[0].why
        yield opened


def registered(memory: Memory, user: str, data: Dataset, recipe: Recipe, tmp_path: Path) -> Adapter:
    """A candidate for `user`, trained on whatever `data` says."""
    base = base_of(memory.settings)
    loaded = fresh_weights(base.place, half=True)
    train(data, recipe, loaded, tmp_path / "made", base=base.name, neutral=load_neutral())
    return memory._registry.add(
        memory._scope("default", user),
        tmp_path / "made",
        kind="lora" if recipe.kind == "lora" else "prompt",
        base=base.name,
        recipe=recipe.name,
        manifest=memory.dataset(user=user).manifest,
        digest=hashlib.sha256(f"{recipe.digest} {data.model_dump_json()}".encode()).hexdigest(),
    )


def refused(memory: Memory, user: str, candidate: Adapter) -> dict[str, str]:
    """Why the gate refuses it, by check; what served serves."""
    before = memory.serving("lora", user=user)
    judged = memory.judge(candidate.id, user=user)
    assert judged.status == "rejected"
    assert judged.verdict is not None
    assert before is not None
    assert before == memory.serving("lora", user=user)
    whys = {check.name: check.why for check in judged.verdict.checks if not check.passed}
    assert whys
    assert all(any(letter.isdigit() for letter in why) for why in whys.values())
    return whys


def test_another_persons_data(memory: Memory, pair: MirroredPair, tmp_path: Path) -> None:
    twins = memory.dataset(user=pair.users.a)
    whys = refused(memory, pair.users.b, registered(memory, pair.users.b, twins, QUICK, tmp_path))
    assert "ranked right, to the base" in whys
    assert "ranked right, to what serves now" in whys


def test_noise(memory: Memory, pair: MirroredPair, tmp_path: Path) -> None:
    """Every second answer is turned round, and each belongs to another question."""
    data = memory.dataset(user=pair.users.b)
    pairs = data.pairs_of("train")
    shifted = [one.model_copy(update={"prompt": other.prompt}) for one, other in pairwise(pairs)]
    noise = [
        each.model_copy(update={"chosen": each.rejected, "rejected": each.chosen}) if at % 2 else each
        for at, each in enumerate(shifted)
    ]
    noisy = data.model_copy(update={"pairs": tuple(noise)})
    whys = refused(memory, pair.users.b, registered(memory, pair.users.b, noisy, QUICK, tmp_path))
    assert "ranked right, to what serves now" in whys


def test_plain_dpo(memory: Memory, pair: MirroredPair) -> None:
    """It parts the answers and makes both unlikely, and ruins talk; plain text would not have shown it."""
    stage = Stage(loss="dpo", steps=30, batch=4, rate=3e-3, beta=0.1, sft=0.0, replay=0.0)
    plain = Recipe(name="plain-dpo", layers=15, stages=(stage,))
    fitted = memory.fit("adapter", user=pair.users.b, recipe=plain)
    assert fitted.adapter is not None
    whys = refused(memory, pair.users.b, fitted.adapter)
    assert "the chosen answers' NLL, to the base's" in whys
    assert "neutral chat's NLL, to the base's" in whys


def test_prefix_tuning_at_a_high_rate(memory: Memory, pair: MirroredPair) -> None:
    stage = Stage(steps=16, batch=4, rate=0.1, replay=0.0)
    prefix = Recipe(name="prefix", kind="prefix", virtual_tokens=16, stages=(stage,))
    fitted = memory.fit("adapter", user=pair.users.b, recipe=prefix)
    assert fitted.adapter is not None
    assert "plain neutral text's NLL, to the base's" in refused(memory, pair.users.b, fitted.adapter)


def test_three_examples(memory: Memory) -> None:
    turns = [
        {"role": role, "text": text}
        for n in range(3)
        for role, text in (("user", f"Where shall I sit, time {n}?"), ("assistant", f"In row {n}, on the aisle."))
    ]
    answers = [each for each in memory.remember(turns, user="newcomer") if each.role == "assistant"]
    for each in answers:
        memory.feedback(each.id, user="newcomer", correction="At the window, as always.")
    made = memory.distill(user="newcomer", recipe=QUICK.model_copy(update={"stages": (Stage(steps=3),)})).made[0]
    assert made.outcome == "rejected"
    assert "of 20" in made.why
    assert "are missing" in made.why
    assert memory.serving("lora", user="newcomer") is None


def test_a_damaged_one_serves_no_more(memory: Memory, pair: MirroredPair, tmp_path: Path) -> None:
    served = memory.serving("lora", user=pair.users.b)
    assert served is not None
    weights = memory.home / served.folder / "adapter_model.safetensors"
    shutil.copy(weights, tmp_path / "whole")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert memory.serving("lora", user=pair.users.b) is None
    assert "damaged" in memory.may_serve(served.id, user=pair.users.b).why
    shutil.copy(tmp_path / "whole", weights)
    assert memory.serving("lora", user=pair.users.b) == served
