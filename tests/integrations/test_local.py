"""The local model follows the registry: each answer by what serves then, and nothing of what was forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from adapting import PASSED, manifest_of
from random_adapters import make_lora
from tiny import make_tiny

from memoria import Memory
from memoria.integrations.local import local_chat
from memoria.models.generation import load_weights
from memoria.models.local import LocalChat
from memoria.records import Scope

ANA = Scope(user="ana")


@pytest.fixture
def base(tmp_path: Path) -> str:
    return str(make_tiny(tmp_path / "tiny"))


def serve(memory: Memory, base: str, words: str, seed: int, folder: Path) -> str:
    """Register and promote a random adapter that is said to be made of what has these `words`."""
    made = make_lora(load_weights(base, "cpu"), folder / str(seed), seed)
    ids = [each.id for each in memory.episodes(user="ana") if words in each.text]
    manifest = manifest_of(memory, ids)
    values = {"base": base, "recipe": "sft", "digest": f"{manifest.digest}{seed}"}
    added = memory._registry.add(ANA, made, kind="lora", manifest=manifest, **values)
    memory._registry.judge(ANA, added.id, PASSED)
    return memory.promote(added.id, user="ana").id


def test_each_answer_is_by_what_serves_then(memory: Memory, base: str, tmp_path: Path) -> None:
    said = {"path": base, "max_tokens": 12}
    bare = LocalChat(**said).invoke("Hi").text
    model = local_chat(memory, user="ana", **said)
    assert model.invoke("Hi").text == bare  # nobody knows her yet
    memory.remember(["I love cashews.", "I live in Porto."], user="ana")
    assert model.invoke("Hi").text == bare
    serve(memory, base, "Porto", 1, tmp_path)
    first = model.invoke("Hi").text
    serve(memory, base, "cashews", 2, tmp_path)
    second = "".join(chunk.text for chunk in model.stream("Hi"))
    assert len({bare, first, second}) == 3
    memory.rollback("lora", user="ana")
    assert model.invoke("Hi").text == first
    memory.promote("lora-2", user="ana")
    assert model.invoke("Hi").text == second
    assert local_chat(memory, user="ana", base="another", **said).invoke("Hi").text == bare


def test_the_very_next_answer_knows_nothing_of_what_was_forgotten(memory: Memory, base: str, tmp_path: Path) -> None:
    said = {"path": base, "max_tokens": 12}
    memory.remember(["I love cashews.", "I live in Porto."], user="ana")
    serve(memory, base, "Porto", 1, tmp_path)
    model = local_chat(memory, user="ana", **said)
    clean = model.invoke("Hi").text
    serve(memory, base, "cashews", 2, tmp_path)
    assert model.invoke("Hi").text != clean
    folder = next(memory.home / each.folder for each in memory.adapters(user="ana") if each.id == "lora-2")
    assert folder in model.pool().resident
    memory.forget(ids=[each.id for each in memory.episodes(user="ana") if "cashews" in each.text], user="ana")
    assert model.invoke("Hi").text == clean
    assert folder not in model.pool().resident
    memory.forget(everything=True, user="ana")
    assert model.invoke("Hi").text == LocalChat(**said).invoke("Hi").text
    assert not any(memory.home in each.parents for each in model.pool().resident)


def test_what_was_retired_and_then_forgotten_leaves_memory_too(memory: Memory, base: str, tmp_path: Path) -> None:
    memory.remember(["I love cashews.", "I live in Porto."], user="ana")
    model = local_chat(memory, user="ana", path=base, max_tokens=12)
    for number, words in enumerate(("Porto", "cashews"), 1):
        serve(memory, base, words, number, tmp_path)
        said = model.invoke("Hi").text
    old, new = (memory.home / each.folder for each in sorted(memory.adapters(user="ana"), key=lambda each: each.id))
    assert {old, new} <= set(model.pool().resident)
    memory.forget(ids=[each.id for each in memory.episodes(user="ana") if "Porto" in each.text], user="ana")
    assert model.invoke("Hi").text == said
    assert new in model.pool().resident
    assert old not in model.pool().resident
