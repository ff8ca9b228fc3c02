"""The preference card in the prompt: whose, when, and that nothing is said twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from adapting import manifest_of
from conftest import OpenMemory
from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage
from scripted import Speaking

from memoria import Memory
from memoria.distill.card import compile_cards
from memoria.integrations.middleware import MemoriaMiddleware
from memoria.integrations.person import Person
from memoria.integrations.prompt import MemoryPrompt
from memoria.records import Preference, Scope
from memoria.store.text import count_tokens

ANA = Person("ana", "default", None)
SAID = ["I love jazz.", "I hate crowded bars.", "I prefer night trains.", "I live in Porto."]
LEAD = "How this person wants it"


@pytest.fixture
def told(memory: Memory) -> Memory:
    memory.remember(SAID, user="ana")
    memory.remember(["I hate jazz."], user="bo")
    return memory


def serve(memory: Memory, folder: Path, budget: int = 300) -> str:
    """Let a card of all that ana likes serve her."""
    held = [each for each in memory.beliefs(user="ana") if isinstance(each, Preference)]
    card = next(each for each in compile_cards(held, [], budget) if each.wording == "rules")
    card.save(folder / "card")
    made = memory._registry.add(
        Scope(user="ana"),
        folder / "card",
        kind="card",
        base="any",
        recipe="card",
        manifest=card.manifest(manifest_of(memory)),
        digest=card.text,
    )
    return memory.promote(made.id, user="ana", force=True).id


def test_card_stands_before_the_profile_within_the_budget(told: Memory, tmp_path: Path) -> None:
    told.reflect(user="ana")
    serve(told, tmp_path)
    prompt = MemoryPrompt(told, budget=400)
    text = prompt.text(ANA, "Where should I go tonight?")
    card, profile = text.index(LEAD), text.index("Identity") if "Identity" in text else text.index("Places")
    assert card < profile
    assert "- Avoid crowded bars." in text
    assert count_tokens(text) <= 400


def test_profile_does_not_repeat_the_card(told: Memory, tmp_path: Path) -> None:
    told.reflect(user="ana")
    prompt = MemoryPrompt(told, budget=400)
    assert "user likes jazz" in prompt.known_text("ana", "default", "Music?", 200)
    serve(told, tmp_path)
    known = prompt.known_text("ana", "default", "Music?", 200)
    assert known.count("jazz") == 1
    assert "user lives in Porto" in known
    assert "Preferences" not in known
    assert LEAD not in MemoryPrompt(told, budget=400, card=False).known_text("ana", "default", "Music?", 200)


def test_only_what_serves_just_this_person(told: Memory, tmp_path: Path) -> None:
    prompt = MemoryPrompt(told, budget=400)
    assert LEAD not in prompt.text(ANA, "Music?")
    serve(told, tmp_path)
    assert LEAD in prompt.text(ANA, "Music?")
    assert LEAD not in prompt.text(Person("bo", "default", None), "Music?")
    assert LEAD not in prompt.text(Person("new", "default", None), "Music?")
    told.rollback("card", user="ana")
    assert LEAD not in prompt.text(ANA, "Music?")


def test_forgotten_is_out_of_the_prompt_at_once(told: Memory, tmp_path: Path) -> None:
    serve(told, tmp_path)
    turn = next(each for each in told.episodes(user="ana") if "jazz" in each.text)
    told.forget(ids=[turn.id], user="ana")
    assert "jazz" not in MemoryPrompt(told, budget=400).text(ANA, "Music?")


def test_damaged_card_does_not_serve(told: Memory, tmp_path: Path) -> None:
    name = serve(told, tmp_path)
    folder = told.home / next(each for each in told.adapters(user="ana") if each.id == name).folder
    (folder / "card.json").write_text((folder / "card.json").read_text().replace("jazz", "polka"))
    text = MemoryPrompt(told, budget=400).text(ANA, "Music?")
    assert "polka" not in text
    assert LEAD not in text


def test_what_holds_no_more_is_left_out(told: Memory, tmp_path: Path) -> None:
    serve(told, tmp_path)
    told.remember(["I don't like jazz anymore."], user="ana")
    known = MemoryPrompt(told, budget=400).known_text("ana", "default", "Music?", 200)
    assert "Prefer jazz" not in known
    assert "Avoid crowded bars" in known


def test_where_room_is_short_the_question_decides(told: Memory, tmp_path: Path) -> None:
    told.remember([f"I love the number {number} tram." for number in range(12)], user="ana")
    serve(told, tmp_path)
    card = MemoryPrompt(told).card_of("ana", "default", "Which night trains are there?", 30)
    assert card is not None
    assert card.tokens <= 30
    assert "night trains" in card.text


def ok(_: list[BaseMessage]) -> str:
    return "Fine."


def test_middleware_puts_it_into_the_system_message(told: Memory, tmp_path: Path) -> None:
    model = Speaking(say=ok, heard=[])
    agent = create_agent(model, [], middleware=[MemoriaMiddleware(told, user="ana", remember=False)])
    question = {"messages": [HumanMessage("Music?", id="same")]}
    agent.invoke(question)
    serve(told, tmp_path)
    agent.invoke(question)  # the same question again: what was worked out for it before has no card
    assert [LEAD in prompt for prompt in model.prompts] == [False, True]
    told.rollback("card", user="ana")
    agent.invoke(question)
    assert LEAD not in model.prompts[2]


def test_another_process_sees_it_too(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory()
    memory.remember(SAID, user="ana")
    serve(memory, tmp_path)
    assert LEAD in MemoryPrompt(open_memory()).text(ANA, "Music?")
