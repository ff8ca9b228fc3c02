"""The command line, as a user types it: in processes of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = [
    {"text": "I moved to Lisbon in June", "speaker": "Ana", "time": "2025-06-13T09:00:00Z", "session": "move"},
    {"text": "How nice!", "role": "assistant", "time": "2025-06-13T09:01:00Z", "session": "move"},
]


def memoria(*arguments: object, home: Path, cache: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"MEMORIA_HOME": str(home), "MEMORIA_CACHE": str(cache), "COLUMNS": "200"}
    command = [sys.executable, "-c", "from memoria.serve.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd, check=False)


@pytest.fixture
def turns(tmp_path: Path) -> Path:
    path = tmp_path / "turns.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)))
    return path


def test_remember_recall_status(turns: Path, home: Path, model_cache: Path) -> None:
    at = {"home": home, "cache": model_cache}
    said = memoria("remember", turns, "--user", "ana", **at)
    assert (said.returncode, said.stdout) == (0, "2 of 2 turns are new and now remembered for ana.\n"), said.stderr
    again = json.loads(memoria("remember", turns, "--user", "ana", "--json", **at).stdout)
    assert again == {"given": 2, "new": 0, "ids": []}
    shown = memoria("recall", "Where do I live?", "--user", "ana", "--explain", **at)
    assert "[1] 2025-06-13 Ana" in " ".join(shown.stdout.split())
    assert "shape" in shown.stdout
    found = json.loads(memoria("recall", "Where do I live?", "--user", "ana", "-k", 1, "--json", **at).stdout)
    assert found["hits"][0]["episode"]["text"] == "I moved to Lisbon in June"
    assert {"query", "user", "tenant", "hits", "dropped", "confidence", "known", "text", "tokens"} <= found.keys()
    status = json.loads(memoria("status", "--verify", "--json", **at).stdout)
    assert (status["episodes"], status["people"], status["faults"]) == (2, 1, [])
    assert "everything holds together" in memoria("status", "--verify", **at).stdout.lower()
    assert memoria("reindex", **at).returncode == 0
    assert "2 turns are embedded by hash-32" in memoria("reembed", "--embeddings", "hash-32", **at).stdout


def test_forget(turns: Path, home: Path, model_cache: Path) -> None:
    at = {"home": home, "cache": model_cache}
    memoria("remember", turns, "--user", "ana", **at)
    asked = ("forget", "--user", "ana", "--query", "Lisbon")
    assert "1 turns would be forgotten" in memoria(*asked, "--dry-run", **at).stdout
    receipt = json.loads(memoria(*asked, "--json", **at).stdout)
    assert (receipt["episodes"], receipt["complete"], receipt["residue"]) == (1, True, [])
    assert "Receipt 2: 1 turns are forgotten" in memoria("forget", "--user", "ana", "--everything", **at).stdout
    assert json.loads(memoria("status", "--json", **at).stdout)["episodes"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["remember", "none.jsonl", "--user", "ana"], "none.jsonl does not exist"),
        (["recall", "x", "--user", "nobody", "--embeddings", "hash"], "Nothing is remembered for user 'nobody'"),
        (["recall", "x", "--user", " ", "--embeddings", "hash"], "user is empty"),
        (["recall", "x", "--user", "ana", "--now", "yesterday", "--embeddings", "hash"], "--now"),
        (["status", "--home", "/nonexistent"], "There is no memory"),
        (["eval", "recall", "none.jsonl.gz"], "does not exist"),
        (["eval", "recall", "none.jsonl.gz", "--off", "smell"], "no signal 'smell'"),
        (["recall"], "see: memoria recall --help"),
        (["recall", "x", "--user", "ana", "-k", "0"], "-k"),
        (["frobnicate"], "frobnicate"),
        (["demo", "--data", "/nonexistent"], "--data"),
    ],
)
def test_errors_are_one_line_and_exit_2(arguments: list[str], said: str, home: Path, model_cache: Path) -> None:
    done = memoria(*arguments, home=home, cache=model_cache)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("memoria: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_help_is_help(home: Path, model_cache: Path) -> None:
    for arguments in ([], ["--help"], ["recall", "--help"]):
        done = memoria(*arguments, home=home, cache=model_cache)
        assert "Usage: " in done.stdout + done.stderr
        assert "memoria: " not in done.stderr


def test_a_bad_file_writes_nothing(tmp_path: Path, home: Path, model_cache: Path) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text(json.dumps(LINES[0]) + '\n{"text": ""}\n')
    done = memoria("remember", path, "--user", "ana", home=home, cache=model_cache)
    assert done.returncode == 2
    assert f"{path}:2: the text is empty" in done.stderr
    status = json.loads(memoria("status", "--json", "--home", home, home=home, cache=model_cache).stdout or "{}")
    assert status.get("episodes", 0) == 0


def test_eval_recall(tmp_path: Path, home: Path, model_cache: Path) -> None:
    items = [{"id": "1", "session": "s", "time": "2025-01-01", "speaker": "Ana", "text": "I keep bees"}]
    question = {"question": "bees?", "evidence": ["1"], "category": "c"}
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"episode_id": "e", "items": items, "questions": [question]}))
    done = memoria("eval", "recall", path, "--json", "--embeddings", "hash", home=home, cache=model_cache)
    assert json.loads(done.stdout)["systems"]["memoria"]["R@1"]["mean"] == 1
    table = memoria("eval", "recall", path, "--embeddings", "hash", home=home, cache=model_cache)
    assert "NDCG@10" in table.stdout


def test_the_demo(home: Path, model_cache: Path) -> None:
    done = memoria("demo", home=home, cache=model_cache, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answered = re.search(r"(\d+) of 10 answered as the data say", " ".join(done.stdout.split()))
    assert answered is not None
    assert int(answered[1]) >= 9  # int8 arithmetic differs a little from one processor to another
    assert done.stdout.count("I do not know: you never told me.") == 2
    assert "nothing amiss" in done.stdout
