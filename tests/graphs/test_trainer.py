"""memoria's own trainer through the graph: what it makes, and that a run killed anywhere goes on to the same end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import DIMENSION, OpenMemory
from distilled import LIKES, distil_settings, pretend, promotions, statuses
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command
from memoria_graphs import MemoriaTrainer, Person, build_distillation
from memoria_graphs.sources import sources_of

from memoria import HashEmbeddings, Memory, Settings
from memoria.distill.task import Result, Task
from memoria.errors import InvalidInput, LeaseLost, TrainingFailed, Withheld

ANA = Person("ana")


@pytest.fixture
def told(open_memory: OpenMemory, settings: Settings) -> Callable[..., Memory]:
    def open_told(*kinds: Any, embeddings: HashEmbeddings | None = None, **more: Any) -> Memory:
        made = settings.model_copy(update={"distil": distil_settings(*kinds, **more)})
        memory = open_memory(settings=made, embeddings=embeddings or HashEmbeddings(DIMENSION))
        if not memory.users():
            memory.remember(LIKES, user="ana", session="s1")
        return memory

    return open_told


def run(memory: Memory, **more: Any) -> dict[str, Any]:
    return build_distillation(memory, trainer=MemoriaTrainer(memory, **more)).invoke({}, context=ANA)


def test_each_kind_by_itself_and_unchanged_it_is_skipped(told: Callable[..., Memory]) -> None:
    memory = told("head", "card")
    state = run(memory)
    assert (state["outcome"], state["served"]) == ("promoted", ["head-1"])
    assert state["why"].startswith("card: card-1 was rejected: ranks ")
    assert [each["kind"] for each in state["training"]["candidates"]] == ["head", "card"]
    state = run(memory)
    assert (state["outcome"], state["served"]) == ("nothing to train", [])
    assert "head: nothing changed since head-1, which is serving" in state["why"]
    assert "card: nothing changed since card-1, which is rejected" in state["why"]
    assert run(memory, kinds=("head",))["outcome"] == "too little changed"
    assert promotions(memory) == [(1, "head-1")]


def test_an_adapter_too_and_anew_for_another_model(told: Callable[..., Memory]) -> None:
    memory = told("head", "adapter", model="one")
    assert run(memory, perform=pretend)["served"] == ["head-1", "lora-1"]
    assert run(memory, perform=pretend)["outcome"] == "too little changed"
    memory = told("head", "adapter", model="two")
    state = run(memory, perform=pretend)
    why = "lora-1 may not serve: It was made for one and two is in use; distil again."
    assert state["selection"]["why"] == why
    assert state["served"] == ["lora-2"]
    assert run(memory, perform=pretend)["outcome"] == "too little changed"


def test_what_is_damaged_or_of_other_embeddings_is_made_anew(told: Callable[..., Memory], home: Path) -> None:
    memory = told()
    run(memory)
    damaged = home / memory.adapters(user="ana")[0].folder / "head.safetensors"
    damaged.write_bytes(b"half")
    state = run(memory)
    assert "head.safetensors is not what was written" in state["selection"]["why"]
    assert state["served"] == ["head-2"]
    memory = told(embeddings=HashEmbeddings(DIMENSION * 2))
    state = run(memory)
    assert "head-2 may not serve: It was made for " in state["selection"]["why"]
    assert [each["id"] for each in state["training"]["candidates"]] == ["head-3"]


def test_what_serves_by_force_needs_no_verdict(told: Callable[..., Memory]) -> None:
    memory = told()
    trainer = MemoriaTrainer(memory)
    (made,) = trainer.train(sources_of(memory, ANA, facts=False)).candidates
    memory.promote(made.id, user="ana", force=True)
    assert trainer.judge(made).passed


@pytest.mark.parametrize("ends", [True, False])
def test_an_erasure_that_waited_for_a_training_is_finished_after_it(told: Callable[..., Memory], ends: bool) -> None:
    memory = told("adapter", model="one")

    def forgetting(task: Task, heard: Any) -> Result:
        assert not memory.forget(user="ana", ids=[memory.beliefs(user="ana", about="jazz")[0].id]).complete
        if not ends:
            raise TrainingFailed("the machine was switched off")
        return pretend(task, heard)

    with pytest.raises(Withheld if ends else TrainingFailed):
        memory.fit("adapter", user="ana", perform=forgetting)
    assert memory.verify_forgotten() == []


def test_what_was_forgotten_is_rebuilt_however_little_it_was(told: Callable[..., Memory]) -> None:
    memory = told()
    run(memory)
    (jazz,) = memory.beliefs(user="ana", about="jazz")
    memory.forget(user="ana", ids=[jazz.id])
    assert (statuses(memory), len(memory.owed())) == ([("head-1", "quarantined")], 1)
    state = run(memory)
    assert state["selection"]["why"] == "a rebuild is owed since something was forgotten"
    assert (state["outcome"], state["served"], memory.owed()) == ("promoted", ["head-2"], [])
    assert jazz.id not in {each.id for each in memory.adapter("head-2", user="ana").origins}


def test_what_a_human_refused_is_promoted_by_no_later_run(told: Callable[..., Memory]) -> None:
    memory = told()
    thread: Any = {"configurable": {"thread_id": "1"}}
    graph = build_distillation(
        memory, trainer=MemoriaTrainer(memory), approve=True, checkpointer=InMemorySaver(serde=JsonPlusSerializer())
    )
    graph.invoke({}, thread, context=ANA)
    assert graph.invoke(Command(resume=False), thread, context=ANA)["outcome"] == "refused"
    state = run(memory)
    assert (state["outcome"], statuses(memory)) == ("nothing to train", [("head-1", "rejected")])
    assert "nothing changed since head-1, which is rejected" in state["why"]
    with pytest.raises(Withheld, match="a human refused it"):
        memory.promote("head-1", user="ana")
    memory.promote("head-1", user="ana", force=True)
    with pytest.raises(InvalidInput, match="what serves is rolled back"):
        memory.reject("head-1", user="ana")


def test_where_nothing_is_left_nothing_is_owed(told: Callable[..., Memory]) -> None:
    memory = told()
    run(memory)
    memory.forget(user="ana", session="s1")
    assert len(memory.owed()) == 1
    assert run(memory)["outcome"] == "nothing to train"
    assert memory.owed() == []


def test_what_is_made_of_some_kinds_only_leaves_the_rest_owed(told: Callable[..., Memory]) -> None:
    memory = told("head", "card")
    run(memory)
    memory.forget(user="ana", ids=[memory.beliefs(user="ana", about="jazz")[0].id])
    assert run(memory, kinds=("head",))["outcome"] == "promoted"
    assert len(memory.owed()) == 1


def test_what_is_forgotten_at_the_very_end_of_a_rebuild_is_owed_anew(
    told: Callable[..., Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = told()
    run(memory)
    memory.forget(user="ana", ids=[memory.beliefs(user="ana", about="jazz")[0].id])
    done = memory.promote

    def forgetting(*args: Any, **more: Any) -> Any:
        done(*args, **more)
        memory.forget(user="ana", ids=[memory.beliefs(user="ana", about="tea")[0].id])

    monkeypatch.setattr(memory, "promote", forgetting)
    run(memory)
    assert (statuses(memory)[-1], len(memory.owed())) == (("head-2", "quarantined"), 1)


@pytest.mark.parametrize("verb", ["fit", "judge", "promote", "rebuilt"])
@pytest.mark.parametrize("time", [1, 2])
def test_killed_after_any_verb_the_next_run_comes_to_the_same_end(
    told: Callable[..., Memory], monkeypatch: pytest.MonkeyPatch, verb: str, time: int
) -> None:
    memory = told("head", "adapter", model="one")
    done, calls = getattr(memory, verb), list[str]()

    def dying(*args: Any, **more: Any) -> Any:
        made = done(*args, **more)
        calls.append(verb)
        if len(calls) == time:
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(memory, verb, dying)
    if verb != "rebuilt" or time == 1:
        with pytest.raises(KeyboardInterrupt):
            run(memory, perform=pretend)
        monkeypatch.undo()
    run(memory, perform=pretend)
    assert statuses(memory) == [("head-1", "serving"), ("lora-1", "serving")]
    assert sorted(promotions(memory)) == [(1, "head-1"), (1, "lora-1")]
    assert run(memory, perform=pretend)["outcome"] == "too little changed"


def test_who_has_lost_the_run_lets_nothing_serve(told: Callable[..., Memory]) -> None:
    memory = told()

    def lost(_: object) -> None:
        raise LeaseLost("another worker has it")

    with pytest.raises(LeaseLost):
        run(memory, also=lost)
    assert (statuses(memory), promotions(memory)) == ([("head-1", "candidate")], [])
    assert run(memory)["served"] == ["head-1"]


def test_a_training_that_is_told_to_stop_leaves_what_was_made_before(told: Callable[..., Memory]) -> None:
    memory = told("head", "adapter", model="one")

    def lost(_: dict[str, Any]) -> None:
        raise LeaseLost("another worker has it")

    with pytest.raises(LeaseLost):
        run(memory, heard=lost, perform=pretend)
    assert statuses(memory) == [("head-1", "candidate")]


@pytest.mark.parametrize("verb", ["fit", "judge"])
def test_what_is_forgotten_meanwhile_never_serves_and_stays_owed(
    told: Callable[..., Memory], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    memory = told()
    done = getattr(memory, verb)

    def forgetting(*args: Any, **more: Any) -> Any:
        made = done(*args, **more)
        memory.forget(user="ana", ids=[memory.beliefs(user="ana", about="jazz")[0].id])
        return made

    monkeypatch.setattr(memory, verb, forgetting)
    state = run(memory)
    assert (state["outcome"], promotions(memory)) == ("forgotten", [])
    assert statuses(memory) == [("head-1", "quarantined")]
    monkeypatch.undo()
    assert run(memory)["served"] == ["head-2"]


def test_what_cannot_be_trained_holds_up_nothing_else_and_is_tried_again(told: Callable[..., Memory]) -> None:
    memory = told("head", "adapter", model="one")

    def broken(task: Task, heard: object) -> Result:
        raise TrainingFailed("the disk is full")

    state = run(memory, perform=broken)
    assert (state["served"], state["why"]) == (["head-1"], "adapter: the disk is full")
    with pytest.raises(TrainingFailed, match="the disk is full"):
        run(memory, perform=broken)
    assert run(memory, perform=pretend)["served"] == ["lora-1"]


def test_who_withholds_consent_is_not_learnt_from(told: Callable[..., Memory]) -> None:
    memory = told()
    run(memory)
    memory.consent(False, user="ana")
    state = run(memory)
    assert (state["outcome"], statuses(memory)) == ("nothing to train", [("head-1", "quarantined")])
    assert "withholds consent" in state["why"]
