"""memoria's own tools: recall, explain and forget for the person of the run, and for nobody else."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import OpenMemory
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from scripted import Speaking

from memoria import InvalidInput, Memory
from memoria.integrations.memory_tools import NOTHING
from memoria.integrations.middleware import MemoriaMiddleware
from memoria.integrations.tools import create_explain_tool, create_forget_tool, create_recall_tool
from memoria.store.text import count_tokens

ANA: Any = {"configurable": {"langgraph_user_id": "ana", "thread_id": "t1"}}
CODE = re.compile(r"confirmation=(\S+)")


@dataclass
class Person:
    user: str


def tools_of(memory: Memory, **more: Any) -> list[Any]:
    return [factory(memory, **more) for factory in (create_recall_tool, create_explain_tool, create_forget_tool)]


def call(tool: Any, way: str = "sync", **given: Any) -> str:
    return tool.invoke(given, ANA) if way == "sync" else asyncio.run(tool.ainvoke(given, ANA))


def test_no_model_can_name_a_person(memory: Memory) -> None:
    seen = {tool.name: convert_to_openai_tool(tool)["function"]["parameters"] for tool in tools_of(memory)}
    assert {name: sorted(parameters["properties"]) for name, parameters in seen.items()} == {
        "recall_memory": ["question"],
        "explain_memory": ["about"],
        "forget_memory": ["confirmation", "what"],
    }
    memory.remember("The safe opens with 7741.", user="bob")
    memory.remember("I keep bees.", user="ana")
    forged = {"user": "bob", "tenant": "default", "config": {"configurable": {"langgraph_user_id": "bob"}}}
    for tool, word in zip(tools_of(memory), ("question", "about", "what"), strict=True):
        assert "7741" not in call(tool, **{word: "What opens the safe with 7741?"}, **forged)
    assert len(memory.episodes(user="bob")) == 1


def test_nobody_is_named(memory: Memory) -> None:
    for tool, word in zip(tools_of(memory), ("question", "about", "what"), strict=True):
        with pytest.raises(InvalidInput, match="langgraph_user_id"):
            tool.invoke({word: "x"})
        assert call(tool, **{word: "x"}) == NOTHING  # ana is not known yet


@pytest.mark.parametrize("way", ["sync", "async"])
def test_recall_and_explain(memory: Memory, way: str) -> None:
    memory.remember("I live in Porto.", user="ana", session="s1")
    memory.remember("I moved to Lisbon.", user="ana", session="s2")
    recall, explain, _ = tools_of(memory)
    assert "user lives in Lisbon" in call(recall, way, question="Where do I live?")
    told = call(explain, way, about="Lisbon")
    assert told.startswith("<memoria>\n")
    assert '"I moved to Lisbon" says it became so' in told
    belief = memory.beliefs(user="ana", about="Lisbon")[0]
    assert call(explain, way, about=belief.id) == told
    turn = memory.episodes(user="ana")[0]
    assert "I live in Porto." in call(explain, way, about=turn.id)
    assert call(explain, way, about="a parrot called Plinio") != told


def test_what_the_tools_say_is_bounded_and_teaches_nothing(memory: Memory) -> None:
    for number in range(9):
        memory.remember(f"I like tea number {number}.", user="ana", session=f"s{number}")
    recall, explain = create_recall_tool(memory, budget=60), create_explain_tool(memory, budget=60)
    for tool, given in ((recall, {"question": "Which tea?"}), (explain, {"about": "tea"})):
        assert 10 < count_tokens(call(tool, **given)) <= 60
        before = [(b.id, b.evidence) for b in memory.beliefs(user="ana", retired=True)]
        memory.remember({"role": "user", "text": call(tool, **given)}, user="ana", session="echo")
        assert [(b.id, b.evidence) for b in memory.beliefs(user="ana", retired=True)] == before


def test_forgetting_takes_two_steps(memory: Memory) -> None:
    memory.remember(["The safe opens with 7741.", "I keep bees."], user="ana", session="talk")
    forget = create_forget_tool(memory)
    shown = call(forget, what="the safe")
    assert "The safe opens with 7741." in shown
    assert len(memory.episodes(user="ana")) == 2
    code = CODE.search(shown)
    assert code is not None
    assert "for something else" in call(forget, what="bees", confirmation=code[1])
    assert "for something else" in call(forget, what="the safe", confirmation="0-made-up")
    assert len(memory.episodes(user="ana")) == 2
    assert "1 turns" in call(forget, what="the safe", confirmation=code[1])
    assert [episode.text for episode in memory.episodes(user="ana")] == ["I keep bees."]
    assert memory.verify_forgotten(["The safe opens with 7741."], vectors=False) == []
    assert call(forget, what="the safe") == NOTHING


def test_a_code_counts_only_for_what_was_shown(memory: Memory) -> None:
    memory.remember("The safe opens with 7741.", user="ana", session="talk")
    forget = create_forget_tool(memory)
    code = CODE.search(call(forget, what="the safe"))
    assert code is not None
    memory.remember("The safe is from my grandmother.", user="ana", session="elsewhere")
    again = call(forget, what="the safe", confirmation=code[1])
    assert "for something else" in again
    assert "grandmother" in again
    assert len(memory.episodes(user="ana")) == 2
    code = CODE.search(again)
    assert code is not None
    call(forget, what="the safe", confirmation=code[1])
    assert memory.episodes(user="ana") == []


def test_a_wish_too_wide_is_refused(memory: Memory) -> None:
    memory.remember([f"Rose number {n} is red." for n in range(5)], user="ana", session="s")
    told = call(create_forget_tool(memory, limit=4), what="rose")
    assert "at most 4" in told
    assert CODE.search(told) is None


class Forgets:
    """Asks to forget, and takes the code at once in the same run; or waits for the person to say yes."""

    def __init__(self, hasty: bool) -> None:
        self.hasty = hasty

    def __call__(self, messages: list[BaseMessage]) -> AIMessage | str:
        codes = [found[1] for m in messages if isinstance(m, ToolMessage) and (found := CODE.search(m.text))]
        last = messages[-1]
        agreed = isinstance(last, HumanMessage) and last.text == "Yes, do."
        if isinstance(last, ToolMessage) and not (self.hasty and "confirmation=" in last.text):
            return "Forgotten: the safe and its number 7741." if "Forgotten" in last.text else "Shall I?"
        given = {"what": "the safe"} | ({"confirmation": codes[-1]} if codes and (agreed or self.hasty) else {})
        return AIMessage("", tool_calls=[{"name": "forget_memory", "args": given, "id": f"c{len(messages)}"}])


def agent_of(memory: Memory, model: Speaking) -> Any:
    middleware = [MemoriaMiddleware(memory, remember_tools=True)]
    tools = [create_forget_tool(memory)]
    return create_agent(model, tools, middleware=middleware, checkpointer=InMemorySaver(), context_schema=Person)


def say(agent: Any, text: str) -> Any:
    config = {"configurable": {"thread_id": "t1"}}
    return agent.invoke({"messages": [HumanMessage(text)]}, config, context=Person("ana"))["messages"]


def test_a_run_cannot_forget_by_itself(memory: Memory) -> None:
    memory.remember("The safe opens with 7741.", user="ana", session="before")
    messages = say(agent_of(memory, Speaking(say=Forgets(hasty=True))), "What is in this mail?")
    assert "ask" in messages[-2].text
    assert any(episode.text == "The safe opens with 7741." for episode in memory.episodes(user="ana"))


def test_what_was_forgotten_does_not_come_back_with_the_talk_about_it(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember(["The safe opens with 7741.", "I keep bees."], user="ana", session="before")
    model = Speaking(say=Forgets(hasty=False))
    agent = agent_of(memory, model)
    assert say(agent, "Please forget what opens the safe.")[-1].text == "Shall I?"
    assert any("7741" in episode.text for episode in memory.episodes(user="ana"))
    assert say(agent, "Yes, do.")[-1].text.startswith("Forgotten")
    assert [episode.text for episode in memory.episodes(user="ana")] == ["I keep bees.", "Shall I?", "Yes, do."]
    assert memory.verify_forgotten(["The safe opens with 7741.", "its number 7741"], vectors=False) == []
    assert "7741" not in model.prompts[-1]
