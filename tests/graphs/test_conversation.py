"""The conversation graph: recall, respond, remember; with a model and without."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import Clock, OpenMemory
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from memoria_graphs import Person, build_conversation
from memoria_graphs.extractive import NOTED, UNKNOWN

from memoria import InvalidInput, Memory, Settings
from memoria.integrations.prompt import HOW_TO_USE
from memoria.settings import RecallSettings
from memoria.store.text import count_tokens

THREAD: Any = {"configurable": {"thread_id": "t"}}
SURE = Settings(recall=RecallSettings(known_threshold=0.0))


class Listening(GenericFakeChatModel):
    """Answers from a script and keeps what it was asked."""

    heard: list[list[BaseMessage]]

    def _generate(self, messages: list[BaseMessage], *args: object, **more: object) -> object:  # type: ignore[override]
        self.heard.append(messages)
        return super()._generate(messages, *args, **more)  # type: ignore[arg-type]


def say(graph: object, text: str, thread: str, user: str = "ana") -> str:
    config = {"configurable": {"thread_id": thread}}
    state = graph.invoke({"messages": [HumanMessage(text)]}, config, context=Person(user))  # type: ignore[attr-defined]
    return state["messages"][-1].text


def test_what_is_said_on_one_thread_is_known_on_another(open_memory: OpenMemory) -> None:
    memory = open_memory(settings=SURE)
    graph = build_conversation(memory, checkpointer=InMemorySaver())
    assert say(graph, "My dog is called Bolota.", "t1") == NOTED
    answer = say(graph, "What is my dog called?", "t2")
    assert "[1] “My dog is called Bolota.”" in answer
    assert say(graph, "What is my dog called?", "t1", user="bob") == UNKNOWN


def test_nothing_is_guessed(memory: Memory) -> None:
    graph = build_conversation(memory, checkpointer=InMemorySaver())
    assert say(graph, "Which cello teacher did I have?", "t1") == UNKNOWN
    say(graph, "I like the sea.", "t1")
    assert say(graph, "Which cello teacher did I have?", "t2") == UNKNOWN


def test_a_model_gets_the_memory_beside_the_thread(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember("My dog is called Bolota.", user="ana", session="earlier")
    model = Listening(messages=iter([AIMessage("She is Bolota [1]."), AIMessage("Yes.")]), heard=[])
    graph = build_conversation(memory, model=model, checkpointer=InMemorySaver())
    assert say(graph, "What is my dog called?", "t1") == "She is Bolota [1]."
    assert "[1] 2026-01-01 user: My dog is called Bolota." in model.heard[0][0].text
    assert [message.type for message in model.heard[0]] == ["system", "human"]
    say(graph, "Sure?", "t1")
    assert [message.type for message in model.heard[1]] == ["system", "human", "ai", "human"]
    session = memory.recall("Bolota", user="ana", session="t1", now=datetime(2100, 1, 1, tzinfo=UTC))
    assert {hit.episode.text for hit in session.hits} == {
        "What is my dog called?",
        "She is Bolota [1].",
        "Sure?",
        "Yes.",
    }


def test_quotes_of_the_memory_are_not_remembered_again(open_memory: OpenMemory) -> None:
    memory = open_memory(settings=SURE)
    graph = build_conversation(memory, checkpointer=InMemorySaver())
    say(graph, "My dog is called Bolota.", "t0")
    for number in range(5):
        say(graph, "What is my dog called?", f"t{number + 1}")
    assert memory.status()["episodes"] == 6


def test_without_a_checkpointer_the_whole_thread_is_sent(memory: Memory) -> None:
    graph = build_conversation(memory)
    history = [HumanMessage("I keep bees.", id="1"), AIMessage("Nice!", id="2")]
    graph.invoke({"messages": history}, context=Person("ana"))
    graph.invoke({"messages": [*history, HumanMessage("And hens.", id="3")]}, context=Person("ana"))
    assert memory.status()["episodes"] == 3


def test_a_model_is_told_the_profile_first_within_the_budget(open_memory: OpenMemory, clock: Clock) -> None:
    budget = 60
    memory = open_memory(settings=Settings(recall=RecallSettings(budget=budget)))
    memory.remember(["I love fado.", "I live in Porto.", "I work as a nurse."], user="ana", session="s1")
    memory.reflect(user="ana")
    model = Listening(messages=iter([AIMessage("Hm."), AIMessage("Hm."), AIMessage("Hm.")]), heard=[])
    graph = build_conversation(memory, model=model, checkpointer=InMemorySaver())
    say(graph, "What music do I love?", "t1")
    prompt = model.heard[0][0].text
    assert prompt.index("- user likes fado") < prompt.index("user: I love fado.")
    assert count_tokens(prompt.removeprefix(HOW_TO_USE)) <= budget

    memory.remember("I moved to Lisbon.", user="ana", session="s2")
    say(graph, "Where should I go?", "t2")
    assert "- user likes fado" in model.heard[1][0].text
    assert "- user lives in Porto" not in model.heard[1][0].text, "the history has overtaken that line"
    state = graph.invoke({"messages": [HumanMessage("And then?")]}, THREAD, context=Person("ana", now=clock.now))
    assert state["profile"] == "", "a replay must not know what came later"


def test_words_come_as_the_model_says_them(memory: Memory) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("Hello there Ana")]))
    graph = build_conversation(memory, model=model)
    given = {"messages": [HumanMessage("Good day!")]}
    events = list(graph.stream(given, context=Person("ana"), stream_mode=["messages", "custom"]))
    said = [each[0].text for kind, each in events if kind == "messages" and each[1]["langgraph_node"] == "respond"]
    assert [each for each in said if each] == ["Hello", " ", "there", " ", "Ana"]
    assert [each["stage"] for kind, each in events if kind == "custom"] == ["recall", "remember"]
    assert [each.text for each in memory.episodes(user="ana")] == ["Good day!", "Hello there Ana"]


def test_whose_memory_it_is_may_stand_in_the_config(memory: Memory) -> None:
    graph = build_conversation(memory)
    given = {"messages": [HumanMessage("I keep bees.")]}
    graph.invoke(given, {"configurable": {"langgraph_user_id": "ana"}})
    assert [each.text for each in memory.episodes(user="ana")] == ["I keep bees."]
    with pytest.raises(InvalidInput, match="context="):
        graph.invoke(given)


async def _say_async(graph: Any, text: str) -> str:
    state = await graph.ainvoke({"messages": [HumanMessage(text)]}, THREAD, context=Person("ana"))
    return state["messages"][-1].text


def test_it_runs_in_an_event_loop(open_memory: OpenMemory) -> None:
    memory = open_memory(settings=SURE)
    graph = build_conversation(memory, checkpointer=InMemorySaver())
    assert asyncio.run(_say_async(graph, "My dog is called Bolota.")) == NOTED
    assert "“My dog is called Bolota.”" in asyncio.run(_say_async(graph, "What is my dog called?"))
