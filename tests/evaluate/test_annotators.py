"""Adapters on people's own labels: the measures, the split, and both studies as a whole on a tiny model."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, RenderableType
from tiny import make_tiny

from memoria.errors import InvalidInput
from memoria.evaluate.annotators import Plan, run_study
from memoria.evaluate.annotators_report import (
    auc,
    best_threshold,
    crowd,
    decided,
    macro_f1,
    majority,
    show_annotators,
    summary,
)
from memoria.evaluate.labels import Sample, is_tested, read_annotators
from memoria.evaluate.newcomers import Newcomers, run_newcomers, show_newcomers, summary_of_newcomers
from memoria.evaluate.pairs import CONTROL, PairPlan, evaluate_pairs, read_choices, split
from memoria.evaluate.pairs_report import show_pairs
from memoria.models.generation import fresh_weights

SAMPLE = Sample(people=4, least=20, learn_most=16, test_most=10)
PLAN = Plan(
    layers=1, rank=4, batch=8, rate=0.01, passes=24, alone_passes=24, own_passes=10, own_rate=0.01, fitted=16, swapped=4
)
SOLE = [f"Ann{n}" for n in range(4)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people on the same thirty texts: two find shouting bad, two find whispering bad. And one with few labels."""
    rows: list[dict[str, Any]] = []
    for item in range(30):
        loud = item % 2 == 0
        text = f"{'LOUD' if loud else 'hush'} {item}"
        rows += [
            {"user": name, "item": f"i{item}", "text": text, "label": int(loud == (number < 2))}
            for number, name in enumerate(SOLE)
        ]
    rows += [{"user": "few", "item": "i0", "text": "LOUD 0", "label": 1}]
    return write(tmp_path_factory.mktemp("data") / "labels.jsonl.gz", rows)


def test_an_item_is_tested_for_everybody_or_for_nobody(labelled: Path) -> None:
    people = read_annotators(labelled, SAMPLE)
    assert [each.name for each in people] == SOLE
    tested = {label.item for each in people for label in each.test}
    assert tested
    assert not tested & {label.item for each in people for label in each.learn}
    assert all(is_tested(item, SAMPLE) for item in tested)
    assert max(len(each.learn) for each in people) == 16
    label = people[0].learn[0]
    assert len(label.others) == (4 if label.item == "i0" else 3)
    assert read_annotators(labelled, SAMPLE) == people
    assert {label.item for label in read_annotators(labelled, Sample(people=4, least=20, seed=1))[0].test} != tested


def test_what_is_no_file_of_labels_is_refused(labelled: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="ask for fewer"):
        read_annotators(labelled, Sample(people=9, least=20))
    with pytest.raises(InvalidInput, match="does not exist"):
        read_annotators(tmp_path / "none.gz", SAMPLE)
    with pytest.raises(InvalidInput, match="neither 0 nor 1"):
        read_annotators(write(tmp_path / "a.gz", [{"user": "a", "item": "i", "text": "t", "label": 7}]), SAMPLE)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_annotators(write(tmp_path / "b.gz", [{"user": "a"}]), SAMPLE)


def test_macro_f1_and_the_area_by_hand() -> None:
    right, said = np.array([1, 1, 0, 0], dtype=bool), np.array([1, 0, 0, 0], dtype=bool)
    assert macro_f1(right, said) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert macro_f1(right, right) == 1
    assert macro_f1(np.zeros(3, dtype=bool), np.zeros(3, dtype=bool)) == 1
    assert auc(right, np.array([3.0, 1.0, 2.0, 0.0])) == pytest.approx(3 / 4)
    assert auc(right, np.zeros(4)) == pytest.approx(1 / 2)
    assert auc(np.ones(2, dtype=bool), np.zeros(2)) is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=1, max_size=12))
def test_no_threshold_is_better_than_the_best(rows: list[tuple[bool, int]]) -> None:
    right, odds = np.array([yes for yes, _ in rows]), np.array([float(value) for _, value in rows])
    found = macro_f1(right, odds > best_threshold([(right, odds)]))
    assert found == pytest.approx(max(macro_f1(right, odds > each) for each in np.arange(-6.5, 7)))


def test_adapters_learn_each_persons_judgement_and_a_cut_run_goes_on(
    place: str, labelled: Path, tmp_path: Path
) -> None:
    told = list[str]()

    def run(plan: Plan = PLAN) -> Any:
        return run_study(
            labelled, fresh_weights(place), "tiny", tmp_path, sample=SAMPLE, plan=plan, progress=told.append
        )

    bench = run()
    study = bench.study
    assert np.mean(decided(study, "A2", "zero")) > 0.9
    assert np.mean(decided(study, "A3", "zero")) > 0.9
    assert np.mean(decided(study, "base", "zero")) < 0.7
    assert np.mean(crowd(study)) < 0.5  # the other three are mostly of the other kind
    assert np.mean(majority(study)) < 0.5
    found = summary(study)
    assert found["arms"]["A2"]["zero - A1"]["mean"] == pytest.approx(
        np.mean(decided(study, "A2", "zero")) - np.mean(decided(study, "A1", "zero")), abs=1e-4
    )
    assert "A3 near" in shown(show_annotators(found))
    trained = sum(":" in each for each in told)
    (tmp_path / "A2" / f"{SOLE[0]}.json").unlink()  # as if the run had ended here
    again = run()
    assert summary(again.study) == found
    assert sum(":" in each for each in told) == trained + 1
    with pytest.raises(InvalidInput, match="another study"):
        run(Plan(layers=1, rank=4))
    with pytest.raises(InvalidInput, match=r"another study \(base differ"):  # what it kept is the other model's
        run_study(labelled, fresh_weights(place), "big", tmp_path, sample=SAMPLE, plan=PLAN, progress=told.append)
    newcomers(bench)


def shown(table: RenderableType) -> str:
    console = Console(width=240, file=StringIO(), record=True)
    console.print(table)
    return console.export_text()


def newcomers(bench: Any) -> None:
    """Those who judge alike are near: their sum tells a newcomer's labels better than three labels alone do."""
    plan = Newcomers(people=1, sizes=(3,), draws=2, passes=1, own_passes=1, temperature=0.02)
    rows = run_newcomers(bench, plan)
    assert [(row["size"], row["draw"]) for row in rows] == [(3, 0), (3, 1)]
    assert rows[0]["name"] not in {each.stem for each in (bench.out / "among" / "A3").iterdir()}
    told = summary_of_newcomers(rows)
    assert "A3 merge" in shown(show_newcomers(told))
    found = told["3"]["auc"]
    assert found["A3 merge"]["mean"] > found["A2"]["mean"]
    assert found["A3 merge - A2"]["mean"] > 0
    assert run_newcomers(bench, plan) == rows  # kept
    with pytest.raises(InvalidInput, match="another study"):  # the adapter for all has learnt from those of two
        run_newcomers(bench, Newcomers(people=2))
    with pytest.raises(InvalidInput, match="leave nobody"):
        run_newcomers(bench, Newcomers(people=4))


CHOICES = [
    {
        "source": source,
        "qid": f"{source}{n}",
        "profile": f"I like {n}." if source == "one" else None,
        "prompt": f"What about {n % 10}?",
        "chosen": f"yes, {n}" + "!" * (n % 3),
        "rejected": "yes, 3" if (n, k) == (3, 0) else "no no no no"[: 2 + 3 * k],
        "category": "c",
    }
    for source in ("one", "two")
    for n in range(12)
    for k in range(3)
]


def test_pairs_are_split_without_a_common_prompt_and_ranked(place: str, tmp_path: Path) -> None:
    data = write(tmp_path / "pairs.jsonl.gz", CHOICES)
    choices = read_choices(data)
    assert sum(len(each.rejected) for each in choices) == len(CHOICES) - 2  # equal answers are no pair
    plan = PairPlan(trained=4, tested=6, steps=2, batch=2, layers=1)
    learnt, tested = split(choices, plan)
    assert len(tested) == 12
    for source in ("one", "two"):
        prompts = [{each.prompt for each in part if each.source == source} for part in (learnt, tested)]
        assert not prompts[0] & prompts[1]
    found = evaluate_pairs(
        data, lambda: fresh_weights(place), "tiny", tmp_path / "out", plan=plan, progress=lambda _: None
    )
    assert set(found["arms"]) == {CONTROL, "base", "prompt-only", "DPO", "DPO+SFT", "SFT, DPO+SFT"}
    assert CONTROL in shown(show_pairs(found))
    two = {arm: found["arms"][arm]["two"]["all lengths"]["mean"] for arm in ("base", "prompt-only")}
    assert two["base"] == two["prompt-only"]  # nothing is stated there
    whole = found["arms"][CONTROL]["all"]
    assert whole["length-matched"]["pairs"] < whole["all lengths"]["pairs"]
    for base, other in (("tiny", PairPlan()), ("big", plan)):
        with pytest.raises(InvalidInput, match="another study"):
            evaluate_pairs(data, lambda: fresh_weights(place), base, tmp_path / "out", plan=other, progress=print)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_choices(write(tmp_path / "bad.gz", [{"source": "x"}]))
