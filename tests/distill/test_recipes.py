"""Recipes by name: the packaged ones are shown in configs/, a user's own take their place, errors name file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

import memoria.distill
from memoria import InvalidInput
from memoria.distill.recipes import load_recipe, packaged

ROOT = Path(__file__).parent.parent.parent


def test_the_configs_show_the_packaged_recipes() -> None:
    folder = Path(memoria.distill.__file__).parent / "recipes"
    shown = {path.name: path.read_text() for path in (ROOT / "configs" / "distil").iterdir()}
    assert shown == {path.name: path.read_text() for path in folder.iterdir()}
    assert packaged() == sorted(Path(name).stem for name in shown)


@pytest.mark.parametrize("name", packaged())
def test_every_packaged_recipe_loads_and_never_begins_with_bare_dpo(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.kind in ("lora", "prompt")
    assert recipe.stages[0].loss != "dpo"
    assert all(stage.sft > 0 for stage in recipe.stages)
    assert recipe.facts == (name == "facts")


def test_ones_own_recipes(tmp_path: Path) -> None:
    (tmp_path / "distil").mkdir()
    (tmp_path / "distil" / "mine.yaml").write_text("rank: 16\nstages: [{steps: 5}]\n")
    (tmp_path / "distil" / "sft.yaml").write_text("seed: 7\n")
    mine = load_recipe("mine", tmp_path)
    assert (mine.rank, mine.stages[0].steps, mine.stages[0].loss) == (16, 5, "sft")
    assert load_recipe("sft", tmp_path).seed == 7
    assert load_recipe("kl", tmp_path) == load_recipe("kl")
    assert mine.digest != load_recipe("sft").digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rank: 0", "rank: Input should be greater than or equal to 1"),
        ("ranks: 8", "ranks: Extra inputs"),
        ("stages: []", "stages"),
        ("stages: [{loss: sft, aims: {brevity: 0.5}}]", "aims are for dpo"),
        ("stages: [{loss: dpo, aims: {brevity: 0.5, plainness: 0.5}}]", "leave something of 1"),
        ("stages: [{loss: dpo, aims: {wit: 0.5}}]", "stages.0.aims.wit"),
        ("[", "is no recipe"),
        ("- 1", "is no recipe"),
        ("caf\xe9", "is no recipe"),  # in Latin-1
    ],
)
def test_a_bad_recipe_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "distil").mkdir()
    (tmp_path / "distil" / "bad.yaml").write_text(text, encoding="latin-1")
    with pytest.raises(InvalidInput) as error:
        load_recipe("bad", tmp_path)
    assert "bad.yaml" in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["none", "../sft", ""])
def test_there_is_no_such_recipe(name: str, tmp_path: Path) -> None:
    (tmp_path / "distil").mkdir()
    (tmp_path / "distil" / "mine.yaml").touch()
    (tmp_path / "sft.yaml").touch()
    with pytest.raises(InvalidInput, match="there are facts, kl, mine, prompt, sft, sft-dpo, small"):
        load_recipe(name, tmp_path)
