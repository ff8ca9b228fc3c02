"""The reflection graph: what it commits, what costs nothing, what a human may say, what it tells while it goes on."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from conftest import OpenMemory
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command
from memoria_graphs import Person, build_reflection

from memoria import InvalidInput, Memory, Reflection, UnknownProfile, UnknownUser
from memoria.store import schema

ANA: Any = {"configurable": {"thread_id": "ana"}}
SAID = ["I live in Porto.", "I love fado.", "I work as a nurse."]


def saver() -> InMemorySaver:
    """Takes none but LangGraph's own types."""
    return InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))


def texts(memory: Memory) -> set[str]:
    return {line.text.split(" (")[0] for line in memory.profile(user="ana").lines}


def written(memory: Memory) -> dict[str, list[Any]]:
    """All that the ledger holds."""
    with memory._ledger.read() as connection:
        return {each.name: [*connection.execute(each.select())] for each in schema.tables.sorted_tables}


def test_it_comes_to_what_the_verb_comes_to(open_memory: OpenMemory, caplog: pytest.LogCaptureFixture) -> None:
    memory = open_memory()
    for user in ("ana", "bob"):
        memory.remember(SAID, user=user, session="s1")
    graph = build_reflection(memory, checkpointer=saver())
    with caplog.at_level(logging.WARNING):
        state = graph.invoke({}, ANA, context=Person("ana"))
    kept = graph.get_state(ANA).values
    assert caplog.records == [], "the checkpointer took every type"
    assert kept == state
    by_verb = memory.reflect(user="bob")
    made = Reflection.model_validate(state["reflection"])
    assert (state["outcome"], made.changed, made.version) == ("committed", True, 1)
    assert (made.added, made.removed) == (by_verb.added, by_verb.removed)
    assert texts(memory) == {"user lives in Porto", "user likes fado", "user works as nurse"}


def test_an_unchanged_history_ends_at_once_and_writes_nothing(memory: Memory) -> None:
    memory.remember(SAID, user="ana")
    graph = build_reflection(memory, approve_above=0.0, checkpointer=saver())
    graph.invoke({}, ANA, context=Person("ana"))
    graph.invoke(Command(resume=True), ANA)
    before = written(memory)
    ran = [name for each in graph.stream({}, ANA, context=Person("ana"), stream_mode="updates") for name in each]
    assert ran == ["gather"]
    state = graph.get_state(ANA).values
    assert (state["outcome"], state["reflection"]["version"], state["draft"]) == ("unchanged", 1, None)
    assert written(memory) == before


def test_it_tells_how_far_it_is_in_numbers(memory: Memory) -> None:
    memory.remember(SAID, user="ana")
    graph = build_reflection(memory)
    told = list(graph.stream({}, context=Person("ana"), stream_mode="custom"))
    assert [each["stage"] for each in told] == ["gather", "consolidate", "verify", "commit"]
    assert told[0] == {"stage": "gather", "unchanged": False, "turns": 3, "beliefs": 3}
    assert told[-1]["version"] == 1


def test_a_refusal_keeps_nothing_and_says_so(memory: Memory) -> None:
    memory.remember(SAID, user="ana")
    graph = build_reflection(memory, approve_above=0.5, checkpointer=saver())
    before = written(memory)
    asked = graph.invoke({}, ANA, context=Person("ana"))["__interrupt__"][0].value
    assert {line["text"].split(" (")[0] for line in asked["change"]["added"]} == {
        "user lives in Porto",
        "user likes fado",
        "user works as nurse",
    }
    assert all(line["episode_ids"] for line in asked["change"]["added"])
    state = graph.invoke(Command(resume=False), ANA)
    assert (state["outcome"], state["reflection"]["changed"]) == ("refused", False)
    assert written(memory) == before
    with pytest.raises(UnknownProfile):
        memory.profile(user="ana")


def test_lines_that_a_human_leaves_out_are_not_kept(memory: Memory) -> None:
    memory.remember(SAID, user="ana")
    graph = build_reflection(memory, approve_above=0.5, checkpointer=saver())
    graph.invoke({}, ANA, context=Person("ana"))
    state = graph.invoke(Command(resume={"approve": True, "drop": ["user likes fado"]}), ANA)
    assert (state["outcome"], state["reflection"]["added"]) == ("committed", 2)
    assert texts(memory) == {"user lives in Porto", "user works as nurse"}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("yes", "'yes' is no answer"),
        ({"drop": []}, "is no answer"),
        ({"approve": True, "lines": []}, "is no answer"),
        ({"approve": True, "drop": ["user likes jazz"]}, "no added line 'user likes jazz'"),
    ],
)
def test_what_is_no_answer_is_asked_again(memory: Memory, answer: Any, problem: str) -> None:
    memory.remember(SAID, user="ana")
    graph = build_reflection(memory, approve_above=0.5, checkpointer=saver())
    graph.invoke({}, ANA, context=Person("ana"))
    again = graph.invoke(Command(resume=answer), ANA)["__interrupt__"][0].value
    assert problem in again["problem"]
    assert graph.invoke(Command(resume=True), ANA)["outcome"] == "committed"


def test_only_a_change_above_the_share_is_asked_about(memory: Memory) -> None:
    memory.remember(SAID, user="ana", session="s1")
    memory.reflect(user="ana")
    graph = build_reflection(memory, approve_above=0.5, checkpointer=saver())
    memory.remember("I hate cilantro.", user="ana", session="s2")
    state = graph.invoke({}, ANA, context=Person("ana"))
    assert (state["outcome"], state["change"]["share"]) == ("committed", pytest.approx(1 / 3))
    memory.remember(["I moved to Lisbon.", "I love jazz."], user="ana", session="s3")
    asked = graph.invoke({}, ANA, context=Person("ana"))["__interrupt__"][0].value
    assert [line["text"].split(" (")[0] for line in asked["change"]["removed"]] == ["user lives in Porto"]


def test_what_was_forgotten_while_it_waited_is_not_kept(memory: Memory) -> None:
    memory.remember(SAID[0], user="ana", session="s1")
    memory.remember(SAID[1], user="ana", session="s2")
    graph = build_reflection(memory, approve_above=0.0, checkpointer=saver())
    graph.invoke({}, ANA, context=Person("ana"))
    memory.forget(user="ana", session="s2")
    graph.invoke(Command(resume=True), ANA)
    assert texts(memory) == {"user lives in Porto"}


def test_another_reflection_meanwhile_is_not_taken_for_this_one(memory: Memory) -> None:
    memory.remember(SAID, user="ana")
    graph = build_reflection(memory, approve_above=0.0, checkpointer=saver())
    graph.invoke({}, ANA, context=Person("ana"))
    memory.reflect(user="ana")
    state = graph.invoke(Command(resume={"approve": True, "drop": ["user likes fado"]}), ANA)
    assert (state["outcome"], state["reflection"]["changed"]) == ("overtaken", False)
    assert "user likes fado" in texts(memory)


def test_whose_it_is_must_be_said(memory: Memory) -> None:
    graph = build_reflection(memory)
    with pytest.raises(InvalidInput, match="context="):
        graph.invoke({})
    with pytest.raises(UnknownUser):
        graph.invoke({}, context=Person("nobody"))
