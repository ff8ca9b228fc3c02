"""The conversation graph: recall, respond, remember; with a model and without."""

from __future__ import annotations

from datetime import UTC, datetime

from conftest import OpenMemory
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from memoria_graphs import Person, build_conversation
from memoria_graphs.extractive import NOTED, UNKNOWN

from memoria import Memory, Settings
from memoria.settings import RecallSettings

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
