"""A dialogue of 200 turns through `create_agent`: what is told on the first thread is known on the tenth."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import DIMENSION, Clock
from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from scripted import Speaking

from memoria import HashEmbeddings, Memory, Settings
from memoria.integrations.middleware import MemoriaMiddleware
from memoria.integrations.prompt import HOW_TO_USE
from memoria.store.text import count_tokens

SYSTEM = "You are a kind companion."
BUDGET, THREADS, RUNS = 220, 10, 10
FACTS = {
    "My dog is called Bolota.": ("What is the name of my dog?", "Bolota"),
    "My sister Leonor lives in Braga.": ("Where does my sister live?", "Braga"),
    "I am allergic to cashews.": ("What am I allergic to?", "cashews"),
    "I work as a nurse at the harbour clinic.": ("Where do I work as a nurse?", "harbour"),
    "My bicycle is a yellow Brompton.": ("Which bicycle is mine?", "Brompton"),
    "The safe opens with the year 1755.": ("Which year opens the safe?", "1755"),
    "I learn the cello with Mrs. Amaral.": ("Who do I learn the cello with?", "Amaral"),
    "My flight to Oslo is on the 3rd of May.": ("When is my flight to Oslo?", "3rd of May"),
    "My favourite tea is jasmine.": ("What is my favourite tea?", "jasmine"),
    "My neighbour Tom keeps bees.": ("What does my neighbour Tom keep?", "bees"),
}
SMALL_TALK = ["It rains again today.", "I read a long novel.", "We cooked a soup.", "The tram was late once more."]


@dataclass
class Ana:
    user: str = "ana"


def script() -> list[tuple[str, str]]:
    """Thread and words of every run: ten facts, eight threads of small talk, ten questions."""
    runs = [("t1", fact) for fact in FACTS]
    for thread in range(2, THREADS):
        runs += [(f"t{thread}", f"{SMALL_TALK[n % len(SMALL_TALK)]} That is {thread} and {n}.") for n in range(RUNS)]
    return runs + [(f"t{THREADS}", question) for question, _ in FACTS.values()]


def reply(messages: list[BaseMessage]) -> str:
    return f"I heard you, number {len(messages)}."


def agent_of(memory: Memory, model: Speaking, **more: Any) -> Any:
    middleware = [MemoriaMiddleware(memory, budget=BUDGET, **more)]
    saver = InMemorySaver()
    return create_agent(model, system_prompt=SYSTEM, middleware=middleware, checkpointer=saver, context_schema=Ana)


def on(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


def open_at(home: Path, settings: Settings) -> Memory:
    return Memory(home, embeddings=HashEmbeddings(DIMENSION), settings=settings, clock=Clock())


def talk(memory: Memory) -> Speaking:
    model = Speaking(say=reply, heard=[])
    agent = agent_of(memory, model)
    for thread, text in script():
        agent.invoke({"messages": [HumanMessage(text)]}, on(thread), context=Ana())
    return model


async def atalk(memory: Memory) -> Speaking:
    model = Speaking(say=reply, heard=[])
    agent = agent_of(memory, model)
    for thread, text in script():
        await agent.ainvoke({"messages": [HumanMessage(text)]}, on(thread), context=Ana())
    return model


def test_two_hundred_turns(tmp_path: Path, settings: Settings) -> None:
    with open_at(tmp_path / "sync", settings) as memory:
        model = talk(memory)
        assert memory.status()["episodes"] == 200
        assert len(memory.sessions(user="ana")) == THREADS
        said = [episode.text for episode in memory.episodes(user="ana")]
    with open_at(tmp_path / "async", settings) as memory:
        other = asyncio.run(atalk(memory))
        assert [episode.text for episode in memory.episodes(user="ana")] == said
    assert other.prompts == model.prompts
    assert [[m.text for m in heard] for heard in other.heard] == [[m.text for m in heard] for heard in model.heard]

    for (_, wanted), prompt in zip(FACTS.values(), model.prompts[-len(FACTS) :], strict=True):
        assert wanted in prompt.split("<memoria>")[1]
    spent = [count_tokens(prompt.removeprefix(SYSTEM)) for prompt in model.prompts]
    assert max(spent) <= BUDGET
    assert max(spent) > BUDGET - 40, "the budget never bit: the test says nothing"
    assert not any(HOW_TO_USE in text or "<memoria>" in text for text in said)


def marked(user: str, number: int) -> str:
    return f"{user} tells that box {number} holds {user}-thing-{number}, and asks what boxes hold."


@pytest.mark.parametrize("way", ["threads", "gather"])
def test_two_users_in_parallel_never_see_each_other(memory: Memory, way: str) -> None:
    model = Speaking(say=reply, heard=[])
    agent = agent_of(memory, model)
    runs = [(user, number) for number in range(12) for user in ("ana", "bob")]

    def run(each: tuple[str, int]) -> None:
        user, number = each
        said = {"messages": [HumanMessage(marked(user, number))]}
        agent.invoke(said, on(f"{user}-{number % 3}"), context=Ana(user))

    async def gather() -> None:
        async def one(each: tuple[str, int]) -> None:
            user, number = each
            said = {"messages": [HumanMessage(marked(user, number))]}
            await agent.ainvoke(said, on(f"{user}-{number}"), context=Ana(user))

        for start in range(0, len(runs), 8):
            await asyncio.gather(*(one(each) for each in runs[start : start + 8]))

    if way == "threads":
        with ThreadPoolExecutor(2) as pool:
            # One worker a person: a thread of a checkpointer takes one run at a time.
            list(pool.map(lambda user: [run(each) for each in runs if each[0] == user], ("ana", "bob")))
    else:
        asyncio.run(gather())
    assert len(model.heard) == len(runs)
    recalled = 0
    for heard, prompt in zip(model.heard, model.prompts, strict=True):
        user = "ana" if "ana" in heard[-1].text else "bob"
        other = "bob" if user == "ana" else "ana"
        assert not any(f"{other}-thing" in message.text for message in heard)
        recalled += f"{user}-thing" in prompt
    assert recalled >= len(runs) // 2
    for user in ("ana", "bob"):
        assert {e.user for e in memory.episodes(user=user)} == {user}
