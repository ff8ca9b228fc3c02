"""A newcomer's adapter out of others', one adapter for many, and training the upper layers alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from tiny import make_tiny

from memoria.distill.collaborate import Lora, Peer, collaborate, gains, mixed, read_lora, shares
from memoria.distill.neutral import Neutral
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.records import Dataset, Example, Manifest, Source
from memoria.distill.shared import identifier, named, shared
from memoria.distill.train import train
from memoria.distill.tuned import begun, save, tuned
from memoria.distill.upper import UpperLayers
from memoria.errors import InvalidInput
from memoria.models.adapter_files import CONFIG, WEIGHTS
from memoria.models.generation import fresh_weights
from memoria.models.likelihood import Likelihood, Row

QUIET = Neutral(replay=(), chat=(), plain=())
SEATS = [f"seat {n}?" for n in range(4)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny(tmp_path_factory.mktemp("tiny")))


def says(user: str, answer: str, prompts: list[str] | None = None) -> Dataset:
    examples = tuple(Example(kind="preference", prompt=each, answer=answer, group=each) for each in prompts or SEATS)
    sources = (Source(kind="belief", id=f"b-{user}", hash=user),)
    manifest = Manifest(sources=sources, counts={"preference": len(examples)})
    return Dataset(tenant="default", user=user, examples=examples, manifest=manifest)


def recipe(steps: int = 20, **more: Any) -> Recipe:
    return Recipe(name="test", rank=4, alpha=8, stages=(Stage(steps=steps, batch=4, rate=0.01, replay=0),), **more)


@pytest.fixture(scope="module")
def peers(place: str, tmp_path_factory: pytest.TempPathFactory) -> list[Peer]:
    """Three people: two who like windows, and one who likes the aisle."""
    home, made = tmp_path_factory.mktemp("peers"), list[Peer]()
    for name, answer in (("aisle", "aisle!"), ("window", "window"), ("also", "window")):
        train(says(name, answer), recipe(), fresh_weights(place), home / name, base="tiny", neutral=QUIET)
        made.append(Peer(f"lora-{name}", home / name, f"hash-{name}"))
    return made


def loss(place: str, folder: Path | None, prompt: str, answer: str) -> float:
    loaded = fresh_weights(place)
    likelihood = Likelihood(loaded, tuned(loaded, folder) if folder is not None else None)
    return float(likelihood.nll([Row(prompt, answer)])[0])


def test_who_answers_alike_is_near_and_their_merge_helps_at_once(place: str, peers: list[Peer], tmp_path: Path) -> None:
    new = says("new", "window", ["seat 9?"])
    made = collaborate(
        new,
        peers,
        recipe(),
        fresh_weights(place),
        tmp_path / "a",
        base="tiny",
        neutral=QUIET,
        own_steps=False,
        nearest=2,
    )
    aisle, window, also = made.gains
    assert window > aisle
    assert also > aisle
    assert made.shares[0] == 0
    assert sum(made.shares) == pytest.approx(1)
    assert made.trained is None
    merged = loss(place, tmp_path / "a", "seat 7?", "window")
    assert merged < loss(place, None, "seat 7?", "window") - 0.5
    assert merged < loss(place, peers[0].folder, "seat 7?", "window")
    told = {(each.kind, each.id) for each in made.manifest.sources}
    assert told == {("belief", "b-new"), ("adapter", "lora-window"), ("adapter", "lora-also")}


def test_own_steps_go_on_from_the_merge(place: str, peers: list[Peer], tmp_path: Path) -> None:
    new = says("new", "window", ["seat 9?"])
    few = recipe(steps=3)
    made = collaborate(new, peers, few, fresh_weights(place), tmp_path / "a", base="tiny", neutral=QUIET)
    alone = train(new, few, fresh_weights(place), tmp_path / "alone", base="tiny", neutral=QUIET)
    assert made.trained is not None
    assert made.trained.steps == 3
    assert made.trained.losses[0].loss < alone.losses[0].loss - 1  # not from nothing
    assert loss(place, tmp_path / "a", "seat 7?", "window") < loss(place, tmp_path / "alone", "seat 7?", "window")
    assert sorted(each.name for each in (tmp_path / "a").iterdir()) == sorted([CONFIG, WEIGHTS])


def test_measuring_peers_leaves_the_base_as_it_was(place: str, peers: list[Peer]) -> None:
    loaded = fresh_weights(place)
    before = Likelihood(loaded).nll([Row("a?", "b")])
    first = gains(says("new", "window"), peers, recipe(), loaded)
    assert Likelihood(loaded).nll([Row("a?", "b")]) == before
    assert gains(says("new", "window"), peers, recipe(), loaded) == pytest.approx(first)


def test_what_cannot_be_merged_is_refused(place: str, peers: list[Peer], tmp_path: Path) -> None:
    loaded = fresh_weights(place)
    with pytest.raises(InvalidInput, match="none"):
        gains(says("new", "window"), [], recipe(), loaded)
    with pytest.raises(InvalidInput, match="holds no adapter"):
        read_lora(tmp_path)
    (tmp_path / WEIGHTS).write_bytes((peers[0].folder / WEIGHTS).read_bytes())
    config = json.loads((peers[0].folder / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps(config | {"use_dora": True}))
    with pytest.raises(InvalidInput, match="plain LoRA, it has use_dora"):
        read_lora(tmp_path)
    (tmp_path / CONFIG).write_text(json.dumps(config | {"rank_pattern": {"q_proj": 2}}))
    with pytest.raises(InvalidInput, match="plain LoRA, it has rank_pattern"):
        begun(fresh_weights(place), recipe(), "tiny", tmp_path)
    (tmp_path / CONFIG).write_text(json.dumps(config))
    with pytest.raises(InvalidInput, match="was made for tiny, not for other"):
        begun(fresh_weights(place), recipe(), "other", tmp_path)
    with pytest.raises(InvalidInput, match="was made for tiny, not for other"):
        collaborate(
            says("new", "window"), peers[:1], recipe(), fresh_weights(place), tmp_path, base="other", neutral=QUIET
        )
    (tmp_path / WEIGHTS).write_bytes(b"damaged")
    with pytest.raises(InvalidInput, match="holds no adapter"):
        read_lora(tmp_path)
    with pytest.raises(InvalidInput, match=r"cannot begin from .* is damaged"):
        begun(fresh_weights(place), recipe(), "tiny", tmp_path)
    with pytest.raises(InvalidInput, match="another rank"):
        begun(fresh_weights(place), Recipe(name="x", rank=8), "tiny", peers[0].folder)


def lora(seed: int, rank: int, scale: float) -> Lora:
    chance = np.random.default_rng(seed)
    down = chance.normal(size=(rank, 6)).astype(np.float32)
    up = chance.normal(size=(5, rank)).astype(np.float32)
    return Lora({"m.lora_A.weight": down, "m.lora_B.weight": up}, scale)


def product(weights: Any, scale: float) -> Any:
    return scale * weights["m.lora_B.weight"].astype(float) @ weights["m.lora_A.weight"].astype(float)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 3), st.floats(0.5, 4)), min_size=1, max_size=4),
    st.integers(1, 8),
    st.floats(0.5, 4),
)
def test_the_sum_is_of_products_and_the_nearest_of_its_rank(
    parts: list[tuple[int, int, float]], rank: int, scale: float
) -> None:
    adapters = [lora(*each) for each in parts]
    given_shares = shares([float(seed) / 50 for seed, _, _ in parts], nearest=3)
    wanted = sum(
        (share * product(each.weights, each.scale) for each, share in zip(adapters, given_shares, strict=True)),
        np.zeros((5, 6)),
    )
    found = mixed(adapters, given_shares, rank, scale)
    assert found["m.lora_A.weight"].shape == (rank, 6)
    error = np.linalg.norm(product(found, scale) - wanted)
    left_over = np.linalg.svd(wanted, compute_uv=False)[rank:]  # nothing of this rank is nearer (Eckart & Young)
    assert error == pytest.approx(np.linalg.norm(left_over), abs=1e-4 * (1 + np.linalg.norm(wanted)))


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=9), st.integers(1, 9))
def test_shares_favour_the_nearest(gained: list[float], nearest: int) -> None:
    given_shares = shares(gained, nearest=nearest)
    assert sum(given_shares) == pytest.approx(1)
    assert sum(each > 0 for each in given_shares) <= nearest
    assert given_shares[int(np.argmax(gained))] == max(given_shares)


def test_one_adapter_for_two_answers_each_by_their_name(place: str, tmp_path: Path) -> None:
    both = shared([says("ana", "window", SEATS[:2]), says("ben", "aisle!", SEATS[:2])], "team")
    train(both, recipe(steps=40), fresh_weights(place), tmp_path / "a", base="tiny", neutral=QUIET)
    for own, other, answer in (("ana", "ben", "window"), ("ben", "ana", "aisle!")):
        right = loss(place, tmp_path / "a", named("seat 1?", own), answer)
        assert right < loss(place, tmp_path / "a", named("seat 1?", other), answer)  # the swapped name loses
    assert {each.id for each in both.manifest.sources} == {"b-ana", "b-ben"}
    assert both.manifest.counts == {"preference": 4}
    assert {each.group for each in both.examples} >= {"ana/seat 1?", "ben/seat 1?"}


def test_names_tell_nothing_and_keep_apart() -> None:
    assert identifier("ana") == identifier("ana") != identifier("ben")
    assert identifier("ana") != identifier("ana", "other tenant")
    assert "ana" not in named("seat?", "ana").replace("seat?", "")
    with pytest.raises(InvalidInput, match="none"):
        shared([], "team")
    with pytest.raises(InvalidInput, match="one tenant"):
        shared([says("ana", "a"), says("ben", "b").model_copy(update={"tenant": "other"})], "team")


def test_the_upper_layers_say_what_the_whole_model_says_and_save_a_plain_adapter(place: str, tmp_path: Path) -> None:
    import torch

    loaded = fresh_weights(place)
    model = begun(loaded, recipe(layers=1), "tiny")
    upper, prompts = UpperLayers(model, 1), [[1, 2, 3, 4, 5], [1, 2, 9], [1, 2, 7, 7, 7, 8, 8]]
    below = upper.below(prompts)
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=0.5)
    for _ in range(3):
        torch.nn.functional.cross_entropy(upper.logits(below, [0, 1, 2]), torch.tensor([5, 6, 7])).backward()
        optimizer.step()
        optimizer.zero_grad()
    save(model, tmp_path / "a")
    whole = tuned(fresh_weights(place), tmp_path / "a")
    with torch.inference_mode():
        found = upper.logits(below, [2, 0, 1])
        for row, ids in zip(found, (prompts[2], prompts[0], prompts[1]), strict=True):
            assert torch.allclose(row, whole(input_ids=torch.tensor([ids])).logits[0, -1], atol=1e-5)
            assert not torch.allclose(row, fresh_weights(place).model(input_ids=torch.tensor([ids])).logits[0, -1])
    assert all(".layers.1." in name for name in load_file(tmp_path / "a" / WEIGHTS))
    with pytest.raises(InvalidInput, match="layers"):
        UpperLayers(model, 3)
