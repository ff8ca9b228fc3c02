"""The distillation graph: select -> build -> train -> gate -> promote.

What enters: whose memory (`Person`, the run's context). What leaves: what became of the run, and why (`outcome`,
`why`). Training, judging and promoting are a `Trainer`'s; without one the run ends after `build`, with what there would
be to learn from and "nothing to train". The state holds ids and figures, no one's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal, NotRequired, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from memoria import InvalidInput, Memory
from memoria_graphs.approval import ask
from memoria_graphs.person import Person, person_of, tell
from memoria_graphs.sources import forgotten, select, sources_of
from memoria_graphs.training import Candidate, Least, Selection, Sources, Trainer, Verdict, plain, read

Outcome = Literal["too little changed", "nothing to train", "rejected", "refused", "forgotten", "promoted"]


class DistillationState(TypedDict):
    """The records of `memoria_graphs.training` as plain values.

    `outcome`: "too little changed" since the last time, "nothing to train" (or nothing that trains), "rejected" by the
    gate, "refused" by a human, something it was made of was "forgotten" meanwhile, or "promoted".
    """

    selection: NotRequired[dict[str, Any]]
    sources: NotRequired[dict[str, Any] | None]
    candidate: NotRequired[dict[str, Any] | None]
    verdict: NotRequired[dict[str, Any] | None]
    outcome: NotRequired[Outcome | None]
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
        trainer: what trains; None ends the run honestly after `build`.
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
    graph.add_edge("train", "gate")
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
        last = self._trainer.last(person.tenant, person.user) if self._trainer is not None else None
        chosen = select(self._memory, person, last, self._least)
        tell(runtime, "select", enough=chosen.enough, changed=asdict(chosen.changed))
        fresh = {"selection": plain(chosen), "sources": None, "candidate": None, "verdict": None}
        return fresh | ({"outcome": None, "why": ""} if chosen.enough else _ended("too little changed", chosen.why))

    def build(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """What a data set would be made of."""
        chosen = read(Selection, state.get("selection"))
        sources = sources_of(self._memory, Person(chosen.user, chosen.tenant))
        beliefs = len(sources.facts) + len(sources.preferences)
        tell(runtime, "build", beliefs=beliefs, episodes=len(sources.episodes))
        update: dict[str, Any] = {"sources": plain(sources)}
        if not beliefs:
            return update | _ended("nothing to train", "nothing is believed yet")
        if self._trainer is None:
            there = f"{beliefs} beliefs resting on {len(sources.episodes)} turns could be learnt from"
            return update | _ended("nothing to train", f"no trainer is set up; {there}")
        return update

    def train(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """A candidate."""
        chosen, sources = read(Selection, state.get("selection")), read(Sources, state.get("sources"))
        candidate = self._trains.train(chosen, sources)
        tell(runtime, "train", candidate=candidate.id, figures=dict(candidate.figures))
        return {"candidate": plain(candidate)}

    def gate(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Whether the candidate may serve."""
        verdict = self._trains.judge(read(Candidate, state.get("candidate")))
        tell(runtime, "gate", passed=verdict.passed, figures=dict(verdict.figures))
        return {"verdict": plain(verdict)} | ({} if verdict.passed else _ended("rejected", verdict.why))

    def approve(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Ask a human."""
        shown = {name: state.get(name) for name in ("selection", "candidate", "verdict")}
        answer = ask({"question": "Shall this candidate serve from now on?", **shown})
        tell(runtime, "approve", approved=answer.approve)
        return {} if answer.approve else _ended("refused", "a human refused it")

    def promote(self, state: DistillationState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Let it serve, unless something that it was made of was forgotten while it was trained."""
        candidate, sources = read(Candidate, state.get("candidate")), read(Sources, state.get("sources"))
        gone = forgotten(self._memory, sources)
        if gone:
            return _ended("forgotten", f"{gone} of its sources were forgotten meanwhile; run it again")
        self._trains.promote(candidate, read(Verdict, state.get("verdict")))
        tell(runtime, "promote", candidate=candidate.id)
        return _ended("promoted", "")

    # -- which way -----------------------------------------------------------------------------------------------

    def unless_ended(self, then: str) -> Callable[[DistillationState], str]:
        """On to `then`, or to the end where there is an outcome."""
        return lambda state: then if state.get("outcome") is None else END

    def after_gate(self, state: DistillationState) -> str:
        """What passed is asked about where it shall be."""
        return self.unless_ended("approve" if self._approve else "promote")(state)

    @property
    def _trains(self) -> Trainer:
        if self._trainer is None:
            raise InvalidInput("This run was begun with a trainer; resume it with one: build_distillation(trainer=…).")
        return self._trainer


def _ended(outcome: Outcome, why: str) -> dict[str, Any]:
    return {"outcome": outcome, "why": why}
