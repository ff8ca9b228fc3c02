"""The card suite on a made-up data set, with a model that does as its prompt says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memoria import HashEmbeddings, Settings
from memoria.evaluate.card_report import CardReport
from memoria.evaluate.preference_card import evaluate_card
from memoria.models.embeddings import Embedder
from memoria.models.likelihood import Row
from memoria.store.text import terms

FOODS = [
    "mushrooms",
    "peppers",
    "olives",
    "onions",
    "anchovies",
    "spinach",
    "artichokes",
    "capers",
    "leeks",
    "aubergines",
]


def _question(number: int, food: str) -> dict[str, Any]:
    others = FOODS[6:9]
    options = dict(zip("ABCD", [*others[:2], f"{food} with plenty of everything else on it", others[2]], strict=True))
    return {
        "qid": f"q{number}",
        "question": f"Which pizza should I order, number {number}?",
        "category": "pizza",
        "evidence": [f"p{number}"],
        "evidence_sessions": [f"s{number}"],
        "options": options,
        "gold_option": "C",
        "ask_time": None,
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six preferences, two of them in words that no rule reads, between other talk."""
    said = [f"I love {food}." for food in FOODS[:4]] + [f"Hm, {food}..." for food in FOODS[4:6]]
    items = [{"id": f"p{n}", "session": f"s{n}", "speaker": "user", "text": text} for n, text in enumerate(said)]
    items += [{"id": f"f{n}", "session": f"t{n}", "speaker": "user", "text": f"What is {n} times 7?"} for n in range(9)]
    case = {"episode_id": "one", "items": items, "questions": [_question(*each) for each in enumerate(FOODS[:6])]}
    path = tmp_path / "made-up.jsonl"
    path.write_text(json.dumps(case) + "\n")
    return path


class Obedient:
    """Likes what its prompt says that the person likes, whatever it is, and longer answers less."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def nll(self, rows: Sequence[Row]) -> Any:
        self.rows += rows
        return np.array([self._nll(row) for row in rows])

    def _nll(self, row: Row) -> float:
        wanted = {word for line in row.system.splitlines() if " like " in line for word in terms(line)}
        refused = {word for line in row.system.splitlines() if " not like " in line for word in terms(line)}
        said = set(terms(row.answer))
        return 3 + len(row.answer) / 100 - len(said & (wanted - refused)) + len(said & refused)


def _run(data: Path, tmp_path: Path, scorer: Obedient, **more: Any) -> CardReport:
    embedder = Embedder(HashEmbeddings(64), "hash-64")
    return evaluate_card(
        data, scorer=scorer, embedder=embedder, settings=Settings(cache_dir=tmp_path), preferences=3, **more
    )


def test_card_helps_a_model_that_heeds_it(data: Path, tmp_path: Path) -> None:
    report = _run(data, tmp_path, Obedient(), split="dev")
    assert report.people == 1
    assert report.summary("none, likelihood")["right"] == 0.0
    for way in ("card, likelihood", "card, gain", "card, contrast"):
        assert report.summary(way)["right"] == 1.0, way
        assert report.summary(way)["over_none"] == 1.0
    assert report.summary("longest option")["right"] == 1.0


def test_splits_share_no_question_and_unread_preferences_are_told(data: Path, tmp_path: Path) -> None:
    dev, test = Obedient(), Obedient()
    assert _run(data, tmp_path, dev, split="dev").to_json()["preferences_read"] == 1.0
    report = _run(data, tmp_path, test, split="test")
    assert report.to_json()["preferences_read"] == pytest.approx(1 / 3, abs=1e-3)
    assert not {row.prompt for row in dev.rows} & {row.prompt for row in test.rows}
    # What is not read is not in the card.
    assert not [row for row in test.rows if "like" in row.system and FOODS[5] in row.system]


def test_history_is_for_a_few_questions_and_options_are_shuffled(data: Path, tmp_path: Path) -> None:
    scorer = Obedient()
    report = _run(data, tmp_path, scorer, split="dev", histories=1)
    assert report.summary("history, likelihood")["questions"] == 1
    assert report.summary("card, likelihood")["questions"] == 3
    assert any("What is" in row.system for row in scorer.rows)
    places = {
        [len(each.answer) for each in rows].index(max(len(each.answer) for each in rows)) for rows in _asked(scorer)
    }
    assert len(places) > 1


def _asked(scorer: Obedient) -> list[list[Row]]:
    """The rows of each question as it was first asked."""
    found: dict[str, list[Row]] = {}
    for row in scorer.rows:
        found.setdefault(row.prompt, []).append(row)
    return [rows[:4] for rows in found.values()]


def test_same_run_same_report(data: Path, tmp_path: Path) -> None:
    one, two = (_run(data, tmp_path, Obedient(), split="dev").to_json() for _ in range(2))
    assert one == two
