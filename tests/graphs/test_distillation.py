"""The distillation graph: without a trainer an honest end, with a scripted one the seam through all five nodes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from conftest import OpenMemory
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command
from memoria_graphs import Candidate, Least, Person, Sources, Training, Verdict, build_distillation

from memoria import Memory, Withheld

ANA: Any = {"configurable": {"thread_id": "ana"}}
SAID = ["I live in Porto.", "I love fado.", "I work as a nurse."]
ONE = Least(beliefs=1, turns=1)


@dataclass
class Scripted:
    """A trainer that keeps what it was asked and answers from a script: a verdict for each kind it makes."""

    verdicts: dict[str, bool] = field(default_factory=lambda: {"head": True})
    without: dict[str, str] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    owed: str = ""
    calls: list[Any] = field(default_factory=list)
    served: Sources | None = None
    settled: Sources | None = None
    while_judging: Any = None
    refuses: str = ""
    facts: bool = False

    def last(self, tenant: str, user: str) -> Sources | None:
        return self.served

    def owes(self, tenant: str, user: str) -> str:
        return self.owed

    def train(self, sources: Sources) -> Training:
        self.calls.append(("train", sources))
        made = [
            Candidate(f"{kind}-1", kind, sources.tenant, sources.user, sources.digest, {"loss": 0.5})
            for kind in self.verdicts
        ]
        return Training(tuple(made), self.without, self.failed)

    def judge(self, candidate: Candidate) -> Verdict:
        self.calls.append(("judge", candidate))
        if self.while_judging is not None:
            self.while_judging()
        passed = self.verdicts[candidate.kind]
        return Verdict(candidate.id, passed, "" if passed else "0.51 is not above 0.6", {"accuracy": 0.51})

    def promote(self, candidate: Candidate, verdict: Verdict) -> None:
        if candidate.kind == self.refuses:
            raise Withheld("it was made of what is gone")
        self.calls.append(("promote", candidate, verdict))
        self.served = self.calls[0][1]

    def refuse(self, candidate: Candidate) -> None:
        self.calls.append(("refuse", candidate.id))

    def settle(self, sources: Sources) -> None:
        self.settled = sources


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
    assert state["why"] == "no trainer is set up; 1 beliefs and 1 turns could be learnt from"
    assert state["selection"]["live"] == {"beliefs": 1, "turns": 1}
    assert state["sources"]["beliefs"] == [each.id for each in told.beliefs(user="ana", about="fado")]
    (episode,) = state["sources"]["turns"]
    assert next(each.text for each in told.episodes(user="ana") if each.id == episode) == "I love fado."
    assert state["sources"]["counts"]["pairs"] > 0
    assert state["training"] is None


def test_with_too_little_new_nothing_is_built(told: Memory) -> None:
    trainer = Scripted()
    state = build_distillation(told, trainer=trainer).invoke({}, context=Person("ana"))
    assert state["outcome"] == "too little changed"
    assert "1 of 3 beliefs and 1 of 10 turns" in state["why"]
    assert (state["sources"], trainer.calls, trainer.settled) == (None, [], None)


def test_what_is_owed_is_distilled_however_little_changed(told: Memory) -> None:
    trainer = Scripted(owed="a rebuild is owed")
    state = build_distillation(told, trainer=trainer).invoke({}, context=Person("ana"))
    assert (state["selection"]["why"], state["outcome"], state["served"]) == (
        "a rebuild is owed",
        "promoted",
        ["head-1"],
    )
    assert trainer.settled is not None


def test_where_nothing_is_liked_there_is_nothing_to_train_and_nothing_owed(memory: Memory) -> None:
    memory.remember("I live in Porto.", user="ana")
    trainer = Scripted(owed="a rebuild is owed")
    state = build_distillation(memory, trainer=trainer, least=ONE).invoke({}, context=Person("ana"))
    assert state["outcome"] == "nothing to train"
    assert "no preference is stated" in state["why"]
    assert trainer.calls == []
    assert trainer.settled is not None


def test_who_withholds_consent_is_not_learnt_from(told: Memory) -> None:
    told.consent(False, user="ana")
    trainer = Scripted()
    state = build_distillation(told, trainer=trainer, least=ONE).invoke({}, context=Person("ana"))
    assert state["outcome"] == "nothing to train"
    assert state["why"].startswith("ana withholds consent")
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
    assert (state["outcome"], state["served"], state["why"]) == ("promoted", ["head-1"], "")
    (_, sources), (_, candidate), promoted = trainer.calls
    assert (sources.user, len(sources.beliefs), len(sources.turns)) == ("ana", 1, 1)
    assert promoted == ("promote", candidate, Verdict("head-1", True, "", {"accuracy": 0.51}))
    assert candidate.sources == sources.digest == trainer.settled.digest

    state = graph.invoke({}, ANA, context=Person("ana"))
    assert (state["outcome"], state["training"], state["served"]) == ("too little changed", None, [])
    told.remember("I hate cilantro.", user="ana", session="s2")
    assert graph.invoke({}, ANA, context=Person("ana"))["selection"]["changed"] == {"beliefs": 1, "turns": 1}


def test_each_kind_is_judged_by_itself_and_the_whys_of_the_others_are_told(told: Memory) -> None:
    trainer = Scripted({"head": True, "card": False, "adapter": True}, {"soup": "there is none"}, refuses="adapter")
    state = build_distillation(told, trainer=trainer, least=ONE).invoke({}, context=Person("ana"))
    assert (state["outcome"], state["served"]) == ("promoted", ["head-1"])
    assert state["why"] == (
        "soup: there is none; card: card-1 was rejected: 0.51 is not above 0.6; adapter: it was made of what is gone"
    )


def test_what_failed_stays_owed(told: Memory) -> None:
    trainer = Scripted(without={"adapter": "the disk is full"}, failed=("adapter",))
    state = build_distillation(told, trainer=trainer, least=ONE).invoke({}, context=Person("ana"))
    assert (state["outcome"], state["why"], trainer.settled) == ("promoted", "adapter: the disk is full", None)


def test_what_is_so_no_longer_counts_as_a_change(told: Memory) -> None:
    graph = build_distillation(told, trainer=(trainer := Scripted()), least=ONE)
    told.remember("I hate cilantro.", user="ana", session="s2")
    graph.invoke({}, context=Person("ana"))
    fado = next(each for each in told.beliefs(user="ana", about="fado"))
    told.retract(fado.id, user="ana")
    assert trainer.served is not None
    state = graph.invoke({}, context=Person("ana"))
    assert state["selection"]["changed"]["beliefs"] == 1
    assert fado.id not in state["sources"]["beliefs"]


def test_what_the_gate_rejects_is_not_promoted(told: Memory) -> None:
    trainer = Scripted({"head": False})
    state = build_distillation(told, trainer=trainer, least=ONE, approve=True).invoke({}, context=Person("ana"))
    assert (state["outcome"], state["why"]) == ("rejected", "head: head-1 was rejected: 0.51 is not above 0.6")
    assert [each[0] for each in trainer.calls] == ["train", "judge"]


@pytest.mark.parametrize(("answer", "outcome"), [(True, "promoted"), (False, "refused")])
def test_a_human_may_have_the_last_word(told: Memory, answer: bool, outcome: str) -> None:
    trainer = Scripted({"head": True, "card": False})
    graph = build_distillation(told, trainer=trainer, least=ONE, approve=True, checkpointer=saver())
    asked = graph.invoke({}, ANA, context=Person("ana"))["__interrupt__"][0].value
    assert [each["figures"] for each in asked["verdicts"]] == [{"accuracy": 0.51}]
    assert [each["id"] for each in asked["candidates"]] == ["head-1"]
    assert trainer.served is None
    assert graph.invoke(Command(resume=answer), ANA)["outcome"] == outcome
    assert (trainer.served is not None) is answer
    assert (("refuse", "head-1") in trainer.calls) is not answer, "what the gate rejected needs no refusal"
    assert ("refuse", "card-1") not in trainer.calls


@pytest.mark.parametrize("how", [{"session": "s1"}, {"everything": True}])
def test_what_was_forgotten_meanwhile_is_never_promoted(told: Memory, how: dict[str, Any]) -> None:
    trainer = Scripted(while_judging=lambda: told.forget(user="ana", **how))
    state = build_distillation(told, trainer=trainer, least=ONE).invoke({}, context=Person("ana"))
    assert state["outcome"] == "forgotten"
    assert trainer.served is None


def test_sources_are_known_by_what_they_hold() -> None:
    one = Sources("default", "ana", ("a", "b"), ("e",))
    assert one.digest == replace(one, beliefs=("b", "a"), at=7).digest
    assert one.digest != replace(one, beliefs=("a",)).digest
    assert one.digest != replace(one, user="bob").digest
