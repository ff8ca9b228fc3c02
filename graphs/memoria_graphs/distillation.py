"""The distillation graph: select -> build -> train -> gate -> promote.

What enters: whose memory (`Person`, the run's context). What leaves: what became of the run, and why (`outcome`,
`served`, `why`). Training, judging and promoting are a `Trainer`'s; without one the run ends after `build`, with what
there would be to learn from. One training may make several candidates, one of each kind: each is judged by itself, and
each that passes serves. The state holds ids and figures, no one's words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Literal, NotRequired, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from memoria import InvalidInput, Memory, UnknownUser, Withheld
from memoria_graphs.approval import ask
from memoria_graphs.person import Person, person_of, tell
from memoria_graphs.sources import forgotten, select, sources_of
from memoria_graphs.training import Least, Selection, Sources, Trainer, Training, Verdict, plain, read

Outcome = Literal["too little changed", "nothing to train", "rejected", "refused", "forgotten", "promoted"]


class DistillationState(TypedDict):
    """The records of `memoria_graphs.training` as plain values.

    `outcome`: "too little changed" since the last time, "nothing to train" (or nothing that trains), "rejected" by the
    gate, "refused" by a human, something it was made of was "forgotten" meanwhile, or "promoted": then `served` names
    what serves from now on. `why` tells of all that does not.
    """

    selection: NotRequired[dict[str, Any]]
    sources: NotRequired[dict[str, Any] | None]
    training: NotRequired[dict[str, Any] | None]
    verdicts: NotRequired[list[dict[str, Any]]]
    outcome: NotRequired[Outcome | None]
    served: NotRequired[list[str]]
    why: NotRequired[str]


DistillationGraph = CompiledStateGraph[DistillationState, Person, DistillationState, DistillationState]


def build_distillation(
    memory: Memory,
    *,
    trainer: Trainer | None = None,
    least: Least | None = None,
    approve: bool = False,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> DistillationGraph:
    """The compiled graph over `memory`. Run it with `{}`, `context=Person(...)` and a `thread_id`.

    Args:
        memory: an open Memory.
        trainer: what trains, as `MemoriaTrainer`; None ends the run honestly after `build`.
        least: how much must have changed since the last distillation; None is `Least()`.
        approve: ask a human before what passed the gate is promoted (resume with True or False). Needs a checkpointer.
        checkpointer: keeps the run between nodes, so that it survives its process.
    """
    nodes = _Nodes(memory, trainer, least or Least(), approve)
    graph = StateGraph(DistillationState, context_schema=Person)
    for name in ("select", "build", "train", "gate", "approve", "promote"):
        graph.add_node(name, getattr(nodes, name))
    graph.add_edge(START, "select")
    graph.add_conditional_edges("select", nodes.unless_ended("build"), ["build", END])
    graph.add_conditional_edges("build", nodes.unless_ended("train"), ["train", END])
    graph.add_conditional_edges("train", nodes.unless_ended("gate"), ["gate", END])
    graph.add_conditional_edges("gate", nodes.after_gate, ["approve", "promote", END])
    graph.add_conditional_edges("approve", nodes.unless_ended("promote"), ["promote", END])
    graph.add_edge("promote", END)
    return graph.compile(checkpointer=checkpointer)


class _Nodes:
    def __init__(self, memory: Memory, trainer: Trainer | None, least: Least, approve: bool) -> None:
        self._memory, self._trainer, self._least, self._approve = memory, trainer, least, approve

    def select(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Whether enough changed; what an earlier run of the thread left is put aside."""
        person = person_of(runtime)
        fresh: dict[str, Any] = {"sources": None, "training": None, "verdicts": [], "served": []}
        try:
            live = self._sources(person)
        except InvalidInput as error:  # who gave no consent is not learnt from
            return fresh | _ended("nothing to train", str(error))
        last, owed = None, ""
        if self._trainer is not None:
            last = self._trainer.last(person.tenant, person.user)
            owed = self._trainer.owes(person.tenant, person.user)
        chosen = select(live, last, owed, self._least)
        tell(runtime, "select", enough=chosen.enough, changed=asdict(chosen.changed))
        fresh["selection"] = plain(chosen)
        return fresh | ({"outcome": None, "why": ""} if chosen.enough else _ended("too little changed", chosen.why))

    def build(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """What a data set is made of."""
        chosen = read(Selection, state.get("selection"))
        sources = self._sources(Person(chosen.user, chosen.tenant))
        tell(runtime, "build", beliefs=len(sources.beliefs), turns=len(sources.turns), counts=dict(sources.counts))
        update: dict[str, Any] = {"sources": plain(sources)}
        if not sources.beliefs and not sources.turns:
            why = "nothing to learn from yet: no preference is stated, no answer rated"
            return update | self._over(sources, "nothing to train", why)
        if self._trainer is None:
            there = f"{len(sources.beliefs)} beliefs and {len(sources.turns)} turns could be learnt from"
            return update | _ended("nothing to train", f"no trainer is set up; {there}")
        return update

    def train(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Candidates."""
        sources = read(Sources, state.get("sources"))
        try:
            training = self._trains.train(sources)
        except (Withheld, UnknownUser) as error:
            return _ended("forgotten", str(error))
        tell(runtime, "train", candidates={each.id: dict(each.figures) for each in training.candidates})
        update: dict[str, Any] = {"training": plain(training)}
        if not training.candidates:
            update |= self._over(sources, "nothing to train", _told(training.without))
        return update

    def gate(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Which candidates may serve."""
        sources, training = read(Sources, state.get("sources")), read(Training, state.get("training"))
        try:
            verdicts = [self._trains.judge(each) for each in training.candidates]
        except (Withheld, UnknownUser) as error:
            return _ended("forgotten", str(error))
        tell(runtime, "gate", passed={each.candidate: each.passed for each in verdicts})
        update: dict[str, Any] = {"verdicts": [plain(each) for each in verdicts]}
        if not any(each.passed for each in verdicts):
            update |= self._over(sources, "rejected", _told(_without(training, verdicts)), training)
        return update

    def approve(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Ask a human."""
        sources, training = read(Sources, state.get("sources")), read(Training, state.get("training"))
        passed = [each for each in state.get("verdicts", []) if each["passed"]]
        named = {each["candidate"] for each in passed}
        candidates = [plain(each) for each in training.candidates if each.id in named]
        shown = {"selection": state.get("selection"), "candidates": candidates, "verdicts": passed}
        answer = ask({"question": "Shall this serve from now on?", **shown})
        tell(runtime, "approve", approved=answer.approve)
        if answer.approve:
            return {}
        for candidate in training.candidates:
            if candidate.id in named:
                self._trains.refuse(candidate)
        return self._over(sources, "refused", "a human refused it", training)

    def promote(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Let them serve, but for what something was forgotten of while it was trained."""
        sources, training = read(Sources, state.get("sources")), read(Training, state.get("training"))
        verdicts = [read(Verdict, each) for each in state.get("verdicts", [])]
        gone = forgotten(self._memory, sources)
        if gone:
            return _ended("forgotten", f"{gone} of its sources were forgotten meanwhile; run it again")
        served, without = list[str](), dict(_without(training, verdicts))
        for candidate, verdict in zip(training.candidates, verdicts, strict=True):
            if verdict.passed:
                try:
                    self._trains.promote(candidate, verdict)
                    served.append(candidate.id)
                except (Withheld, UnknownUser) as error:
                    without[candidate.kind] = str(error)
        tell(runtime, "promote", served=served)
        if not served:
            return _ended("forgotten", _told(without))
        return self._over(sources, "promoted", _told(without), training) | {"served": served}

    # -- which way -----------------------------------------------------------------------------------------------

    def unless_ended(self, then: str) -> Callable[[DistillationState], str]:
        """On to `then`, or to the end where there is an outcome."""
        return lambda state: then if state.get("outcome") is None else END

    def after_gate(self, state: DistillationState) -> str:
        """What passed is asked about where it shall be."""
        return self.unless_ended("approve" if self._approve else "promote")(state)

    # -- inside --------------------------------------------------------------------------------------------------

    def _sources(self, person: Person) -> Sources:
        return sources_of(self._memory, person, facts=self._trainer is not None and self._trainer.facts)

    def _over(self, sources: Sources, outcome: Outcome, why: str, training: Training | None = None) -> dict[str, Any]:
        """An end to which nothing is owed any more, unless something failed that may succeed another time."""
        if self._trainer is not None and (training is None or not training.failed):
            self._trainer.settle(sources)
        return _ended(outcome, why)

    @property
    def _trains(self) -> Trainer:
        if self._trainer is None:
            raise InvalidInput("This run was begun with a trainer; resume it with one: build_distillation(trainer=…).")
        return self._trainer


def _ended(outcome: Outcome, why: str) -> dict[str, Any]:
    return {"outcome": outcome, "why": why}


def _without(training: Training, verdicts: list[Verdict]) -> Mapping[str, str]:
    """Why there is nothing new of a kind."""
    found = dict(training.without)
    for candidate, verdict in zip(training.candidates, verdicts, strict=True):
        if not verdict.passed:
            found[candidate.kind] = f"{candidate.id} was rejected: {verdict.why}"
    return found


def _told(without: Mapping[str, str]) -> str:
    return "; ".join(f"{kind}: {why}" for kind, why in without.items())
