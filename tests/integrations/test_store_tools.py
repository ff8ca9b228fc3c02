"""The drop-ins for LangMem's tools, beside LangMem's own: the same signature, schema, answers and items."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import uuid
import warnings
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.store.memory import InMemoryStore
from pydantic import BaseModel
from scripted import Speaking

from memoria import InvalidInput
from memoria.integrations import tools as ours

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # LangMem imports names that LangGraph has moved
    import langmem as theirs

PLACE = ("memories", "{langgraph_user_id}")
CONFIG: Any = {"configurable": {"langgraph_user_id": "ana"}}
FACTORIES = ["create_manage_memory_tool", "create_search_memory_tool"]


class Recipe(BaseModel):
    name: str
    minutes: int | None = None


def both(factory: str, *args: Any, **more: Any) -> list[Any]:
    return [getattr(theirs, factory)(*args, **more), getattr(ours, factory)(*args, **more)]


@pytest.mark.parametrize("factory", FACTORIES)
def test_the_signatures_are_the_same(factory: str) -> None:
    first, second = (inspect.signature(getattr(module, factory)).parameters for module in (theirs, ours))
    assert [(p.name, p.kind, p.default) for p in second.values()] == [
        (p.name, p.kind, p.default) for p in first.values()
    ]


@pytest.mark.parametrize(
    ("factory", "more"),
    [
        ("create_manage_memory_tool", {}),
        ("create_manage_memory_tool", {"schema": Recipe}),
        ("create_manage_memory_tool", {"actions_permitted": ("update", "delete"), "name": "edit"}),
        ("create_manage_memory_tool", {"actions_permitted": ("create",), "instructions": "Only if asked."}),
        ("create_search_memory_tool", {}),
        ("create_search_memory_tool", {"response_format": "content_and_artifact", "instructions": "Often."}),
    ],
)
def test_a_model_sees_the_same_tool(factory: str, more: dict[str, Any]) -> None:
    first, second = both(factory, PLACE, **more)
    assert convert_to_openai_tool(second) == convert_to_openai_tool(first)
    assert second.args_schema.model_json_schema() == first.args_schema.model_json_schema()
    assert second.tool_call_schema.model_json_schema() == first.tool_call_schema.model_json_schema()
    assert (second.name, second.description, second.args) == (first.name, first.description, first.args)
    assert second.response_format == first.response_format


def call(tool: Any, given: dict[str, Any], way: str) -> Any:
    return tool.invoke(given, CONFIG) if way == "sync" else asyncio.run(tool.ainvoke(given, CONFIG))


def without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_they_do_the_same_on_the_same_store(way: str) -> None:
    fixed = uuid.UUID(int=7)
    steps: list[dict[str, Any]] = [
        {"content": "Ana likes figs."},
        {"content": "Ana likes plums.", "action": "update", "id": str(fixed)},
        {"content": "A", "action": "create"},
        {"action": "delete", "id": str(fixed)},
        {"content": "Ana likes pears.", "action": "update", "id": str(fixed)},
    ]
    told: list[list[str]] = []
    kept: list[Any] = []
    for number in range(2):
        store = InMemoryStore()
        tool = both("create_manage_memory_tool", PLACE, store=store)[number]
        told.append([without_ids(call(tool, step, way)) for step in steps])
        items = store.search(("memories", "ana"))
        kept.append(sorted((str(item.value), item.namespace) for item in items))
    assert told[1] == told[0]
    assert kept[1] == kept[0]
    assert len(kept[0]) == 3


@pytest.mark.parametrize("way", ["sync", "async"])
def test_they_find_the_same(way: str) -> None:
    store = InMemoryStore()
    for number in range(5):
        store.put(("memories", "ana"), f"k{number}", {"content": f"note {number} ü", "kind": number % 2})
    store.put(("memories", "bob"), "other", {"content": "note of bob"})
    for given in ({"query": "note"}, {"query": "note", "limit": 2, "offset": 1}, {"query": "n", "filter": {"kind": 1}}):
        first, second = (call(tool, given, way) for tool in both("create_search_memory_tool", PLACE, store=store))
        assert second == first
        assert len(json.loads(second)) >= 2
        assert "bob" not in second


def test_the_items_come_as_an_artifact_too() -> None:
    store = InMemoryStore()
    store.put(("memories", "ana"), "k", {"content": "note"})
    request = {"type": "tool_call", "id": "1", "name": "search_memory", "args": {"query": "note"}}
    tools = both("create_search_memory_tool", PLACE, store=store, response_format="content_and_artifact")
    first, second = (tool.invoke(request, CONFIG) for tool in tools)
    assert second == first
    assert second.artifact[0].key == "k"


def test_models_of_a_schema_are_kept_as_json() -> None:
    stores = [InMemoryStore(), InMemoryStore()]
    for number, store in enumerate(stores):
        tool = both("create_manage_memory_tool", ("recipes",), store=store, schema=Recipe)[number]
        tool.invoke({"content": {"name": "caldo verde", "minutes": 40}})
    first, second = (store.search(("recipes",))[0].value for store in stores)
    assert second == first == {"content": {"name": "caldo verde", "minutes": 40}}


@pytest.mark.parametrize(
    "given",
    [
        {"action": "delete"},
        {"content": "x", "action": "update"},
        {"content": "x", "id": str(uuid.UUID(int=1))},
    ],
)
def test_they_refuse_the_same_in_the_same_words(given: dict[str, Any]) -> None:
    told: list[str] = []
    for tool in both("create_manage_memory_tool", "notes", store=InMemoryStore()):
        with pytest.raises(ValueError, match="MEMORY ID") as caught:
            tool.invoke(given)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidInput, match="actions_permitted"):
        ours.create_manage_memory_tool("notes", actions_permitted=())
    with pytest.raises(InvalidInput, match="store"):
        ours.create_manage_memory_tool("notes").invoke({"content": "x"})
    with pytest.raises(InvalidInput, match="langgraph_user_id"):
        ours.create_search_memory_tool(PLACE, store=InMemoryStore()).invoke({"query": "x"})


def test_an_agent_uses_the_store_of_its_run() -> None:
    def answer(messages: list[BaseMessage]) -> AIMessage | str:
        results = [message for message in messages if isinstance(message, ToolMessage)]
        if not results:
            call = {"name": "manage_memory", "args": {"content": "Ana keeps bees."}, "id": "1"}
            return AIMessage("", tool_calls=[call])
        if len(results) == 1:
            return AIMessage("", tool_calls=[{"name": "search_memory", "args": {"query": "bees"}, "id": "2"}])
        return results[-1].text

    store = InMemoryStore()
    tools = [getattr(ours, factory)(PLACE) for factory in FACTORIES]
    agent = create_agent(Speaking(say=answer), tools, store=store)
    state = agent.invoke({"messages": [HumanMessage("I keep bees.")]}, CONFIG)
    assert "Ana keeps bees." in state["messages"][-1].text
    assert [item.namespace for item in store.search(())] == [("memories", "ana")]
