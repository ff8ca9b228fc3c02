"""`memoria adapters` from the command line, and a receipt that tells what forgetting did to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from adapting import add

from memoria import Memory
from memoria.distill.records import Check, Verdict
from memoria.records import Scope

Cli = Callable[..., tuple[int, str, str]]
OF = ("--user", "ana")
ANA = Scope(user="ana")
WEAK = Verdict(
    passed=False,
    checks=(Check(name="pref", measured=0.4, relation=">=", bar=0.6, passed=False),),
    figures={"pref": 0.4},
    why="It ranks 0.40 of the held-out pairs right and 0.60 are needed.",
)


@pytest.fixture
def distilled(ana: Cli, home: Path) -> Cli:
    """Two that served or serve, and one that the gate rejected."""
    with Memory(home, embeddings="hash-32") as memory:
        add(memory, [e.id for e in memory.episodes(user="ana") if "fado" in e.text], serve=True)
        add(memory, serve=True)
        add(memory)
        memory._registry.judge(ANA, "lora-3", WEAK)
    return ana


def test_list_and_show(distilled: Cli) -> None:
    code, shown, _ = distilled("adapters", "list", *OF)
    rows = [line.split()[:2] for line in shown.splitlines()[1:]]
    assert (code, rows) == (0, [["lora-3", "rejected"], ["lora-2", "serving"], ["lora-1", "retired"]])
    assert [each["id"] for each in json.loads(distilled("adapters", "list", *OF, "--json")[1])][-1] == "lora-3"
    shown = distilled("adapters", "show", "lora-2", *OF)[1]
    assert "It may serve." in shown
    assert "user lives in Porto outdated" in shown
    assert "I love fado." in shown
    shown = distilled("adapters", "show", "lora-3", *OF)[1]
    assert "It may not serve: It was rejected: It ranks 0.40" in shown
    assert "pref: 0.400 >= 0.600" in shown
    told = json.loads(distilled("adapters", "show", "lora-1", *OF, "--json")[1])
    assert (told["permit"]["why"], len(told["origins"])) == ("It is retired; lora-2 serves.", 1)


def test_promote_rollback_and_compare(distilled: Cli) -> None:
    code, _, err = distilled("adapters", "promote", "lora-3", *OF)
    assert (code, "lora-3 is not promoted" in err) == (2, True)
    assert "will not serve: too blunt" in distilled("adapters", "reject", "lora-3", *OF, "--why", "too blunt")[1]
    assert "It was rejected: too blunt" in distilled("adapters", "show", "lora-3", *OF)[1]
    assert distilled("adapters", "promote", "lora-3", *OF, "--force")[1] == "lora-3 serves.\n"
    assert distilled("adapters", "rollback", "lora", *OF)[1] == "lora-2 serves.\n"
    assert json.loads(distilled("adapters", "rollback", "card", *OF, "--json")[1]) is None
    shown = distilled("adapters", "compare", "lora-1", "lora-3", *OF)[1]
    assert ["pref", "0.8", "0.4"] in [line.split() for line in shown.splitlines()]
    assert "only lora-3 was made of" in shown
    code, _, err = distilled("adapters", "show", "lora-9", *OF)
    assert (code, "memoria adapters list --user ana" in err) == (2, True)


def test_ctrl_c_is_told_of(distilled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Memory, "adapters", stopped)
    said = "memoria: stopped; what was acknowledged is kept.\n"
    assert distilled("adapters", "list", *OF) == (130, "", said)


def test_a_receipt_tells_what_serves_no_more(distilled: Cli, tmp_path: Path) -> None:
    assert distilled("adapters", "export", "lora-2", tmp_path / "out", *OF)[0] == 0
    assert (tmp_path / "out" / "manifest.json").exists()
    shown = distilled("forget", *OF, "--query", "Porto", "--dry-run")[1]
    assert "Made of it: lora-2, lora-3; they would serve no more. In their place: lora-1." in shown
    shown = " ".join(distilled("forget", *OF, "--query", "Porto")[1].split())
    assert "Made of it: lora-2, lora-3; they serve no more and their files are to go. In their place: lora-1." in shown
    assert "1 copies of them left the home before" in shown
    assert "quarantined" in distilled("adapters", "show", "lora-2", *OF)[1]


def test_export_behind_a_password(distilled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography")
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "azulejo")
    sealed = tmp_path / "ana.memoria"
    assert distilled("adapters", "export", "lora-2", sealed, *OF, "--encrypt")[0] == 0
    assert distilled("adapters", "unlock", sealed, tmp_path / "opened")[0] == 0
    assert (tmp_path / "opened" / "adapter_model.safetensors").read_bytes() == b"weights"
