"""The middleware beside LangChain's own: redaction before it, summaries after it, approval anywhere."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, PIIMiddleware, SummarizationMiddleware
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from scripted import Speaking

from memoria import Memory
from memoria.integrations.middleware import MemoriaMiddleware

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t1"}}


@tool
def send_mail(to: str) -> str:
    """Send a mail."""
    return f"Sent to {to}; a copy went to copy@mail.example."


class Sends:
    """Sends so many mails, one after the other, and then only talks: a summary leaves it nothing to count by."""

    def __init__(self, mails: int) -> None:
        self.mails, self.sent = mails, 0

    def __call__(self, _: list[BaseMessage]) -> AIMessage | str:
        if self.sent == self.mails:
            return "Done; write to me at me@mail.example."
        self.sent += 1
        call = {"name": "send_mail", "args": {"to": f"friend {self.sent}"}, "id": f"c{self.sent}"}
        return AIMessage(f"I send mail {self.sent}.", tool_calls=[call])


def composed(memory: Memory, model: Speaking, **more: Any) -> Any:
    """All three, in the order that the middleware's module names."""
    summary = SummarizationMiddleware(
        Speaking(say=lambda _: "They talked.", heard=[]), trigger=("messages", 5), keep=("messages", 1)
    )
    middleware = [
        PIIMiddleware(
            "email", strategy="redact", apply_to_input=True, apply_to_output=True, apply_to_tool_results=True
        ),
        MemoriaMiddleware(memory, user="ana", **more),
        summary,
        HumanInTheLoopMiddleware(interrupt_on={"send_mail": {"allowed_decisions": ["approve", "edit", "reject"]}}),
    ]
    return create_agent(model, [send_mail], middleware=middleware, checkpointer=InMemorySaver())


def run(agent: Any, given: Any, way: str) -> Any:
    return agent.invoke(given, CONFIG) if way == "sync" else asyncio.run(agent.ainvoke(given, CONFIG))


def approve(agent: Any, way: str) -> Any:
    return run(agent, Command(resume={"decisions": [{"type": "approve"}]}), way)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_all_three_composed(memory: Memory, way: str) -> None:
    memory.remember("My friend Rui likes mails.", user="ana", session="before")
    model = Speaking(say=Sends(3), heard=[])
    agent = composed(memory, model, remember_tools=True)
    state = run(agent, {"messages": [HumanMessage("I am ana@mail.example: send three mails to Rui.")]}, way)
    for _ in range(3):
        assert "__interrupt__" in state
        assert len(memory.episodes(user="ana")) == 1, "nothing is remembered before the run is over"
        state = approve(agent, way)
    assert "__interrupt__" not in state
    first = "I am [REDACTED_EMAIL]: send three mails to Rui."
    assert first not in [message.text for message in state["messages"]], "no summary was made: the test says nothing"
    run(agent, {"messages": [HumanMessage("Thank you.")]}, way)
    run(agent, {"messages": [HumanMessage("Good night.")]}, way)

    kept = memory.episodes(user="ana", session="t1")
    sent = "Sent to friend {}; a copy went to [REDACTED_EMAIL]."
    assert [(e.trust, e.text) for e in kept] == [
        ("user", first),
        *((who, what.format(n)) for n in (1, 2, 3) for who, what in (("assistant", "I send mail {}."), ("tool", sent))),
        ("assistant", "Done; write to me at [REDACTED_EMAIL]."),
        ("user", "Thank you."),
        ("assistant", "Done; write to me at [REDACTED_EMAIL]."),
        ("user", "Good night."),
        ("assistant", "Done; write to me at [REDACTED_EMAIL]."),
    ]
    assert memory.verify_forgotten(["ana@mail.example", "copy@mail.example"], vectors=False) == []
    assert all("Rui" in prompt for prompt in model.prompts[:4])
    assert not any("They talked" in e.text for e in memory.episodes(user="ana"))


def test_a_summary_is_neither_question_nor_memory(memory: Memory) -> None:
    memory.remember("I live in Faro.", user="ana", session="before")
    model = Speaking(say=lambda _: "Yes.", heard=[])
    agent = composed(memory, model)
    for number in range(8):
        agent.invoke({"messages": [HumanMessage(f"Do I live near the sea, number {number}?")]}, CONFIG)
    assert model.heard[-1][1].text.startswith("Here is a summary")
    assert "Faro" in model.prompts[-1]
    kept = memory.episodes(user="ana", session="t1")
    assert [e.text for e in kept[::2]] == [f"Do I live near the sea, number {number}?" for number in range(8)]
    assert [e.text for e in kept[1::2]] == ["Yes."] * 8


def test_a_run_that_nobody_resumes_is_kept_with_the_next(memory: Memory) -> None:
    model = Speaking(say=Sends(1), heard=[])
    agent = composed(memory, model)
    assert "__interrupt__" in agent.invoke({"messages": [HumanMessage("Please send it.")]}, CONFIG)
    decision = {"type": "reject", "message": "not now"}
    agent.invoke(Command(resume={"decisions": [decision]}), CONFIG)
    agent.invoke({"messages": [HumanMessage("Never mind.")]}, CONFIG)
    assert [e.text for e in memory.episodes(user="ana") if e.role == "user"] == ["Please send it.", "Never mind."]
    assert len({e.id for e in memory.episodes(user="ana")}) == len(memory.episodes(user="ana")) == 5
