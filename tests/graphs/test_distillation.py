"""The distillation graph: without a trainer an honest end, with one the seam through all five nodes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from conftest import OpenMemory
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command
from memoria_graphs import Candidate, Least, Person, Selection, Sources, Verdict, build_distillation

from memoria import Memory

ANA: Any = {"configurable": {"thread_id": "ana"}}
SAID = ["I live in Porto.", "I love fado.", "I work as a nurse."]
ONE = Least(facts=1, preferences=1, turns=1)


@dataclass
class Scripted:
    """A trainer that keeps what it was asked and answers from a script."""

    passes: bool = True
    calls: list[Any] = field(default_factory=list)
    served: Sources | None = None
    while_judging: Any = None

    def last(self, tenant: str, user: str) -> Sources | None:
        return self.served

    def train(self, selection: Selection, sources: Sources) -> Candidate:
        self.calls.append(("train", selection, sources))
        return Candidate("c1", "scripted", sources.digest, {"loss": 0.5})

    def judge(self, candidate: Candidate) -> Verdict:
        self.calls.append(("judge", candidate))
        if self.while_judging is not None:
            self.while_judging()
        return Verdict(candidate.id, self.passes, "" if self.passes else "0.51 is not above 0.6", {"accuracy": 0.51})

    def promote(self, candidate: Candidate, verdict: Verdict) -> None:
        self.calls.append(("promote", candidate, verdict))
        self.served = self.calls[0][2]


def saver() -> InMemorySaver:
    """Takes none but LangGraph's own types."""
    return InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))


@pytest.fixture
def told(open_memory: OpenMemory) -> Memory:
    memory = open_memory()
    memory.remember(SAID, user="ana", session="s1")
    memory.remember("Nice to meet you.", user="ana", session="s1")
    return memory


def test_without_a_trainer_it_ends_with_what_there_would_be(told: Memory) -> None:
    state = build_distillation(told, least=ONE).invoke({}, context=Person("ana"))
    assert state["outcome"] == "nothing to train"
    assert state["why"] == "no trainer is set up; 3 beliefs resting on 3 turns could be learnt from"
    assert state["selection"]["live"] == {"facts": 2, "preferences": 1, "turns": 4}
    held = {each.id for each in told.beliefs(user="ana")}
    assert {*state["sources"]["facts"], *state["sources"]["preferences"]} == held
    episodes = {each.id: each.text for each in told.episodes(user="ana")}
    assert {episodes[each] for each in state["sources"]["episodes"]} == set(SAID)
    assert state["candidate"] is None


def test_with_too_little_new_nothing_is_built(told: Memory) -> None:
    state = build_distillation(told, least=Least()).invoke({}, context=Person("ana"))
    assert state["outcome"] == "too little changed"
    assert "2 of 10 facts, 1 of 3 preferences, 4 of 200 turns" in state["why"]
    assert state["sources"] is None


def test_where_nothing_is_believed_there_is_nothing_to_train(memory: Memory) -> None:
    memory.remember("Nice to meet you.", user="ana")
    trainer = Scripted()
    state = build_distillation(memory, trainer=trainer, least=ONE).invoke({}, context=Person("ana"))
    assert (state["outcome"], state["why"]) == ("nothing to train", "nothing is believed yet")
    assert trainer.calls == []


def test_a_trainer_runs_through_all_five_nodes(told: Memory, caplog: pytest.LogCaptureFixture) -> None:
    trainer = Scripted()
    graph = build_distillation(told, trainer=trainer, least=ONE, checkpointer=saver())
    with caplog.at_level(logging.WARNING):
        events = list(graph.stream({}, ANA, context=Person("ana"), stream_mode=["updates", "custom"]))
        state = graph.get_state(ANA).values
    assert caplog.records == []
    ran = [name for kind, each in events if kind == "updates" for name in each]
    assert ran == ["select", "build", "train", "gate", "promote"]
    assert [each["stage"] for kind, each in events if kind == "custom"] == ran
    assert state["outcome"] == "promoted"
    (_, selection, sources), (_, candidate), promoted = trainer.calls
    assert (selection.user, selection.enough, len(sources.facts), len(sources.preferences)) == ("ana", True, 2, 1)
    assert promoted == ("promote", candidate, Verdict("c1", True, "", {"accuracy": 0.51}))
    assert candidate.sources == sources.digest

    state = graph.invoke({}, ANA, context=Person("ana"))
    assert (state["outcome"], state["candidate"]) == ("too little changed", None)
    told.remember("I hate cilantro.", user="ana", session="s2")
    assert graph.invoke({}, ANA, context=Person("ana"))["selection"]["changed"] == {
        "facts": 0,
        "preferences": 1,
        "turns": 1,
    }


def test_what_is_so_no_longer_counts_as_a_change(told: Memory) -> None:
    graph = build_distillation(told, trainer=(trainer := Scripted()), least=ONE)
    graph.invoke({}, context=Person("ana"))
    home = next(each for each in told.beliefs(user="ana", about="Porto"))
    told.retract(home.id, user="ana")
    assert trainer.served is not None
    state = graph.invoke({}, context=Person("ana"))
    assert state["selection"]["changed"]["facts"] == 1
    assert home.id not in state["sources"]["facts"]


def test_what_the_gate_rejects_is_not_promoted(told: Memory) -> None:
    trainer = Scripted(passes=False)
    state = build_distillation(told, trainer=trainer, least=ONE, approve=True).invoke({}, context=Person("ana"))
    assert (state["outcome"], state["why"]) == ("rejected", "0.51 is not above 0.6")
    assert [each[0] for each in trainer.calls] == ["train", "judge"]


@pytest.mark.parametrize(("answer", "outcome"), [(True, "promoted"), (False, "refused")])
def test_a_human_may_have_the_last_word(told: Memory, answer: bool, outcome: str) -> None:
    trainer = Scripted()
    graph = build_distillation(told, trainer=trainer, least=ONE, approve=True, checkpointer=saver())
    asked = graph.invoke({}, ANA, context=Person("ana"))["__interrupt__"][0].value
    assert asked["verdict"]["figures"] == {"accuracy": 0.51}
    assert trainer.served is None
    assert graph.invoke(Command(resume=answer), ANA)["outcome"] == outcome
    assert (trainer.served is not None) is answer


@pytest.mark.parametrize("how", [{"session": "s1"}, {"everything": True}])
def test_what_was_forgotten_meanwhile_is_never_promoted(told: Memory, how: dict[str, Any]) -> None:
    trainer = Scripted(while_judging=lambda: told.forget(user="ana", **how))
    state = build_distillation(told, trainer=trainer, least=ONE).invoke({}, context=Person("ana"))
    assert state["outcome"] == "forgotten"
    assert trainer.served is None


def test_sources_are_known_by_what_they_hold() -> None:
    one = Sources("default", "ana", ("a", "b"), (), ("e",))
    assert one.digest == replace(one, facts=("b", "a")).digest
    assert one.digest != replace(one, facts=("a",)).digest
    assert one.digest != replace(one, user="bob").digest
