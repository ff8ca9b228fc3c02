"""Asking a model: answers outside the schema, batches, budgets, prompts, and which model it is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import OpenMemory
from langchain_core.language_models import BaseChatModel
from scripted import Answer, Scripted, fact, fixed, homes, lines_of, reader

from memoria import InvalidInput, Memory, Settings
from memoria.errors import BudgetSpent, ExtractionFailed, ModelUnavailable
from memoria.extract.model import ModelExtractor
from memoria.extract.ontology import load_ontology
from memoria.extract.spending import Budget
from memoria.models import chat
from memoria.settings import ExtractSettings


def learnt(memory: Memory, answer: Answer) -> list[str]:
    memory.learn(user="ana", extractor=reader(answer)[0])
    return [each.statement for each in memory.beliefs(user="ana")]


@pytest.fixture
def unread(open_memory: OpenMemory, settings: Settings) -> Memory:
    """A memory that believes nothing as it is written."""
    return open_memory(settings=settings.model_copy(update={"extract": ExtractSettings(on_write=False)}))


@pytest.mark.parametrize(
    "wrong",
    [
        "Sure! Ana lives in Lisbon.",
        {"facts": [{"turn": "first", "quote": "I live in Lisbon"}]},
        {"preferences": [{"turn": 1, "quote": "I live", "topic": "Lisbon", "subject": "user", "polarity": "both"}]},
        {"facts": [fact(1, "I live in Lisbon", "home", "Lisbon", since="last March")]},
    ],
    ids=["words", "fields", "polarity", "date"],
)
def test_an_answer_outside_the_schema_is_asked_for_again_then_raised(unread: Memory, wrong: Any) -> None:
    unread.remember("I live in Lisbon", user="ana")
    [episode] = unread.recall("Lisbon", user="ana").hits
    bad, model = reader(lambda _: wrong, retries=2)
    with pytest.raises(ExtractionFailed, match=episode.episode.id):
        unread.learn(user="ana", extractor=bad)
    assert len(model.asked) == 3
    again = str(model.asked[1][-1].content)
    assert "did not fit the schema" in again and "last March" not in again
    assert unread.beliefs(user="ana", retired=True) == []
    answers = iter([wrong, homes([{"turn": 1, "text": "I live in Lisbon"}])])
    assert learnt(unread, lambda _: next(answers)) == ["user lives in Lisbon"]


def test_batches_hold_to_turns_and_tokens_and_pass_names_on(unread: Memory) -> None:
    turns: list[Any] = [f"My friend Bob{n} called" for n in range(7)]
    unread.remember([*turns, "long " * 500, {"role": "tool", "text": "short"}, "short"], user="ana", session="s")

    def friends(lines: list[dict[str, Any]]) -> dict[str, Any]:
        named = [(line["turn"], line["text"].split()[2]) for line in lines if "friend" in line["text"]]
        return {"facts": [fact(n, f"My friend {name}", "friend", name) for n, name in named]}

    extractor, model = reader(friends, batch_turns=3, batch_tokens=300)
    unread.learn(user="ana", extractor=extractor)
    texts = [str(messages[-1].content) for messages in model.asked]
    assert [len(lines_of(text)) for text in texts] == [3, 3, 1, 1, 1]
    assert "Bob2" in texts[1].split("<turns>")[0]
    assert sum(b.subject == "user" for b in unread.beliefs(user="ana")) == 7


def test_a_spent_budget_keeps_what_was_read_and_the_next_goes_on(unread: Memory) -> None:
    unread.remember([f"I live in {place}" for place in ("Oslo", "Rome", "Lima", "Bonn")], user="ana", session="s")
    free, model = reader(homes, batch_turns=1)
    free.budget.reserve(0, 0)
    unread.remember("I live in Kyiv", user="bea")
    unread.learn(user="bea", extractor=free)
    call = free.budget.tokens  # as estimated from the answer: the scripted model counts none
    assert call > len(str(model.asked[0][0].content)) / 6

    paid, model = reader(homes, usage=(3000, 200), batch_turns=1, budget=Budget(tokens=7000))
    with pytest.raises(BudgetSpent, match="6400 of the budget's 7000"):
        unread.learn(user="ana", extractor=paid)
    assert len(model.asked) == 2  # the third was never made
    assert {b.statement for b in unread.beliefs(user="ana", retired=True)} == {
        "user lives in Oslo",
        "user lives in Rome",
    }
    prices = {"price_in": 1000.0, "price_out": 5000.0}
    poor, model = reader(homes, usage=(3000, 200), batch_turns=1, budget=Budget(money=6.5, **prices))
    with pytest.raises(BudgetSpent, match=r"4\.0000 of the budget's 6\.5000"):
        unread.learn(user="ana", extractor=poor)
    assert poor.budget.money == pytest.approx(4.0)
    assert [lines_of(str(each[-1].content))[0]["text"] for each in model.asked] == ["I live in Lima"]
    assert unread.learn(user="ana", extractor=free) == 1
    assert [b.statement for b in unread.beliefs(user="ana")] == ["user lives in Bonn"]
    with pytest.raises(InvalidInput, match="price_in"):
        Budget(money=1.0, price_out=1.0)


def test_any_error_in_the_middle_keeps_what_was_read(unread: Memory) -> None:
    unread.remember(["I live in Oslo", "I live in Rome"], user="ana")

    def falls(lines: list[dict[str, Any]]) -> dict[str, Any]:
        if "Rome" in lines[0]["text"]:
            raise ConnectionError("no network")
        return homes(lines)

    with pytest.raises(ConnectionError):
        unread.learn(user="ana", extractor=reader(falls, batch_turns=1)[0])
    assert [b.statement for b in unread.beliefs(user="ana")] == ["user lives in Oslo"]


def test_another_prompt_reads_everything_again(unread: Memory, tmp_path: Path) -> None:
    unread.remember("I live in Oslo", user="ana")
    assert learnt(unread, fixed()) == []
    assert learnt(unread, homes) == []
    own = tmp_path / "mine-v2.md"
    own.write_text("Read with care. Predicates: {predicates}.", encoding="utf-8")
    second, model = reader(homes, prompt=own)
    assert unread.learn(user="ana", extractor=second) == 1
    assert (second.name, len(unread.beliefs(user="ana"))) == ("model/mine-v2/scripted", 1)
    assert str(model.asked[0][0].content).startswith("Read with care. Predicates: name, age,")
    with pytest.raises(InvalidInput, match="name one of extract-v1"):
        reader(homes, prompt="extract-v0")


def test_learn_reads_with_the_model_of_the_settings(
    open_memory: OpenMemory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Scripted(answer=homes, asked=[])
    fake = SimpleNamespace(init_chat_model=lambda _: model)
    monkeypatch.setattr(chat, "import_module", lambda _: fake)
    extract = ExtractSettings(on_write=False, model="acme:small", budget_tokens=10)
    memory = open_memory(settings=settings.model_copy(update={"extract": extract}))
    memory.remember("I live in Oslo", user="ana")
    with pytest.raises(BudgetSpent):
        memory.learn(user="ana")
    enough = extract.model_copy(update={"budget_tokens": 100_000})
    memory = open_memory(settings=settings.model_copy(update={"extract": enough}))
    assert memory.learn(user="ana") == 1
    [belief] = memory.beliefs(user="ana")
    assert memory.explain(belief.id, user="ana").evidence[0].source == "model/extract-v1/acme:small"


def test_a_missing_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Any:
        raise ImportError(name)

    def unknown(name: str) -> Any:
        raise ValueError(f"Unsupported provider for {name}")

    monkeypatch.setattr(chat, "import_module", gone)
    with pytest.raises(ModelUnavailable, match="pip install langchain langchain-openai"):
        chat.load_chat_model("openai:gpt-4.1-mini")
    monkeypatch.setattr(chat, "import_module", lambda _: SimpleNamespace(init_chat_model=unknown))
    with pytest.raises(ModelUnavailable, match="Unsupported provider"):
        chat.load_chat_model("nobody:none")
    with pytest.raises(ModelUnavailable, match="structured output"):
        ModelExtractor(_Wordy(answer=homes, asked=[]), load_ontology())


class _Wordy(Scripted):
    """A model that calls no tools."""

    bind_tools = BaseChatModel.bind_tools
