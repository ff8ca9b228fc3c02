"""Listing what is kept: people, sessions, turns; each person's own only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memoria import InvalidInput, Memory, Scope, Turn, UnknownUser


def test_users_sessions_and_turns_are_listed_each_persons_own(memory: Memory) -> None:
    day = datetime(2025, 3, 1, tzinfo=UTC)
    memory.remember([Turn(text="one", time=day), Turn(text="two", time=day)], user="ana", session="a")
    memory.remember("three", user="ana", session="b")
    memory.remember("secret", user="ben", session="a")
    memory.remember("elsewhere", user="ana", tenant="other")
    assert memory.users(tenant="default") == [Scope(user="ana"), Scope(user="ben")]
    assert len(memory.users()) == 3
    named = {each.name: each for each in memory.sessions(user="ana")}
    assert (named["a"].turns, named["a"].begun_at, named["b"].turns) == (2, day, 1)
    assert [each.text for each in memory.episodes(user="ana")] == ["one", "two", "three"]
    assert [each.text for each in memory.episodes(user="ana", session="a")] == ["one", "two"]
    assert [each.text for each in memory.episodes(user="ana", last=2)] == ["two", "three"]
    assert memory.episodes(user="ana", session="nowhere") == []


def test_what_cannot_be_listed_says_so(memory: Memory) -> None:
    with pytest.raises(UnknownUser):
        memory.sessions(user="nobody")
    memory.remember("one", user="ana")
    with pytest.raises(InvalidInput, match="last"):
        memory.episodes(user="ana", last=0)


def test_the_revision_changes_with_every_change(memory: Memory) -> None:
    with pytest.raises(UnknownUser):
        memory.revision(user="ana")
    seen: list[str] = []

    def changed() -> bool:
        seen.append(memory.revision(user="ana"))
        return seen[-1] not in seen[:-1]

    memory.remember("I live in Porto.", user="ana", session="s1")
    assert changed()
    memory.recall("Where do I live?", user="ana")
    assert not changed()
    belief = memory.believe("home", "Lisbon", user="ana")
    assert changed()
    memory.retract(belief.id, user="ana")
    assert changed()
    memory.remember("I live in Faro.", user="bob")
    assert not changed()
    memory.forget(user="ana", session="s1")
    assert changed()
