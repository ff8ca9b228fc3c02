"""A scripted person, and an assistant that talks with them over several sessions and restarts."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import OpenMemory
from memoria_agents import Assistant, SimulatedUser
from memoria_agents.simulated_user import Said

from memoria import InvalidInput

SCRIPT = """
- talk: spring
  at: 2025-03-01T09:00:00+00:00
  lines:
    - say: ['I live in Porto.', 'I live in Porto now.']
    - say: My sister is Leonor.
    - say: I can't stand running.
    - say: Where do I live?
      expect: Porto
- talk: summer
  at: 2025-06-13T09:00:00+00:00
  lines:
    - say: I moved to Lisbon!
    - say: Where do I live?
      expect: You live in Lisbon
      never: You live in Porto
- talk: winter
  at: 2025-12-24T09:00:00+00:00
  lines:
    - say: ['Who is my sister?', "What is my sister's name?"]
      expect: Your sister is Leonor
    - say: Where do I live?
      expect: You live in Lisbon
    - say: What changed?
      expect: you live in Lisbon
    - say: What is the licence plate of my motorcycle?
      expect: I do not know
    - say: Who is the dentist of my sister?
      never: dentist is
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "ana.yaml"
    path.write_text(SCRIPT)
    return path


@pytest.mark.parametrize("seed", [0, 1])
def test_an_assistant_remembers_over_restarts(script: Path, seed: int, open_memory: OpenMemory) -> None:
    played: list[str] = []

    def agent(said: Said) -> str:
        with open_memory() as memory:  # each line is heard by a new process's worth of assistant
            played.append(said.text)
            return Assistant(memory, user="ana", thread=said.talk).ask(said.text, now=said.at).render()

    result = SimulatedUser.load(script, seed=seed).play(agent)
    assert result.faults == [], result.render()
    assert result.judged == 7
    again: list[str] = []
    SimulatedUser.load(script, seed=seed).play(lambda said: again.append(said.text) or "")
    assert again == played


def test_seeds_say_things_differently(script: Path) -> None:
    ways: set[tuple[str, ...]] = set()
    for seed in range(8):
        played = SimulatedUser.load(script, seed=seed).play(lambda _: "")
        ways.add(tuple(each.said.text for each in played.exchanges))
    assert len(ways) > 1


def test_what_is_wrong_is_told(script: Path) -> None:
    result = SimulatedUser.load(script).play(lambda said: "You live in Porto, and the dentist is Ben.")
    assert len(result.faults) == 6
    assert "it says 'You live in Porto'" in result.render()
    assert "1 of 7 replies were as expected." in result.render()


def test_a_script_that_cannot_be_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("- talk: x\n  lines: [{say: []}]\n")
    with pytest.raises(InvalidInput, match=r"bad\.yaml.*say"):
        SimulatedUser.load(tmp_path / "bad.yaml")
    with pytest.raises(InvalidInput, match="cannot be read"):
        SimulatedUser.load(tmp_path / "none.yaml")
