"""The profile suite on a small data set of our own: where the profile must help, and where it must cost nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.console import Console

from memoria import HashEmbeddings, Settings
from memoria.evaluate.dataset import read_cases
from memoria.evaluate.profile import choose, evaluate_profile
from memoria.evaluate.profile_report import ProfileReport, show_profile_report, summary_of
from memoria.models.embeddings import Embedder

FOODS = (
    "olives anchovies capers fennel radishes turnips leeks okra kale chard beets celery parsnips lentils tofu tempeh "
    "miso seaweed figs dates"
).split()
ASKED = "Can you recommend a dinner that I would like?"


def case(ask_time: str | None = None, foods: list[str] = FOODS) -> dict:
    """Somebody who says on twenty days what they cannot stand, and asks for a dinner."""
    items = [
        {"id": f"i{n}", "session": f"s{n}", "time": f"2025-01-{n + 1:02}", "speaker": "user", "text": text}
        for n, text in enumerate(f"By the way, I don't like {food} for dinner." for food in foods)
    ]
    told = {"question": ASKED, "evidence": [each["id"] for each in items], "ask_time": ask_time, "category": "advice"}
    other = {"question": "What about fennel?", "evidence": ["i3"], "ask_time": None, "category": "fact"}
    return {"episode_id": "e", "items": items, "questions": [told, other]}


def report_of(tmp_path: Path, *cases: dict, **more: object) -> ProfileReport:
    path = tmp_path / "small.jsonl"
    path.write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    settings = Settings(cache_dir=tmp_path / "cache")
    return evaluate_profile(path, embedder=Embedder(HashEmbeddings(256), "hash"), settings=settings, **more)  # type: ignore[arg-type]


def test_the_profile_tells_what_no_quote_has_room_for(tmp_path: Path) -> None:
    report = report_of(tmp_path, case(), budgets=(1500,))
    found = report.to_json()["budgets"]["1500"]
    advice = found["categories"]["advice"]
    assert advice["told"]["with"] > advice["told"]["without"]
    assert advice["quoted"]["with"] == advice["quoted"]["without"] == 0.5  # ten hits, of twenty that answer
    assert found["lines_stated"] > 0
    assert report.lines > 0


def test_the_profile_costs_no_evidence_at_any_budget(tmp_path: Path) -> None:
    report = report_of(tmp_path, case(), budgets=tuple(range(20, 400, 20)))
    assert len(report.rows) == 2 * len(report.budgets)
    for row in report.rows:
        assert row.within["quoted"] == row.without["quoted"]
        assert row.within["told"] >= row.without["told"]
        assert max(row.tokens) <= row.budget
    assert any(row.stated for row in report.rows)


def test_nothing_said_later_is_in_the_profile(tmp_path: Path) -> None:
    late = case(ask_time="2025-01-02T12:00:00")
    late["questions"][0]["evidence"] = ["i19"]
    before = late["questions"][0] | {"ask_time": "2024-12-01"}
    report = report_of(tmp_path, late | {"questions": [*late["questions"], before]}, budgets=(1500,))
    assert (report.homes, report.turns, report.unasked) == (2, 22, 1)
    (early,) = [row for row in report.rows if row.category == "advice"]
    assert early.within["told"] == 0


def test_the_chosen_option_and_what_it_is_compared_with(tmp_path: Path) -> None:
    asked = case()
    options = {"A": "A bowl of rice", "B": "Grilled olives with anchovies and capers for dinner", "C": "A bowl of soup"}
    asked["questions"] = [
        {"question": ASKED, "evidence": [], "category": "choice", "options": options, "gold_option": gold}
        for gold in ("A", "B")
    ]
    (read,) = read_cases(_written(tmp_path, asked))
    assert [each.gold for each in read.questions] == [0, 1]
    found = report_of(tmp_path, asked, budgets=(800,), categories=["choice"]).to_json()
    assert found["longest_option"] == 0.5
    assert found["budgets"]["800"]["all"]["context"]["with"] == 0.5
    assert "quoted" not in found["budgets"]["800"]["all"]


def test_choosing_by_hand() -> None:
    eye = np.eye(4, dtype=np.float32)
    lines = eye[[0, 0, 0, 1, 2]]
    assert choose(eye, lines) == 0
    assert choose(eye, lines[3:4], eye[2]) == 1
    assert choose(eye, eye[:0], eye[3]) == 3


def test_categories_limits_and_the_tables(tmp_path: Path) -> None:
    report = report_of(tmp_path, case(), case(), budgets=(300,), categories=["fact"], limit=1)
    assert (report.homes, report.categories()) == (1, ["fact"])
    console = Console(record=True, width=160, quiet=True)
    console.print(show_profile_report(report))
    summary = summary_of([(0.0, 1.0), (1.0, 0.0), (0.5, 0.5), (0.0, 1.0)])
    assert (summary["better"], summary["worse"], summary["difference"]) == (2, 1, 0.25)
    low, high = summary["ci95"]
    assert low < 0.25 < high


def _written(folder: Path, made: dict) -> Path:
    path = folder / "one.jsonl"
    path.write_text(json.dumps(made), encoding="utf-8")
    return path
