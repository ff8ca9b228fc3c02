"""Distilling for many people: a run of the job `distil` for each, worked off here or with the nodes of a Ray cluster.

What enters: an open memory, and whom for. What leaves: their runs, as the history keeps them. Each run has a lease and
a fence in the ledger, and what it lets serve is committed with them: so each person's memory is distilled by one worker
at a time, a run that was killed is gone on with by whoever is asked next, and nothing is promoted twice. The ledger is
opened on this machine only: what goes to Ray is the work with a language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Literal

from memoria import InvalidInput, Memory, Scope
from memoria.distill.distillation import Distilled
from memoria.distill.ray_perform import on_ray
from memoria.distill.recipes import Recipe
from memoria.schedule import Jobs, RunRecord, Worker
from memoria_graphs.jobs import distil_action, trainer_of

Executor = Literal["local", "ray"]


def distil_many(
    memory: Memory,
    people: Sequence[Scope],
    *,
    recipe: Recipe | str | None = None,
    kinds: Sequence[Distilled] | None = None,
    executor: Executor = "local",
    address: str | None = None,
    retries: int = 3,
) -> list[RunRecord]:
    """Distil for each of `people`, unless too little changed for them; the runs.

    Args:
        recipe, kinds: None is the settings'.
        executor: "local": one person after the other, on this machine; "ray": as many at once as the cluster has
            processors for (`distil.threads` each).
        address: of the Ray cluster; None begins one on this machine.
        retries: how often a task is done again whose node died.

    Raises `ModelUnavailable` where there is no such cluster, `UnknownUser`.
    """
    if executor == "local" and address is not None:
        raise InvalidInput("An address is a Ray cluster's; give executor ray with it.")
    cluster = on_ray(memory.settings, address=address, retries=retries) if executor == "ray" else nullcontext((None, 1))
    with cluster as (perform, at_once):
        action = distil_action(partial(trainer_of, recipe=recipe, kinds=kinds, perform=perform))
        with Jobs(memory, actions={"distil": action}) as jobs:
            return Worker(jobs).run_for("distil", people, at_once=at_once)
