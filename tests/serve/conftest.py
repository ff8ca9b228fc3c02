"""The command line run in this process, with hashed embeddings and a home of Ana's.

What enters: nothing. What leaves: `cli`, which takes arguments and gives (exit code, stdout, stderr).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memoria.serve.cli import main

Cli = Callable[..., tuple[int, str, str]]
SAID = [
    ("2025-01-12", "I live in Porto."),
    ("2025-02-21", "My sister is Leonor."),
    ("2025-03-30", "I love fado."),
    ("2025-06-13", "I moved to Lisbon."),
]


@pytest.fixture
def cli(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "memoria.yaml").write_text("embeddings: hash-32\n")
    monkeypatch.setenv("MEMORIA_CONFIGS", str(tmp_path / "configs"))
    monkeypatch.setenv("MEMORIA_HOME", str(home))
    monkeypatch.setenv("MEMORIA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["memoria", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        shown = capsys.readouterr()
        assert isinstance(done.value.code, int)
        return done.value.code, shown.out, shown.err

    return run


@pytest.fixture
def ana(cli: Cli, tmp_path: Path) -> Cli:
    """`cli` over a home that remembers `SAID`."""
    rows = [{"text": text, "speaker": "Ana", "time": f"{day}T09:00:00Z", "session": day} for day, text in SAID]
    (tmp_path / "ana.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert cli("remember", tmp_path / "ana.jsonl", "--user", "ana")[0] == 0
    return cli
