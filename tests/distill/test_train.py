"""Training: it learns what it is shown, the same each time, in whichever pieces; the base stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.numpy import load_file
from tiny import make_tiny

from memoria.distill import losses
from memoria.distill import train as training
from memoria.distill.aims import Aim, ahead
from memoria.distill.neutral import Neutral, load_neutral
from memoria.distill.recipes import Budget, Recipe, Stage
from memoria.distill.records import Dataset, Example, Pair
from memoria.distill.train import STATE, train
from memoria.distill.tuned import tuned
from memoria.errors import InvalidInput, TrainingFailed
from memoria.models.adapter_files import WEIGHTS
from memoria.models.generation import fresh_weights
from memoria.models.likelihood import Likelihood, Row, answer_logps, encode

NEUTRAL = Neutral(replay=(("one and one?", "two"), ("red and blue?", "purple")), chat=(), plain=())
PAIRS = tuple(
    Pair(
        kind="edit", prompt=f"seat {n}?", chosen="window", rejected="aisle!", memory="Ana likes windows.", group=str(n)
    )
    for n in range(6)
)
DATA = Dataset(
    tenant="default",
    user="ana",
    pairs=PAIRS,
    examples=(Example(kind="fact", prompt="my town?", answer="Porto", memory="Ana lives in Porto."),),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny(tmp_path_factory.mktemp("tiny")))


def recipe(*stages: Stage, **more: Any) -> Recipe:
    return Recipe(name="test", rank=8, stages=stages or (Stage(steps=30, batch=4, rate=0.01),), **more)


def margins(place: str, folder: Path | None) -> tuple[float, float, float]:
    """How likely the chosen and the rejected answers, and the fact, are (NLL)."""
    loaded = fresh_weights(place)
    likelihood = Likelihood(loaded, tuned(loaded, folder) if folder is not None else None)
    chosen = likelihood.nll([Row(each.prompt, each.chosen) for each in PAIRS])
    rejected = likelihood.nll([Row(each.prompt, each.rejected) for each in PAIRS])
    fact = likelihood.nll([Row("my town?", "Porto")])
    return float(chosen.mean()), float(rejected.mean()), float(fact.mean())


def test_it_learns_the_chosen_answers_and_facts_only_where_they_shall_be(place: str, tmp_path: Path) -> None:
    before = margins(place, None)
    trained = train(DATA, recipe(), fresh_weights(place), tmp_path / "a", base="tiny", neutral=NEUTRAL)
    train(DATA, recipe(facts=True), fresh_weights(place), tmp_path / "b", base="tiny", neutral=NEUTRAL)
    without, within = margins(place, tmp_path / "a"), margins(place, tmp_path / "b")
    assert without[0] < before[0] / 2 < without[1]
    assert within[2] < without[2] - 1
    assert (trained.steps, trained.stopped, len(trained.losses)) == (30, "done", 30)
    assert trained.losses[-1].loss < trained.losses[0].loss
    assert trained.tokens > 30 * 4 * 5
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["adapter_config.json", WEIGHTS]


def test_what_a_server_takes(place: str, tmp_path: Path) -> None:
    import json

    train(DATA, recipe(), fresh_weights(place), tmp_path, base="org/name", neutral=NEUTRAL)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "org/name"
    assert (config["peft_type"], config["r"], config["bias"], config["use_dora"]) == ("LORA", 8, "none", False)
    assert config["modules_to_save"] is None
    assert sorted(config["target_modules"]) == sorted(
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )


def test_the_upper_layers_alone(place: str, tmp_path: Path) -> None:
    train(DATA, recipe(layers=1), fresh_weights(place), tmp_path, base="tiny", neutral=NEUTRAL)
    names = set(load_file(tmp_path / WEIGHTS))
    assert names
    assert all(".layers.1." in name for name in names)
    assert margins(place, tmp_path)[0] < margins(place, None)[0]


class Killed(Exception):
    """The process ends here."""


def killed_at(step: int) -> Callable[[int, int, float], None]:
    def progress(now: int, steps: int, loss: float) -> None:
        if now == step:
            raise Killed

    return progress


TWO = (Stage(steps=6, batch=4, rate=0.01), Stage(loss="dpo", steps=5, batch=2, rate=0.003))


@pytest.mark.parametrize("step", [1, 4, 6, 7, 10])
def test_a_killed_training_goes_on_to_the_same_weights(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(training, "_EVERY", -1.0)  # a checkpoint after each step
    told = {"base": "tiny", "neutral": NEUTRAL}
    train(DATA, recipe(*TWO), fresh_weights(place), tmp_path / "whole", **told)
    with pytest.raises(Killed):
        train(DATA, recipe(*TWO), fresh_weights(place), tmp_path / "cut", progress=killed_at(step), **told)
    taken: list[int] = []
    again = train(
        DATA, recipe(*TWO), fresh_weights(place), tmp_path / "cut", progress=lambda now, *_: taken.append(now), **told
    )
    assert taken[0] == max(step, 1)  # the step it was killed in, before it was kept
    assert again.steps == 11
    whole, cut = load_file(tmp_path / "whole" / WEIGHTS), load_file(tmp_path / "cut" / WEIGHTS)
    assert all((whole[name] == cut[name]).all() for name in whole)
    assert not (tmp_path / "cut" / STATE).exists()


def test_dropout_falls_as_it_would_have_without_the_kill(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_EVERY", -1.0)
    told = {"base": "tiny", "neutral": NEUTRAL}
    made = recipe(*TWO, dropout=0.3)
    train(DATA, made, fresh_weights(place), tmp_path / "whole", **told)
    for step in (4, 8):
        with pytest.raises(Killed):
            train(DATA, made, fresh_weights(place), tmp_path / "cut", progress=killed_at(step), **told)
    train(DATA, made, fresh_weights(place), tmp_path / "cut", **told)
    assert (tmp_path / "whole" / WEIGHTS).read_bytes() == (tmp_path / "cut" / WEIGHTS).read_bytes()


def test_dropout_spares_the_reference(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def margin(model: Any, batch: Any, *_: Any) -> Any:
        seen.extend(each.reference[0] for each in batch)
        return sum(each.sum() for each in answer_logps(model, [each.chosen for each in batch])) * 0.0

    monkeypatch.setattr(losses, "dpo", margin)
    start = tmp_path / "start"
    train(DATA, recipe(), fresh_weights(place), start, base="tiny", neutral=NEUTRAL)
    stage, folder = Stage(loss="dpo", steps=1, batch=6, replay=0.0), tmp_path / "a"
    made = recipe(stage, dropout=0.5)
    train(DATA, made, fresh_weights(place), folder, base="tiny", neutral=NEUTRAL, start=start)
    loaded = fresh_weights(place)
    rows = [encode(loaded, Row(each.prompt, each.chosen), ended=True) for each in PAIRS]
    with torch.inference_mode():
        wanted = [float(each.sum()) for each in answer_logps(tuned(loaded, start), rows)]
    assert sorted(seen) == pytest.approx(sorted(wanted), abs=1e-3)


@pytest.mark.parametrize(
    "other",
    [
        {"data": DATA.model_copy(update={"pairs": PAIRS[:5]})},
        {"base": "another"},
        {"neutral": Neutral(replay=NEUTRAL.replay[:1], chat=(), plain=())},
        {"recipe": recipe(*TWO, seed=1)},
    ],
)
def test_another_training_begins_anew(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    monkeypatch.setattr(training, "_EVERY", -1.0)
    told = {"data": DATA, "recipe": recipe(*TWO), "base": "tiny", "neutral": NEUTRAL}
    with pytest.raises(Killed):
        train(loaded=fresh_weights(place), folder=tmp_path, progress=killed_at(5), **told)
    taken: list[int] = []
    told |= {"loaded": fresh_weights(place), "folder": tmp_path, "progress": lambda now, *_: taken.append(now)}
    train(**told | other)
    assert taken[0] == 1


def test_dpo_parts_the_answers_and_its_sft_term_keeps_the_chosen_likely(place: str, tmp_path: Path) -> None:
    before = margins(place, None)
    made: dict[float, tuple[float, float, float]] = {}
    for weight in (0.0, 1.0):
        stage = Stage(loss="dpo", steps=30, batch=4, rate=0.01, replay=0.0, sft=weight)
        train(DATA, recipe(stage), fresh_weights(place), tmp_path / str(weight), base="tiny", neutral=NEUTRAL)
        made[weight] = margins(place, tmp_path / str(weight))
        assert made[weight][1] - made[weight][0] > before[1] - before[0] + 0.5
    assert made[1.0][0] < before[0]
    assert made[1.0][0] < made[0.0][0]


def test_a_margin_sets_answers_above_those_turned_down(place: str, tmp_path: Path) -> None:
    before, made = margins(place, None), list[tuple[float, float, float]]()
    for weight in (0.0, 1.0):
        stage = Stage(steps=30, batch=4, rate=0.01, replay=0.0, margin=weight)
        train(DATA, recipe(stage), fresh_weights(place), tmp_path / str(weight), base="tiny", neutral=NEUTRAL)
        made.append(margins(place, tmp_path / str(weight)))
    (bare, bare_other, _), (chosen, other, _) = made
    assert other - chosen > bare_other - bare + 0.2
    assert max(bare, chosen) < before[0]


@pytest.mark.parametrize(("aim", "more"), [("brevity", " abba" * 6), ("plainness", " " + "abba" * 6)])
def test_the_more_an_aim_weighs_the_less_is_what_it_speaks_against(
    place: str, tmp_path: Path, aim: Aim, more: str
) -> None:
    pairs = tuple(each.model_copy(update={"chosen": each.chosen + more}) for each in PAIRS)
    data, front = DATA.model_copy(update={"pairs": pairs}), list[float]()
    assert ahead({aim: 1.0}, pairs[0].chosen, pairs[0].rejected) < -0.5
    for weight in (0.0, 0.3, 0.6):
        stage = Stage(
            loss="dpo", steps=30, batch=6, rate=0.01, replay=0.0, sft=0.0, aims={aim: weight} if weight else {}
        )
        folder = tmp_path / str(weight)
        train(data, recipe(stage), fresh_weights(place), folder, base="tiny", neutral=NEUTRAL)
        loaded = fresh_weights(place)
        likelihood = Likelihood(loaded, tuned(loaded, folder))
        chosen = likelihood.total([Row(each.prompt, each.chosen) for each in pairs])
        rejected = likelihood.total([Row(each.prompt, each.rejected) for each in pairs])
        front.append(float((rejected - chosen).mean()))
    assert front[0] > front[1] > front[2]


def test_kl_brings_the_student_near_the_model_with_the_memory(place: str, tmp_path: Path) -> None:
    stage = Stage(loss="kl", steps=40, batch=4, rate=0.01, replay=0.0)
    trained = train(DATA, recipe(stage), fresh_weights(place), tmp_path, base="tiny", neutral=NEUTRAL)
    assert trained.losses[-1].loss < trained.losses[0].loss / 3


def test_a_soft_prompt_learns_too(place: str, tmp_path: Path) -> None:
    soft = recipe(Stage(steps=40, batch=4, rate=0.1), virtual_tokens=4).model_copy(update={"kind": "prompt"})
    train(DATA, soft, fresh_weights(place), tmp_path, base="tiny", neutral=NEUTRAL)
    assert margins(place, tmp_path)[0] < margins(place, None)[0]
    assert (tmp_path / WEIGHTS).stat().st_size < 2000


def test_budgets_end_a_training_where_it_stands(place: str, tmp_path: Path) -> None:
    short = recipe(budget=Budget(seconds=1e-6))
    assert train(DATA, short, fresh_weights(place), tmp_path / "a", base="t", neutral=NEUTRAL).stopped == "seconds"
    few = train(DATA, recipe(budget=Budget(tokens=50)), fresh_weights(place), tmp_path / "b", base="t", neutral=NEUTRAL)
    assert few.stopped == "tokens"
    assert few.steps < 30
    assert (tmp_path / "b" / WEIGHTS).exists()
    enough = recipe(Stage(steps=few.steps, batch=4, rate=0.01), budget=Budget(tokens=50))
    assert train(DATA, enough, fresh_weights(place), tmp_path / "c", base="t", neutral=NEUTRAL).stopped == "done"


def test_a_loss_that_is_no_number_ends_the_training(place: str, tmp_path: Path) -> None:
    wild = recipe(Stage(steps=30, batch=4, rate=1e30))
    with pytest.raises(TrainingFailed, match=r"'test' diverged at step \d+ of 30 .*lower the recipe's rate"):
        train(DATA, wild, fresh_weights(place), tmp_path, base="tiny", neutral=NEUTRAL)
    assert not (tmp_path / WEIGHTS).exists()


def test_nothing_to_learn_from_is_said(place: str, tmp_path: Path) -> None:
    nothing = Dataset(tenant="default", user="ana")
    with pytest.raises(InvalidInput, match="nothing to learn from by 'sft'"):
        train(nothing, recipe(), fresh_weights(place), tmp_path, base="tiny", neutral=NEUTRAL)
    unremembered = DATA.model_copy(update={"pairs": (), "examples": ()})
    with pytest.raises(InvalidInput, match="'kl'"):
        train(unremembered, recipe(Stage(loss="kl")), fresh_weights(place), tmp_path, base="t", neutral=NEUTRAL)


def test_the_neutral_text_of_the_gate_is_never_replayed() -> None:
    neutral = load_neutral()
    assert len(neutral.replay) >= 20
    assert len(neutral.chat) >= 10
    assert len(neutral.plain) >= 8
    assert not {ask for ask, _ in neutral.replay} & {ask for ask, _ in neutral.chat}
