"""Graphs over MemoriaStore: LangMem's store manager, and nodes that take the store of their run, sync and async."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableLambda
from langgraph.config import get_store
from langgraph.graph import END, START, MessagesState, StateGraph
from scripted import Speaking

from memoria import Memory
from memoria.integrations.langgraph_store import MemoriaStore

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # LangMem imports names that LangGraph has moved
    from langmem import create_memory_store_manager

CONFIG: Any = {"configurable": {"langgraph_user_id": "ana"}}
TALK = {"messages": [{"role": "user", "content": "I keep bees on the roof."}]}


def writing(content: str) -> Speaking:
    """A model that first proposes a memory, as LangMem's schema has it, and then is done."""

    def say(messages: list[BaseMessage]) -> AIMessage:
        if any("I keep bees" in str(each.content) for each in messages) and not any(
            each.type == "tool" for each in messages
        ):
            return AIMessage("", tool_calls=[{"name": "Memory", "args": {"content": content}, "id": "1"}])
        return AIMessage("Done.")

    return Speaking(say=say)


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:langmem")
@pytest.mark.parametrize("way", ["sync", "async"])
def test_langmems_store_manager_keeps_what_its_model_proposes(memory: Memory, way: str) -> None:
    store = MemoriaStore(memory)
    manager: Any = create_memory_store_manager(
        writing("Ana keeps bees on the roof."),
        namespace=("memories", "{langgraph_user_id}"),
        store=store,
        enable_inserts=True,
    )
    kept = manager.invoke(TALK, CONFIG) if way == "sync" else asyncio.run(manager.ainvoke(TALK, CONFIG))
    assert kept
    (item,) = store.search(("memories", "ana"), query="bees")
    assert item.value == {"kind": "Memory", "content": {"content": "Ana keeps bees on the roof."}}
    assert memory.forget(user="ana", everything=True).items == 1


def graph(store: MemoriaStore) -> Any:
    def note(state: MessagesState) -> dict[str, Any]:
        get_store().put(("memories", "ana"), "note", {"text": state["messages"][-1].text})
        return {}

    async def anote(state: MessagesState) -> dict[str, Any]:
        await get_store().aput(("memories", "ana"), "note", {"text": state["messages"][-1].text})
        return {}

    async def atell(_: MessagesState) -> dict[str, Any]:
        found = await get_store().asearch(("memories", "ana"), query="bees")
        return {"messages": [("ai", found[0].value["text"])]}

    def tell(_: MessagesState) -> dict[str, Any]:
        return {"messages": [("ai", get_store().search(("memories", "ana"), query="bees")[0].value["text"])]}

    built = StateGraph(MessagesState)
    built.add_node("note", RunnableLambda(note, anote))
    built.add_node("tell", RunnableLambda(tell, atell))
    built.add_edge(START, "note").add_edge("note", "tell").add_edge("tell", END)
    return built.compile(store=store)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_nodes_use_the_store_of_their_run(memory: Memory, way: str) -> None:
    run = graph(MemoriaStore(memory))
    given = {"messages": [("human", "I keep bees.")]}
    state = run.invoke(given) if way == "sync" else asyncio.run(run.ainvoke(given))
    assert state["messages"][-1].text == "I keep bees."


def test_many_coroutines_share_one_store(memory: Memory) -> None:
    store = MemoriaStore(memory)

    async def work() -> None:
        await asyncio.gather(
            *(store.aput(("memories", f"p{n % 5}"), f"k{n}", {"text": f"note {n}"}) for n in range(60))
        )
        found = await asyncio.gather(*(store.asearch(("memories", f"p{n}"), query="note", limit=50) for n in range(5)))
        assert [{item.namespace for item in each} for each in found] == [{("memories", f"p{n}")} for n in range(5)]
        assert sum(map(len, found)) == 60

    asyncio.run(work())
