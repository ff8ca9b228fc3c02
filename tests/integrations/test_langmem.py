"""LangMem's real tools and LangChain's `create_agent`, unchanged, on a `MemoriaStore`."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from scripted import Speaking

from memoria import Memory
from memoria.integrations.langgraph_store import MemoriaStore

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # LangMem's own, of what it imports
    from langmem import create_manage_memory_tool, create_search_memory_tool

CONFIG: dict[str, Any] = {"configurable": {"langgraph_user_id": "ana", "thread_id": "t"}}
SPACE = ("memories", "{langgraph_user_id}")


def call(name: str, **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": name}])


def script(*steps: AIMessage) -> Speaking:
    """A model that says the steps in turn."""
    left = list(steps)

    def say(_: list[BaseMessage]) -> AIMessage:
        return left.pop(0)

    return Speaking(say=say)


def agent(memory: Memory, model: Speaking) -> Any:
    from langchain.agents import create_agent

    tools = [create_manage_memory_tool(SPACE), create_search_memory_tool(SPACE)]
    return create_agent(model, tools=tools, store=MemoriaStore(memory))


@pytest.mark.parametrize("way", ["sync", "async"])
def test_an_agent_keeps_and_finds_by_langmems_tools(memory: Memory, way: str) -> None:
    model = script(
        call("manage_memory", content="Ana keeps bees on the roof", action="create"),
        AIMessage("Kept."),
        call("search_memory", query="bees"),
        AIMessage("You keep bees."),
    )
    run = agent(memory, model)

    def ask(text: str) -> dict[str, Any]:
        given = {"messages": [("human", text)]}
        return run.invoke(given, CONFIG) if way == "sync" else asyncio.run(run.ainvoke(given, CONFIG))

    ask("I keep bees.")
    (item,) = MemoriaStore(memory).search(("memories", "ana"))
    assert item.value["content"] == "Ana keeps bees on the roof"
    told = ask("What do I keep?")["messages"]
    assert any("bees on the roof" in str(each.content) for each in told if each.type == "tool")
    assert MemoriaStore(memory).search(("memories", "ben")) == []


def test_langmems_tools_update_and_delete(memory: Memory) -> None:
    store = MemoriaStore(memory)
    manage = create_manage_memory_tool(SPACE, store=store)
    search = create_search_memory_tool(SPACE, store=store)
    manage.invoke({"content": "Ana sails"}, CONFIG)
    (item,) = store.search(("memories", "ana"))
    manage.invoke({"content": "Ana sails on Sundays", "action": "update", "id": item.key}, CONFIG)
    assert "Sundays" in str(search.invoke({"query": "sails"}, CONFIG))
    assert len(store.search(("memories", "ana"))) == 1
    manage.invoke({"action": "delete", "id": item.key}, CONFIG)
    assert store.search(("memories", "ana")) == []


def test_forgetting_the_person_takes_what_langmem_kept(memory: Memory) -> None:
    create_manage_memory_tool(SPACE, store=MemoriaStore(memory)).invoke({"content": "Ana keeps bees"}, CONFIG)
    memory.remember("Hello.", user="ana")
    memory.forget(user="ana", everything=True)
    assert MemoriaStore(memory).search(()) == []
