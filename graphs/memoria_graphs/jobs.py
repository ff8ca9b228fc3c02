"""What the jobs `distil` and `rebuild` do.

What enters: what makes a trainer for a run. What leaves: actions for `memoria.schedule.Jobs(memory, actions=ACTIONS)`.
A run has a thread of its own in the checkpointer; where that is on disk, the next attempt goes on at the node where a
killed worker was. Without one it begins again, and the trainer finds what was made already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from memoria import Memory, Scope, UnknownUser
from memoria.errors import MemoriaError, RunEnded, TrainingFailed
from memoria.schedule import Action, Outcome, Run
from memoria_graphs.distillation import DistillationGraph, DistillationState, build_distillation
from memoria_graphs.person import Person
from memoria_graphs.trainer import MemoriaTrainer
from memoria_graphs.training import Least, Trainer

TrainerOf = Callable[[Memory, Run], Trainer | None]


def trainer_of(memory: Memory, run: Run, **more: Any) -> MemoriaTrainer:
    """A trainer in the hands of a run: what it lets serve, it does only while its worker has the run, and a run that is
    lost, over its time or told to stop ends its training, too."""
    return MemoriaTrainer(memory, heard=lambda _: run.check(), also=run.hold, **more)


def distil_action(
    trainer: TrainerOf = trainer_of,
    *,
    least: Least | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Action:
    """An action that takes whom its run is for through the distillation graph, asking nobody."""

    def distil(memory: Memory, run: Run) -> Outcome:
        kept = checkpointer if checkpointer is not None else InMemorySaver()
        graph = build_distillation(memory, trainer=trainer(memory, run), least=least, checkpointer=kept)
        if run.user is not None and run.tenant is not None:
            return Outcome(_said(_ended(graph, Scope(tenant=run.tenant, user=run.user), run)))
        return _all_of(graph, memory.users(tenant=run.tenant), run)

    return distil


def rebuild_action(trainer: TrainerOf = trainer_of, *, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Action:
    """An action that does so for everybody to whom a rebuild is owed."""

    def rebuild(memory: Memory, run: Run) -> Outcome:
        owed = [each for each in memory.owed() if run.tenant in (None, each.tenant) and run.user in (None, each.user)]
        if not owed:
            return Outcome("nobody is owed a rebuild")
        kept = checkpointer if checkpointer is not None else InMemorySaver()
        return _all_of(build_distillation(memory, trainer=trainer(memory, run), checkpointer=kept), owed, run)

    return rebuild


ACTIONS: Mapping[str, Action] = {"distil": distil_action(), "rebuild": rebuild_action()}


def _all_of(graph: DistillationGraph, people: Iterable[Scope], run: Run) -> Outcome:
    """Take each through the graph; who cannot be distilled holds up nobody else, and fails the run at the end."""
    counts, failures = Counter[str](), list[MemoriaError]()
    for scope in people:
        try:
            counts[str(_ended(graph, scope, run).get("outcome"))] += 1
        except UnknownUser:
            counts["forgotten"] += 1
        except RunEnded:
            raise
        except MemoriaError as error:
            failures.append(error)
    told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    if failures:
        raise TrainingFailed(f"{len(failures)} could not be distilled, the first because: {failures[0]} ({told})")
    return Outcome(told or "nobody")


def _ended(graph: DistillationGraph, scope: Scope, run: Run) -> DistillationState:
    """Take one person through the graph; the run's lease and time are looked at between any two nodes."""
    named = "/".join(quote(each, safe="") for each in (scope.tenant, scope.user))  # a name may hold a "/"
    config: RunnableConfig = {"configurable": {"thread_id": f"distil/{run.id}/{named}"}}
    before = graph.get_state(config)
    if not (before.values and not before.next):
        run.check()
        given = None if before.next else DistillationState()
        for _ in graph.stream(given, config, context=Person(scope.user, scope.tenant), durability="sync"):
            run.check()
    state: Any = graph.get_state(config).values
    return state


def _said(state: DistillationState) -> str:
    """What it came to, in a line."""
    outcome, served, why = str(state.get("outcome")), state.get("served"), state.get("why")
    if served:
        return "; ".join(filter(None, (f"{outcome} {', '.join(served)}", why)))
    return ": ".join(filter(None, (outcome, why)))
