"""`memoria forget`, and `forget verify`: what remains is named, what is gone is said to be."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import make_tiny

Cli = Callable[..., tuple[int, str, str]]
OF = ("--user", "ana")
LISBON = "I moved to Lisbon."


def verified(cli: Cli, *more: object) -> tuple[int, list[str]]:
    code, shown, _ = cli("forget", "verify", *more, "--json")
    return code, json.loads(shown)["residue"]


def test_forget_shows_beliefs_too(ana: Cli) -> None:
    _, shown, _ = ana("forget", *OF, "--query", "Lisbon", "--dry-run")
    assert "2025-06-13 Ana: I moved to Lisbon." in shown
    assert "believed: user lives in Lisbon" in shown
    assert "1 turns would be forgotten with" in shown
    assert "Receipt 1: 1 turns are forgotten with" in ana("forget", *OF, "--query", "Lisbon")[1]


def test_what_was_not_forgotten_remains(ana: Cli) -> None:
    code, left = verified(ana, *OF, "--text", LISBON)
    assert code == 1
    assert any(each.startswith("Turn ") and LISBON in each for each in left)
    assert ana("forget", "verify", *OF, "--text", "Lisbon")[1].count("still says 'Lisbon'") == len(
        verified(ana, *OF, "--text", "Lisbon")[1]
    )


def test_what_was_forgotten_is_gone(ana: Cli, tmp_path: Path) -> None:
    ana("forget", *OF, "--query", "Lisbon")
    assert ana("forget", "verify", *OF, "--text", LISBON, "--text", "Lisbon") == (
        0,
        "Clean: no file of the home holds it.\n",
        "",
    )
    (tmp_path / "gone.txt").write_text(f"{LISBON}\n\nLisbon\n")
    assert verified(ana, "--file", tmp_path / "gone.txt") == (0, [])


def test_bytes_and_vectors_left_in_a_file_are_named(ana: Cli, home: Path) -> None:
    with sqlite3.connect(home / "ledger.db") as ledger:
        query = "SELECT vector FROM embedding JOIN episode ON id = episode_id WHERE text = ?"
        (vector,) = ledger.execute(query, (LISBON,)).fetchone()
    ledger.close()
    ana("forget", *OF, "--query", "Lisbon")
    (home / "copy").write_bytes(b"..." + LISBON.encode() + b"...")
    (home / "vectors").write_bytes(b"abc" + vector)
    assert verified(ana, *OF, "--text", LISBON) == (
        1,
        ["copy still holds a piece of an erased text.", "vectors still holds an erased vector."],
    )
    assert verified(ana, *OF, "--text", "Lisb")[0] == 1, "short texts are looked for too"


def test_others_words_are_their_own(ana: Cli, tmp_path: Path) -> None:
    (tmp_path / "bob.jsonl").write_text(json.dumps({"text": LISBON}))
    ana("remember", tmp_path / "bob.jsonl", "--user", "bob")
    ana("forget", *OF, "--everything")
    assert verified(ana, *OF, "--text", LISBON) == (0, [])
    assert verified(ana, "--text", LISBON)[0] == 1


def test_receipts_hold_until_something_is_put_back(ana: Cli, home: Path, tmp_path: Path) -> None:
    with sqlite3.connect(home / "ledger.db") as ledger:
        (row,) = ledger.execute("SELECT * FROM episode WHERE text = ?", (LISBON,)).fetchall()
    ana("forget", *OF, "--query", "Lisbon")
    assert ana("forget", "verify") == (0, "Clean: every receipt holds.\n", "")
    ana("remember", tmp_path / "ana.jsonl", *OF)
    assert verified(ana) == (0, []), "said anew, it is remembered anew"
    with ledger:
        ledger.execute("UPDATE episode SET recorded_at = ? WHERE text = ?", (row[9], LISBON))
    code, left = verified(ana, *OF)
    assert (code, len(left), left[0].startswith("Receipt 1 erased turn ")) == (1, 1, True)
    with ledger:
        ledger.execute("UPDATE event SET detail = replace(detail, '1', '2') WHERE kind = 'forget'")
    ledger.close()
    assert "The event log does not hold" in "".join(verified(ana)[1])


def test_a_missing_model_is_said_and_texts_are_looked_for(ana: Cli, home: Path) -> None:
    ana("forget", *OF, "--query", "Lisbon")
    (home / "copy").write_text(LISBON)
    code, shown, error = ana("forget", "verify", "--text", LISBON, "--embeddings", "hash-16")
    assert (code, shown) == (1, "copy still holds a piece of an erased text.\n")
    assert error.startswith("memoria: vectors were not looked for: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "forget needs --user"),
        (list(OF), "give one of ids, query"),
        ([*OF, "verify"], "memoria forget verify --help"),
        (["verify", "--text", "ab"], "too short"),
        (["verify", "--file", "/nonexistent"], "cannot be read"),
        (["verify", "--home", "/nonexistent"], "There is no memory"),
        (["verify", "--text", "My code is 741926.", "--ask", "What is my code?"], "--ask goes with --weights"),
        (["--before", "soon", *OF], "--before"),
    ],
)
def test_errors_are_one_line_and_exit_2(ana: Cli, arguments: list[str], said: str) -> None:
    code, shown, error = ana("forget", *arguments)
    assert (code, shown, error.count("\n")) == (2, "", 1)
    assert said in error


def test_whether_the_weights_give_it_away(ana: Cli, tmp_path: Path) -> None:
    place = make_tiny(tmp_path / "tiny")
    (tmp_path / "configs" / "memoria.yaml").write_text(f"embeddings: hash-32\ndistil: {{model: {place}}}\n")
    asked = ("forget", "verify", "--weights", *OF, "--text", "My locker code is 741926.")
    code, shown, _ = ana(*asked)
    assert code == 0
    assert shown.startswith("'741926': No adapter serves; the bare model: ")
    assert "blindly" in ana(*asked[:-1], "741926")[1]
    (found,) = json.loads(ana(*asked, "--ask", "What opens my locker?", "--json")[1])
    assert (found["secret"], found["questions"], found["exposed"]) == ("741926", ["What opens my locker?"], False)
    assert found["base"]["controls"] == 255
    code, _, said = ana("forget", "verify", "--weights", "--text", "741926")
    assert code == 2
    assert "--weights needs --user" in said
