"""The recall suite on a small data set of our own, and its parts against values worked out by hand."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from math import log2
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from memoria import HashEmbeddings, InvalidInput, Settings
from memoria.evaluate.baselines import Baselines
from memoria.evaluate.dataset import parse_moment, read_cases
from memoria.evaluate.metrics import bootstrap, score_ranking
from memoria.evaluate.recall import evaluate_recall
from memoria.evaluate.report import show_report
from memoria.models.embeddings import Embedder


def write(path: Path, cases: list[dict]) -> Path:
    path.write_bytes(gzip.compress("\n".join(json.dumps(case) for case in cases).encode()))
    return path


def case() -> dict:
    said = ["I keep bees in the garden", "We flew to Oslo", "My sister sings", "The garden is dry", "I sold the bees"]
    items = [
        {"id": f"i{n}", "session": f"s{n // 2}", "time": f"2025-01-0{n + 1}", "speaker": "Ana", "text": text}
        for n, text in enumerate(said)
    ]
    items[1] |= {"image_caption": "a fjord", "has_answer": "LABEL"}
    questions = [
        ("Where did we fly?", ["i1"], None, False, "travel"),
        ("What about the bees?", ["i0"], "2025-01-02", False, "garden"),
        ("What car?", [], None, True, "garden"),
        ("Who sang?", ["i2"], None, False, "adversarial"),
    ]
    return {
        "episode_id": "e",
        "speakers": ["Ana"],
        "items": items,
        "questions": [
            {"question": q, "evidence": e, "evidence_sessions": [], "ask_time": t, "abstain": a, "category": c}
            for q, e, t, a, c in questions
        ],
    }


def test_the_suite_end_to_end(tmp_path: Path) -> None:
    path = write(tmp_path / "small.jsonl.gz", [case(), case() | {"episode_id": "f"}])
    embedder = Embedder(HashEmbeddings(256), "hash")
    report = evaluate_recall(path, embedder=embedder, settings=Settings())
    found = report.to_json()
    assert (found["cases"], found["items"], found["questions"]) == (2, 10, 4)
    assert found["systems"]["memoria"]["R@5"]["mean"] == 1
    assert found["systems"]["memoria"]["questions"] == 4
    assert set(found["categories"]) == {"travel", "garden"}
    assert set(found["systems"]) == {"memoria", "dense", "RRF", "mix"}
    console = Console(record=True, width=160, file=None, quiet=True)
    console.print(show_report(report))
    assert evaluate_recall(path, embedder=embedder, settings=Settings(), limit=1).cases == 1


def test_a_question_of_a_month_is_asked_at_its_end(tmp_path: Path) -> None:
    for month, end in (("2025-01", datetime(2025, 2, 1, tzinfo=UTC)), ("2025-12", datetime(2026, 1, 1, tzinfo=UTC))):
        dated = case()
        dated["questions"][0]["ask_time"] = month
        (read,) = read_cases(write(tmp_path / "a.jsonl.gz", [dated]))
        assert read.questions[0].asked == end


def test_labels_are_no_memory_and_times_hold(tmp_path: Path) -> None:
    (read,) = read_cases(write(tmp_path / "a.jsonl.gz", [case()]))
    texts = " ".join(item.turn.text for item in read.items)
    assert "LABEL" not in texts
    assert "We flew to Oslo [image: a fjord]" in texts
    assert read.questions[1].asked == datetime(2025, 1, 2, tzinfo=UTC)
    assert [question.answerable for question in read.questions] == [True, True, False, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-08T13:56:00", datetime(2023, 5, 8, 13, 56, tzinfo=UTC)),
        ("2025-01", datetime(2025, 1, 1, tzinfo=UTC)),
        ("March-15-2024", datetime(2024, 3, 15, tzinfo=UTC)),
        ("2024年04月01日 周一 08:30", datetime(2024, 4, 1, 8, 30, tzinfo=UTC)),
        (None, None),
    ],
)
def test_times_in_every_spelling(text: str | None, expected: datetime | None) -> None:
    assert parse_moment(text) == expected


def test_bad_data_sets_are_named(tmp_path: Path) -> None:
    for content, said in (("{", "a.jsonl:1: not JSON"), ('{"episode_id": "x"}', "a.jsonl:1: 'items' is missing")):
        (tmp_path / "a.jsonl").write_text(content)
        with pytest.raises(InvalidInput, match=said):
            list(read_cases(tmp_path / "a.jsonl"))
    wrong = case()
    wrong["items"][0]["text"] = None
    for content in ("[]", json.dumps(wrong), json.dumps(case()).replace("2025-01-01", "2024年13月01日")):
        (tmp_path / "a.jsonl").write_text(content)
        with pytest.raises(InvalidInput, match=r"a\.jsonl:1"):
            list(read_cases(tmp_path / "a.jsonl"))
    (tmp_path / "a.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(InvalidInput, match="cannot be read"):
        list(read_cases(tmp_path / "a.jsonl.gz"))
    with pytest.raises(InvalidInput, match="does not exist"):
        list(read_cases(tmp_path / "b.jsonl"))
    with pytest.raises(InvalidInput, match="no known spelling"):
        parse_moment("some day")


def test_measures_by_hand() -> None:
    ranked = ["a", "b", "c", "d", "e", "f"]
    sessions = ["1", "1", "2", "3", "4", "5"]
    scores = score_ranking(ranked, sessions, {"b", "f", "z"}, {"1", "5"})
    assert scores["R@1"] == 0
    assert scores["R@5"] == pytest.approx(1 / 3)
    assert scores["R@10"] == pytest.approx(2 / 3)
    assert scores["all@10"] == 0
    assert scores["MRR"] == 0.5
    gain, ideal = 1 / log2(3) + 1 / log2(7), 1 + 1 / log2(3) + 1 / log2(4)
    assert scores["NDCG@10"] == pytest.approx(gain / ideal)
    assert scores["session R@1"] == 0.5
    assert scores["session R@5"] == 1


def test_an_interval_holds_its_mean_and_narrows() -> None:
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 1000
    (low, high), (low2, high2) = bootstrap(few), bootstrap(many)
    assert low < low2 < 0.5 < high2 < high
    assert bootstrap([]) == (0.0, 0.0)


def test_baselines_rank_as_defined() -> None:
    texts = ["a: tea tea", "a: tea and sea", "a: sea", "a: hills"]
    vectors = np.eye(4, dtype=np.float32)
    query = np.array([0.1, 0.7, 0.9, 0.0], dtype=np.float32)
    orders = Baselines(texts, vectors).rank("tea", query, np.array([True, True, True, False]), 3)
    assert orders["dense"].tolist() == [2, 1, 0]
    assert orders["RRF"].tolist() == [0, 1, 2]  # 1/63 + 1/61, just above 1/62 + 1/62, and 1/61 alone
    assert orders["mix"].tolist() == [1, 0, 2]  # .75 + .68, then 0 + 1 and 1 + 0, which tie
    lexical = Baselines(texts, vectors)._bm25("tea", np.ones(4, dtype=bool))
    assert lexical[0] > lexical[1] > lexical[2] == lexical[3] == 0
