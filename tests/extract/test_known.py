"""What is kept between writes is what would be made anew: the shelf of beliefs, and what is known beside a turn."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import DIMENSION, START, OpenMemory
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from lives import Lived, edits, keeping, lived, lives, picks
from sqlalchemy import Connection

from memoria import HashEmbeddings, Memory
from memoria.extract.known import Beliefs
from memoria.settings import Settings, StoreSettings
from memoria.store.belief_shelf import BeliefShelf, BeliefShelves

_before, _shelf = Beliefs.before.__func__, BeliefShelves.shelf  # type: ignore[attr-defined]


def known(beliefs: Beliefs) -> tuple[Any, ...]:
    """All that an answer can depend on."""
    return beliefs._all, beliefs._by_word, beliefs._by_slot, beliefs._place, beliefs._coming


def checked_before(cls: type[Beliefs], row: int, shelf: BeliefShelf) -> Beliefs:
    """`Beliefs.before`, compared with the same made anew."""
    made, anew = _before(cls, row, shelf), Beliefs(shelf)
    made.until(row)
    anew.until(row)
    assert known(made) == known(anew)
    return made


def checked_shelf(self: BeliefShelves, connection: Connection, scope_id: int) -> BeliefShelf:
    """`BeliefShelves.shelf`, compared with the same read anew."""
    made, anew = _shelf(self, connection, scope_id), BeliefShelves.read(connection, scope_id)
    assert made == anew
    assert (made.names, made.same, list(made.heads())) == (anew.names, anew.same, list(anew.heads()))
    assert {slot: held for slot, held in made.slots.items() if held} == anew.slots
    for slot in anew.slots:
        assert made.state(slot) == anew.state(slot)
    return made


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One home, in which each call begins another person's life."""
    clock, folder, people = [START], tmp_path_factory.mktemp("known"), iter(range(10_000))
    options = Settings(cache_dir=folder, store=StoreSettings(index="exact"))
    memory = Memory(folder / "home", embeddings=HashEmbeddings(DIMENSION), settings=options, clock=lambda: clock[0])
    yield lambda: Lived(memory, clock, f"person{next(people)}")
    memory.close()


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is kept is compared with the same made anew, whenever it is asked for."""
    monkeypatch.setattr(Beliefs, "before", classmethod(checked_before))
    monkeypatch.setattr(BeliefShelves, "shelf", checked_shelf)


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=lives(edits | picks | keeping))
def test_what_is_kept_is_what_would_be_made_anew(life: Any, checked: None, steps: list[object]) -> None:
    lived(life(), steps)


@pytest.mark.usefixtures("checked")
def test_a_retraction_changes_what_comes_first(memory: Memory) -> None:
    memory.remember("I live in Paris.", user="ana")
    first = memory.beliefs(user="ana")[0]
    memory.remember("I moved to Lyon.", user="ana")
    memory.retract(first.id, user="ana")
    memory.remember("I live in Oslo.", user="ana")
    assert [each.statement for each in memory.beliefs(user="ana")] == ["user lives in Oslo"]


@pytest.mark.usefixtures("checked")
def test_another_name_comes_first_once_the_first_one_says_it_no_more(memory: Memory) -> None:
    first = memory.believe("work", "nurse", user="ana", subject="Bea")
    memory.believe("pet", "Bolota", user="ana", subject="Beatriz")
    memory.merge("Bea", "Beatriz", user="ana")
    memory.retract(first.id, user="ana")
    assert len(memory.beliefs(user="ana")) == 1
    assert memory.believe("work", "nurse", user="ana", subject="Beatriz").status == "current"


@pytest.mark.usefixtures("checked")
def test_a_turn_that_is_read_late_stands_where_it_was_said(open_memory: OpenMemory, settings: Settings) -> None:
    unread = settings.model_copy(update={"extract": settings.extract.model_copy(update={"on_write": False})})
    open_memory(settings=unread).remember("I live in Paris.", user="ana")
    memory = open_memory()
    memory.remember("I live in Lyon.", user="ana")
    memory.remember("I like tea.", user="ana")
    assert memory.learn(user="ana") == 1
    memory.remember("I like milk.", user="ana")
    assert "user lives in Lyon" in {each.statement for each in memory.beliefs(user="ana")}


def test_a_write_makes_nothing_anew(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.remember("I live in Porto.", user="ana")
    memory.remember("I like green tea.", user="ana")

    def refuse(*_: object) -> None:
        raise AssertionError("made anew")

    monkeypatch.setattr(Beliefs, "__init__", refuse)
    monkeypatch.setattr(BeliefShelf, "_unite", refuse)
    memory.remember("I moved to Faro.", user="ana")
    memory.remember("I don't like green tea any more.", user="ana")
    current = {belief.statement for belief in memory.beliefs(user="ana")}
    assert "user lives in Faro" in current
    assert "user likes green tea" not in current


def test_what_a_failed_write_said_is_not_known(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.remember("I like tea.", user="ana")
    memory.remember("I like milk.", user="ana")
    with monkeypatch.context() as patch:
        patch.setattr("memoria.extract.learn.add_claims", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            memory.remember("I live in Porto.", user="ana")
    monkeypatch.setattr(Beliefs, "before", classmethod(checked_before))
    memory.remember("I no longer live in Porto.", user="ana")
    memory.remember("I like beer.", user="ana")
