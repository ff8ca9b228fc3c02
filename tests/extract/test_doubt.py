"""A turn that takes something back in words no rule can read puts what it is about in doubt, and nothing else."""

from __future__ import annotations

from conftest import OpenMemory

WRONG = "I gave you the wrong email, mine is the posteo one."


def test_a_doubt_is_told_stated_and_taken_back(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember(["My email is jo@fastmail.example.", "My bank is Chase."], user="ana", session="one")
    (turn,) = memory.remember(WRONG, user="ana", session="two")
    doubted = {belief.statement: belief for belief in memory.beliefs(user="ana") if belief.needs_confirmation}
    assert list(doubted) == ["user's email is jo@fastmail.example"]
    belief = doubted["user's email is jo@fastmail.example"]
    assert f'"{WRONG}" casts doubt on it' in memory.explain(belief.id, user="ana").text
    assert "needs confirmation" in memory.recall("What is my email?", user="ana").render()
    memory.forget(user="ana", ids=[turn.id])
    assert not any(each.needs_confirmation for each in memory.beliefs(user="ana"))


def test_saying_it_again_settles_a_doubt(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember("My email is jo@fastmail.example.", user="ana", session="one")
    memory.remember(WRONG, user="ana", session="two")
    memory.remember("My email is jo@fastmail.example.", user="ana", session="three")
    assert not any(each.needs_confirmation for each in memory.beliefs(user="ana"))
