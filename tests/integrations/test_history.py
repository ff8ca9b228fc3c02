"""The chat history: what goes in comes out, and it is the same memory that recall asks."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from conftest import OpenMemory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables.history import RunnableWithMessageHistory
from scripted import Speaking

from memoria import Memory
from memoria.integrations.history import MemoriaChatMessageHistory

CALL: Any = {"name": "weather", "args": {"place": "Faro"}, "id": "c1", "type": "tool_call"}
TALK: list[BaseMessage] = [
    SystemMessage("Be brief.", id="m0"),
    HumanMessage("How is the weather in Faro?", id="m1", name="Ana", additional_kwargs={"mood": "curious"}),
    AIMessage("", id="m2", tool_calls=[CALL]),
    ToolMessage("It rains.", id="m3", name="weather", tool_call_id="c1"),
    AIMessage("It rains in Faro.", id="m4", name="Memo"),
    HumanMessage("Yes.", id="m5"),
    HumanMessage("Yes.", id="m6"),
]


def history(memory: Memory, session: str = "s1", user: str = "ana") -> MemoriaChatMessageHistory:
    return MemoriaChatMessageHistory(memory, user=user, session=session)


def test_a_talk_comes_back_as_it_was(open_memory: OpenMemory) -> None:
    memory = open_memory()
    assert history(memory).messages == []
    history(memory).add_messages(TALK)
    memory.close()
    reopened = open_memory()
    assert history(reopened).messages == TALK
    assert history(reopened, session="s2").messages == []
    assert history(reopened, user="bob").messages == []
    history(reopened).add_messages(TALK)
    assert history(reopened).messages == TALK
    assert [e.speaker for e in reopened.episodes(user="ana")][:2] == ["system", "Ana"]
    assert reopened.recall("How is Faro?", user="ana").hits


def test_messages_without_ids_may_repeat_themselves(memory: Memory) -> None:
    for _ in range(2):
        history(memory).add_messages([HumanMessage("Hi."), AIMessage("Hello.")])
    history(memory).add_user_message("Hi.")
    assert [message.text for message in history(memory).messages] == ["Hi.", "Hello.", "Hi.", "Hello.", "Hi."]


def test_the_text_of_contents_is_kept(memory: Memory) -> None:
    content: list[Any] = [{"type": "text", "text": "Look:"}, {"type": "image", "url": "http://x/y.png"}, "a cat"]
    history(memory).add_messages([HumanMessage(content), AIMessage("\x00 odd \ud800")])
    assert [message.text for message in history(memory).messages] == ["Look:\na cat", "\ufffd odd \ufffd"]


def test_what_came_otherwise_is_there_too(memory: Memory) -> None:
    memory.remember(["I keep bees.", {"role": "assistant", "text": "Nice."}], user="ana", session="s1")
    memory.remember({"role": "tool", "text": "42"}, user="ana", session="s1")
    found = history(memory).messages
    assert [(message.type, message.text) for message in found] == [("human", "I keep bees."), ("ai", "Nice.")]


def test_clear_forgets_the_session_and_no_other(memory: Memory) -> None:
    history(memory).clear()
    history(memory).add_user_message("The safe opens with 7741.")
    history(memory, session="s2").add_user_message("I keep bees.")
    history(memory).clear()
    history(memory).clear()
    assert history(memory).messages == []
    assert len(history(memory, session="s2").messages) == 1
    assert memory.verify_forgotten(["The safe opens with 7741."], vectors=False) == []


@pytest.mark.parametrize("way", ["sync", "async"])
def test_runnable_with_message_history(memory: Memory, way: str) -> None:
    model = Speaking(say=lambda messages: f"I heard {len(messages)}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain = RunnableWithMessageHistory(model, lambda session_id: history(memory, session_id))
    for text in ("I keep bees.", "And hens."):
        config: Any = {"configurable": {"session_id": "s9"}}
        given = [HumanMessage(text)]
        _ = chain.invoke(given, config) if way == "sync" else asyncio.run(chain.ainvoke(given, config))
    assert [m.text for m in model.heard[1]] == ["I keep bees.", "I heard 1.", "And hens."]
    assert [m.text for m in history(memory, "s9").messages][-1] == "I heard 3."
