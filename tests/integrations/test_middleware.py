"""The middleware: what it puts into prompts, what it keeps, and whose memory it uses."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import OpenMemory
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from scripted import Speaking

from memoria import InvalidInput, Memory, Scope
from memoria.integrations.middleware import MemoriaMiddleware
from memoria.store.text import count_tokens


@dataclass
class Person:
    user: str
    tenant: str = "default"


@tool
def weather(place: str) -> str:
    """The weather of a place."""
    return f"It rains in {place}."


def config(thread: str = "t1", **more: Any) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread, **more}}


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [HumanMessage(text, **more)]}


def ok(_: list[BaseMessage]) -> str:
    return "Fine."


def asks_the_weather(messages: list[BaseMessage]) -> AIMessage | str:
    """Two calls of a tool, then an answer."""
    calls = sum(isinstance(message, ToolMessage) for message in messages)
    if calls == 2:
        return "It rains."
    return AIMessage("", tool_calls=[{"name": "weather", "args": {"place": "Faro"}, "id": f"c{len(messages)}"}])


def agent_of(memory: Memory, model: Speaking, *, saver: Any = None, **more: Any) -> Any:
    middleware = [MemoriaMiddleware(memory, **({"user": "ana"} | more))]
    return create_agent(model, [weather], middleware=middleware, checkpointer=saver, context_schema=Person)


def texts(memory: Memory, user: str = "ana", **more: Any) -> list[str]:
    return [episode.text for episode in memory.episodes(user=user, **more)]


def counted(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    recall = memory.recall

    def listening(query: str, **more: Any) -> Any:
        asked.append(query)
        return recall(query, **more)

    monkeypatch.setattr(memory, "recall", listening)
    return asked


def test_a_question_is_recalled_once_for_all_calls_of_a_run(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.remember("I live in Faro.", user="ana")
    asked = counted(memory, monkeypatch)
    model = Speaking(say=asks_the_weather, heard=[])
    agent_of(memory, model, saver=InMemorySaver()).invoke(said("What is the weather where I live?"), config())
    assert len(model.heard) == 3
    assert asked == ["What is the weather where I live?"]
    assert len(set(model.prompts)) == 1
    assert "user lives in Faro" in model.prompts[0]


def test_what_is_forgotten_in_a_run_is_gone_from_its_next_prompt(memory: Memory) -> None:
    memory.remember("I live in Faro.", user="ana", session="before")

    def forgets(messages: list[BaseMessage]) -> AIMessage | str:
        if len(model.heard) == 2:
            memory.forget(user="ana", query="Faro")
        return asks_the_weather(messages)

    model = Speaking(say=forgets, heard=[])
    agent_of(memory, model, saver=InMemorySaver()).invoke(said("How is the weather where I live?"), config())
    assert ["Faro" in prompt for prompt in model.prompts] == [True, True, False]


def test_the_thread_never_holds_the_memory(memory: Memory, tmp_path: Path) -> None:
    memory.remember("My parrot is called Plinio.", user="ana")
    model = Speaking(say=ok, heard=[])
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        agent = agent_of(memory, model, saver=saver)
        state = agent.invoke(said("What is my parrot called?"), config())
    assert "Plinio" in model.prompts[0]
    assert [message.text for message in state["messages"]] == ["What is my parrot called?", "Fine."]
    assert set(state) == {"messages"}
    assert not any(b"Plinio" in path.read_bytes() for path in tmp_path.glob("threads.db*"))


@pytest.mark.parametrize("content", ["Be brief.", [{"type": "text", "text": "Be brief."}]])
def test_the_agents_own_system_prompt_stays(memory: Memory, content: Any) -> None:
    memory.remember("I live in Faro.", user="ana")
    model = Speaking(say=ok, heard=[])
    middleware = [MemoriaMiddleware(memory, user="ana")]
    agent = create_agent(model, system_prompt=SystemMessage(content), middleware=middleware)
    agent.invoke(said("Where do I live?"))
    agent.invoke(said("And where do I live?"))
    assert all(prompt.startswith("Be brief.") and prompt.count("<memoria>") == 1 for prompt in model.prompts)


@pytest.mark.parametrize("budget", [1, 60, 80, 130, 170, 400])
def test_the_budget_holds_whatever_it_is(memory: Memory, budget: int) -> None:
    for number in range(30):
        memory.remember(f"Number {number}: my garden has {number} kinds of roses in it.", user="ana")
    memory.reflect(user="ana")
    model = Speaking(say=ok, heard=[])
    agent_of(memory, model, budget=budget).invoke(said("Which roses does my garden have?"))
    assert count_tokens(model.prompts[0]) <= budget
    assert ("<memoria>" in model.prompts[0]) == (budget >= 130)


def test_the_profile_comes_first_within_the_same_budget(memory: Memory) -> None:
    memory.remember(["I live in Porto.", "I work as a nurse.", "I love green tea."], user="ana", session="s")
    memory.reflect(user="ana")
    model = Speaking(say=ok, heard=[])
    agent = agent_of(memory, model, budget=300, remember=False)
    agent.invoke(said("Where do I live?"))
    profile, found = model.prompts[0].split("\n\n")[1:]
    assert "user works as nurse" in profile
    assert "user lives in Porto" in found
    memory.remember("I moved to Lisbon.", user="ana", session="later")  # the profile lags behind, and says so no more
    agent.invoke(said("Where do I live now?"))
    profile = model.prompts[1].split("\n\n")[1]
    assert "Porto" not in profile
    assert "user works as nurse" in profile
    agent_of(memory, model, profile=False).invoke(said("Where do I live, then?"))
    assert len(model.prompts[2].split("\n\n")) == 2


def test_nothing_that_was_put_into_a_prompt_is_learnt_again(memory: Memory) -> None:
    memory.remember("I live in Lisbon and I love green tea.", user="ana", session="told")
    before = {belief.id: belief.evidence for belief in memory.beliefs(user="ana", retired=True)}
    saver = InMemorySaver()
    model = Speaking(say=lambda heard: f"I was told:\n{heard[0].text}", heard=[])
    agent = agent_of(memory, model, saver=saver)
    for number in range(5):
        agent.invoke(said("Where do I live, and what do I love?"), config(f"t{number}"))
    assert model.prompts[-1].count("Lisbon") >= 1
    assert {belief.id: belief.evidence for belief in memory.beliefs(user="ana", retired=True)} == before
    assert set(texts(memory)[1:]) == {"Where do I live, and what do I love?", "I was told:"}


def test_what_tools_answer_is_kept_only_if_asked(memory: Memory) -> None:
    model = Speaking(say=asks_the_weather, heard=[])
    agent_of(memory, model).invoke(said("Weather?"), config("t1"))
    assert texts(memory) == ["Weather?", "It rains."]
    agent_of(memory, model, remember_tools=["weather"]).invoke(said("And now?"), config("t2"))
    kept = memory.episodes(user="ana", session="t2")
    assert [(e.text, e.trust) for e in kept] == [
        ("And now?", "user"),
        ("It rains in Faro.", "tool"),
        ("It rains in Faro.", "tool"),
        ("It rains.", "assistant"),
    ]
    agent_of(memory, model, remember_tools=["news"]).invoke(said("Once more?"), config("t3"))
    assert texts(memory, session="t3") == ["Once more?", "It rains."]


def test_a_run_that_fails_is_kept_with_the_next_one(memory: Memory) -> None:
    def fails_once(_: list[BaseMessage]) -> str:
        if len(model.heard) == 1:
            raise RuntimeError("no network")
        return "Here I am."

    model = Speaking(say=fails_once, heard=[])
    agent = agent_of(memory, model, saver=InMemorySaver())
    with pytest.raises(RuntimeError, match="no network"):
        agent.invoke(said("I keep bees."), config())
    agent.invoke(said("Are you there?"), config())
    assert texts(memory) == ["I keep bees.", "Are you there?", "Here I am."]


def test_the_same_words_twice_are_two_turns_and_a_replay_is_none(memory: Memory) -> None:
    saver = InMemorySaver()
    model = Speaking(say=ok, heard=[])
    agent = agent_of(memory, model, saver=saver)
    agent.invoke(said("Yes."), config())
    agent.invoke(said("Yes."), config())
    assert texts(memory) == ["Yes.", "Fine.", "Yes.", "Fine."]
    thread = agent.get_state(config()).values["messages"]
    middleware = MemoriaMiddleware(memory, user="ana")
    other = create_agent(model, middleware=[middleware], checkpointer=InMemorySaver())
    other.invoke({"messages": thread}, config())  # a thread moved to another checkpointer, message ids and all
    assert texts(memory) == ["Yes.", "Fine.", "Yes.", "Fine.", "Fine."]


def test_without_a_checkpointer_only_the_last_exchange_is_new(memory: Memory) -> None:
    model = Speaking(say=ok, heard=[])
    agent = agent_of(memory, model)
    history: list[Any] = [("user", "I keep bees.")]
    agent.invoke({"messages": history}, config())
    history += [("assistant", "Fine."), ("user", "And hens."), ("user", "And a goat.")]
    agent.invoke({"messages": history}, config())
    assert texts(memory) == ["I keep bees.", "Fine.", "And hens.", "And a goat.", "Fine."]


def test_what_no_ledger_takes_does_not_stop_the_run(memory: Memory) -> None:
    model = Speaking(say=ok, heard=[])
    agent = agent_of(memory, model, saver=InMemorySaver())
    long = "a word " * 20_000
    agent.invoke(said(f"{long} and \x00 the \ud800 end"), config())
    agent.invoke({"messages": [HumanMessage([{"type": "image", "url": "http://x/y.png"}])]}, config())
    agent.invoke(said("  "), config())
    found = texts(memory)
    assert "".join(text for text in found if text != "Fine.").count("a word") == 20_000
    assert found[-3:] == ["Fine.", "Fine.", "Fine."]
    assert model.heard[1][-1].type == "human"


class Customer:
    def __init__(self, user_id: str) -> None:
        self.user_id = user_id


@pytest.mark.parametrize(
    ("context", "configurable", "bound", "expected"),
    [
        (Person("ana", "acme"), {}, {}, ("acme", "ana")),
        ({"user": "ana"}, {}, {}, ("default", "ana")),
        ({"user_id": "ana", "tenant_id": "acme"}, {}, {}, ("acme", "ana")),
        (Customer("ana"), {}, {}, ("default", "ana")),
        (None, {"langgraph_user_id": "ana"}, {}, ("default", "ana")),
        (None, {"user_id": "ana", "tenant": "acme"}, {}, ("acme", "ana")),
        (None, {}, {"user": "ana", "tenant": "acme"}, ("acme", "ana")),
        (Person("ana"), {"user": "bob", "tenant": "other"}, {"user": "eve"}, ("default", "ana")),
        ({"name": "ana"}, {}, {"user": lambda runtime: runtime.context["name"]}, ("default", "ana")),
        (None, {}, {"user": lambda _: Scope(user="ana", tenant="acme")}, ("acme", "ana")),
        (Person("ana"), {}, {"user": lambda _: None}, ("default", "ana")),
        # What the server authenticated wins over what the client says.
        (Person("eve", "other"), {"langgraph_auth_user": SimpleNamespace(identity="ana")}, {}, ("default", "ana")),
    ],
)
def test_whose_memory_a_run_uses(
    memory: Memory, context: Any, configurable: dict[str, Any], bound: dict[str, Any], expected: tuple[str, str]
) -> None:
    agent = create_agent(Speaking(say=ok), middleware=[MemoriaMiddleware(memory, **bound)])
    agent.invoke(said("I keep bees."), config("t7", **configurable), context=context)
    assert [(scope.tenant, scope.user) for scope in memory.users()] == [expected]
    tenant, user = expected
    assert [session.name for session in memory.sessions(user=user, tenant=tenant)] == ["t7"]


def test_nobody_is_named(memory: Memory) -> None:
    agent = create_agent(Speaking(say=ok), middleware=[MemoriaMiddleware(memory)])
    with pytest.raises(InvalidInput, match="langgraph_user_id"):
        agent.invoke(said("I keep bees."), config())
    with pytest.raises(InvalidInput, match="user is int"):
        agent.invoke(said("I keep bees."), config(user_id=7))
    assert memory.users() == []


def test_it_can_only_read(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember("I live in Faro.", user="ana")
    model = Speaking(say=ok, heard=[])
    agent_of(memory, model, remember=False, saver=InMemorySaver()).invoke(said("Where do I live?"), config())
    assert "Faro" in model.prompts[0]
    assert texts(memory) == ["I live in Faro."]


def test_bad_numbers_are_refused(memory: Memory) -> None:
    with pytest.raises(InvalidInput, match="budget is 0"):
        MemoriaMiddleware(memory, budget=0)


def test_without_langchain_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['langchain'] = None; import memoria.integrations.middleware"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert 'MemoriaError: The middleware needs LangChain; run: pip install "memoria-lifelong[langchain]"' in done.stderr
