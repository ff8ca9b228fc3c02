"""`memoria eval` over data of the test's own, and that the documents name every command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from memoria.evaluate.dialogues import TASKS
from memoria.serve.cli import adapters, app, evaluate, forget, jobs

Cli = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
TURNS = [["user", "I live in Porto."], ["assistant", "Lovely."], ["user", "I moved to Lisbon."]]
CHECKS = [
    {"question": "Where do I live?", "current": ["Lisbon"], "gone": ["Porto"], "evidence": [[0, 2]]},
    {"question": "Where do I live?", "current": ["Rome"]},
]


@pytest.fixture
def dialogues(tmp_path: Path) -> Path:
    folder = tmp_path / "suite" / "plain" / "dev"
    folder.mkdir(parents=True)
    for task in TASKS:
        row = {"id": task, "task": task, "sessions": [{"date": "2025-01-14", "turns": TURNS}], "checks": CHECKS}
        (folder / f"{task}.json").write_text(json.dumps([row] if task == "update" else []))
    return tmp_path / "suite"


def test_eval_beliefs(cli: Cli, dialogues: Path) -> None:
    code, shown, _ = cli("eval", "beliefs", "--folder", dialogues, "--json")
    report = json.loads(shown)
    assert (code, report["dialogues"], list(report["tasks"])) == (0, 1, ["update"])
    row = report["tasks"]["update"]
    assert (row["memoria"], row["checks"], row["hits"]) == (0.5, 2, 1.0)
    table = cli("eval", "beliefs", "--folder", dialogues, "--task", "update", "--failed")[1]
    assert {"memoria", "dense", "BM25", "50%"} <= set(table.replace("┃", " ").replace("│", " ").split())
    assert "'Rome'" in table


def test_eval_profile(cli: Cli, tmp_path: Path) -> None:
    item = {"id": "i", "session": "s", "time": "2025-01-01", "speaker": "user", "text": "I don't like olives."}
    asked = {"question": "What should I cook?", "evidence": ["i"], "category": "advice"}
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps({"episode_id": "e", "items": [item], "questions": [asked]}))
    code, shown, _ = cli("eval", "profile", path, "--budgets", "300,800", "--json")
    report = json.loads(shown)
    assert (code, report["homes"], list(report["budgets"])) == (0, 1, ["300", "800"])
    assert report["budgets"]["300"]["all"]["quoted"]["with"] == 1
    assert "with the profile" in cli("eval", "profile", path, "--budgets", "300", "--category", "advice")[1]
    code, _, said = cli("eval", "profile", path, "--budgets", "few")
    assert code == 2
    assert "300,800,1500" in said


def test_the_documents_name_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "docs/command-line.md").read_text(
        encoding="utf-8"
    )
    groups = {"": app, "forget ": forget.app, "eval ": evaluate.app, "adapters ": adapters.app, "jobs ": jobs.app}
    named = [
        prefix + (each.name or each.callback.__name__)  # type: ignore[union-attr]
        for prefix, group in groups.items()
        for each in group.registered_commands
    ]
    assert {"why-not", "forget verify", "eval beliefs", "recall"} <= set(named)
    assert [name for name in (*named, "forget") if f"memoria {name}" not in text] == []


def test_what_the_documents_type_is_there() -> None:
    root = typer.main.get_command(app)
    text = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("command-line.md", "adapters.md"))
    for typed in re.findall(r"memoria ([a-z][^`\n]*)", text):
        command, words = root, typed.split()
        while words and words[0] in (inner := getattr(command, "commands", {})):
            command = inner[words.pop(0)]
        known = {name for each in command.params for name in each.opts} | {"--help"}
        options = {word for word in words if re.fullmatch(r"--[a-z-]+", word)}
        assert command is root or options <= known, typed


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("drift", "--heads"), "is no folder to write into"),
        (("mirrored", "--heads"), "is no folder to write into"),
        (("pairs", "--data", "none.gz"), "is no folder to write into"),
        (("annotators", "--data", "none.gz", "--people", 4, "--newcomers", 4), "leave nobody that is known"),
    ],
)
def test_what_cannot_be_run_is_said_at_once(cli: Cli, tmp_path: Path, given: tuple[object, ...], said: str) -> None:
    (tmp_path / "file").write_text("")
    code, _, error = cli("eval", *given, "--out", tmp_path / "file" / "out")
    assert (code, said in error, error.count("\n")) == (2, True, 1), error


def test_eval_drift(cli: Cli, tmp_path: Path) -> None:
    code, shown, _ = cli("eval", "drift", "--heads", "--out", tmp_path / "out", "--json")
    rows = json.loads(shown)["rows"]
    assert (code, len(rows), {row["arm"] for row in rows}) == (0, 24, {"head", "outdated head"})
    assert "toward the old" in cli("eval", "drift", "--heads", "--out", tmp_path / "out")[1]
    code, _, said = cli("eval", "drift", "--heads", "--out", tmp_path / "out", "--months", "spring")
    assert code == 2
    assert "--months 'spring'" in said
