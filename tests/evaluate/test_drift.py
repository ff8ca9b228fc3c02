"""A year of changing tastes: what memory holds for true is never outdated; each way of keeping up is what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from numpy.linalg import norm
from rich.console import Console
from safetensors.numpy import load_file
from tiny import make_tiny

from memoria import HashEmbeddings
from memoria.distill.base import Base
from memoria.distill.recipes import Recipe, Stage
from memoria.errors import InvalidInput
from memoria.evaluate.drift import ADAPTERS, HEADS, Bench, evaluate_drift
from memoria.evaluate.drift_data import Year, held_out, months_of, read_year
from memoria.evaluate.drift_report import DriftReport, Point, show_drift_report, wilson
from memoria.evaluate.mirrored_data import SIDES, Side
from memoria.models.adapter_files import CONFIG, WEIGHTS
from memoria.models.embeddings import Embedder

RECIPE = Recipe(name="test", rank=4, layers=1, stages=(Stage(steps=6, batch=4, rate=0.01),))


@pytest.fixture(scope="module")
def year() -> Year:
    """Three months of two tastes, one of which changes in the second."""
    tastes = {taste.dimension.name: taste for taste in read_year().tastes}
    return Year(3, (replace(tastes["hot drinks"], month=2), tastes["sweet or savoury"]))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    place = str(make_tiny(tmp_path_factory.mktemp("tiny")))
    embedder = Embedder(HashEmbeddings(256), "hash")
    return Bench(
        base=Base(place, place),
        recipe=RECIPE,
        embedder=embedder,
        folder=tmp_path_factory.mktemp("drift"),
        months=(2, 3),
        own=3,
        progress=lambda what: None,
    )


@pytest.fixture(scope="module")
def report(year: Year, bench: Bench) -> DriftReport:
    return evaluate_drift(year, bench, arms=ADAPTERS)


@pytest.mark.parametrize("begun", SIDES)
def test_memory_teaches_what_the_person_wants_now(begun: Side) -> None:
    year = read_year()
    changing = {taste.dimension.name: taste for taste in year.tastes}
    questions = {(t.dimension.name, c.ask): c for t in year.tastes for c in t.dimension.train}
    for month in months_of(year, begun):
        assert len(month.new) == len(year.tastes)
        assert len({(pair.group, pair.prompt) for pair in month.live}) == len(month.live)  # the newest of each question
        wanted = [
            questions[pair.group, pair.prompt].of(changing[pair.group].side(begun, month.number)) for pair in month.live
        ]
        outdated = sum(pair.chosen != want for pair, want in zip(month.live, wanted, strict=True))
        assert outdated <= 8  # of tastes that go by other words than they are stated in, until asked again
    assert month.number == 12
    assert len(month.live) > 50
    assert len(month.told) - len(month.live) > 80


def test_nothing_that_is_asked_was_told() -> None:
    year = read_year()
    told = {choice.ask for taste in year.tastes for choice in taste.dimension.train}
    assert len(held_out(year)) == 36
    assert not told & {choice.ask for _, choice in held_out(year)}
    assert sum(taste.month is not None for taste in year.tastes) == 6


def test_a_head_follows_memory_and_one_of_all_that_was_said_does_not(bench: Bench) -> None:
    report = evaluate_drift(read_year(), bench, arms=HEADS)
    rows = {(row["arm"], row["month"]): row for row in report.rows()}
    late = range(6, 13)
    new = {arm: sum(rows[arm, month]["new"]["share"] for month in late) / len(late) for arm in HEADS}
    assert new["head"] > new["outdated head"]  # by words alone; by meanings the gap is far wider
    assert rows["head", 1]["new"] is None
    assert len(rows) == 24
    assert all(point.side == "a" for point in report.points)  # the twin's is the same with other signs


def products(folder: Path) -> dict[str, Any]:
    """What a LoRA adds to each layer."""
    weights, config = load_file(folder / WEIGHTS), json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    scale = config["lora_alpha"] / config["r"]
    return {
        name: scale * weights[name.replace("lora_A", "lora_B")] @ weights[name] for name in weights if "lora_A" in name
    }


def test_each_arm_is_made_as_it_says(bench: Bench, report: DriftReport) -> None:
    for side in SIDES:
        (folder,) = bench.folder.glob(f"*/{side}")
        made, former, latest = (products(folder / name) for name in ("merge 3", "continue 2", "own 3"))
        for name, each in made.items():
            missed = norm(each - (former[name] + latest[name]) / 2)
            assert missed <= min(norm(former[name]), norm(latest[name])) / 2 + 1e-5  # none of the rank is nearer
        after, own = (load_file(folder / name / WEIGHTS) for name in ("continue 3", "own 3"))
        assert any((after[name] != own[name]).any() for name in after)
        steps = [json.loads((folder / f"{name} 3/trained.json").read_text())["steps"] for name in ("retrain", "own")]
        assert steps == [6, 3]
        assert not (folder / "retrain 1").exists()  # nothing is distilled before the second month


def test_what_is_measured(report: DriftReport) -> None:
    rows = {(row["arm"], row["month"]): row for row in report.rows()}
    assert [key for key in rows if key[0] == "base"] == [("base", 2), ("base", 3)]
    for month in (2, 3):
        base = rows["base", month]
        assert (base["new"]["share"], base["stable"]["share"]) == (0.5, 0.5)  # over the two people
        assert (base["chat"], base["plain"], base["old"]["share"]) == (1, 1, 0.5)
    for arm in ADAPTERS:
        row = rows[arm, 3]
        assert (row["new"]["n"], row["old"]["n"], row["stable"]["n"]) == (6, 6, 6)
        assert row["seconds"] > 0
        assert row["chat"] > 0


def test_a_run_that_was_cut_short_goes_on(year: Year, bench: Bench, report: DriftReport) -> None:
    done: list[str] = []
    (trained,) = bench.folder.glob("*/a/continue 3/trained.json")
    trained.unlink()
    again = evaluate_drift(year, replace(bench, progress=done.append), arms=ADAPTERS)
    assert done == ["a: continue 3"]
    assert [row | {"seconds": 0} for row in again.rows()] == [row | {"seconds": 0} for row in report.rows()]


def test_what_no_adapter_can_be_made_by_is_refused_at_once(year: Year, bench: Bench) -> None:
    with pytest.raises(InvalidInput, match="months 1 to 3, not 6"):
        evaluate_drift(year, replace(bench, months=(3, 6)), arms=ADAPTERS)
    twice = RECIPE.model_copy(update={"stages": RECIPE.stages * 2})
    with pytest.raises(InvalidInput, match="has 2 stages"):
        evaluate_drift(year, replace(bench, recipe=twice), arms=ADAPTERS)


def test_the_table_and_its_intervals(report: DriftReport) -> None:
    shown = StringIO()
    Console(file=shown, width=170).print(show_drift_report(report))
    assert "toward the old" in shown.getvalue()
    assert wilson([1.0] * 8 + [0.0] * 2) == (0.49, 0.943)
    assert DriftReport(model="m", recipe=RECIPE, own=1, points=(Point(arm="x", side="a", month=1),)).rows()


def test_a_year_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "year.yaml"
    path.write_text("months: 2\ntastes: [{pair: pair1, dimension: weather}]\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no dimension 'weather' in pair1"):
        read_year(path)
    path.write_text("months: 2\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no year of tastes"):
        read_year(path)
