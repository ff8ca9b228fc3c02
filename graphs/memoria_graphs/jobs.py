"""What the job `distil` does, where a trainer is set up.

What enters: a trainer. What leaves: an action for `memoria.schedule.Jobs(memory, actions={"distil": …})`. A run has a
thread of its own in the checkpointer, so that the next attempt goes on where a killed worker was.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from memoria import Memory, Scope
from memoria.schedule import Action, Outcome, Run
from memoria_graphs.distillation import DistillationGraph, DistillationState, build_distillation
from memoria_graphs.person import Person
from memoria_graphs.training import Least, Trainer


def distil_action(
    trainer: Trainer | None = None,
    *,
    least: Least | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Action:
    """An action that takes whom its run is for through the distillation graph, asking nobody.

    With a `checkpointer` on disk, a run that was killed goes on at the node where it was; without one it begins again,
    which a `Trainer` must bear.
    """

    def distil(memory: Memory, run: Run) -> Outcome:
        kept = checkpointer if checkpointer is not None else InMemorySaver()
        graph = build_distillation(memory, trainer=trainer, least=least, checkpointer=kept)
        ended = [_ended(graph, scope, run) for scope in _whose(memory, run)]
        if len(ended) == 1:
            return Outcome(": ".join(each for each in ended[0] if each))
        counts = Counter(outcome for outcome, _ in ended)
        return Outcome(", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "nobody")

    return distil


def _whose(memory: Memory, run: Run) -> list[Scope]:
    if run.user is not None and run.tenant is not None:
        return [Scope(tenant=run.tenant, user=run.user)]
    return memory.users(tenant=run.tenant)


def _ended(graph: DistillationGraph, scope: Scope, run: Run) -> tuple[str, str]:
    """Take one person through the graph; the run's lease and time are looked at between any two nodes."""
    config: RunnableConfig = {"configurable": {"thread_id": f"distil/{run.id}/{scope.tenant}/{scope.user}"}}
    before = graph.get_state(config)
    if not (before.values and not before.next):
        given = None if before.next else DistillationState()
        for _ in graph.stream(given, config, context=Person(scope.user, scope.tenant), durability="sync"):
            run.check()
    state: dict[str, Any] = graph.get_state(config).values
    return str(state["outcome"]), str(state["why"])
