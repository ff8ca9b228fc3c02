"""The job `distil` over the distillation graph, by a worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from conftest import Clock, OpenMemory
from langgraph.checkpoint.memory import InMemorySaver
from memoria_graphs import Candidate, Least, Sources, Training, Verdict
from memoria_graphs.jobs import distil_action

from memoria.schedule import Jobs, Worker
from memoria.schedule.config import jobs_of

ONE = Least(beliefs=1, turns=1)


class Failing:
    """A trainer whose gate fails the first time."""

    facts = False

    def __init__(self) -> None:
        self.calls: list[str] = []

    def last(self, tenant: str, user: str) -> Sources | None:
        return None

    def owes(self, tenant: str, user: str) -> str:
        return ""

    def train(self, sources: Sources) -> Training:
        self.calls.append("train")
        return Training((Candidate("c1", "scripted", sources.tenant, sources.user, sources.digest),))

    def judge(self, candidate: Candidate) -> Verdict:
        self.calls.append("judge")
        if self.calls.count("judge") == 1:
            raise OSError("the disk went away")
        return Verdict(candidate.id, True)

    def promote(self, candidate: Candidate, verdict: Verdict) -> None:
        self.calls.append("promote")

    def settle(self, sources: Sources) -> None:
        self.calls.append("settle")


def jobs(per: str) -> Any:
    keys = {"interval": "1d", "per": per, "retries": 2, "backoff": 0}
    return jobs_of({"jobs": {"distil": keys}}, "test_jobs.py")


@pytest.mark.parametrize(("per", "said"), [("user", ["nothing to train: no trainer"] * 2), ("home", ["2 nothing to"])])
def test_without_a_trainer_the_run_says_so(open_memory: OpenMemory, per: str, said: list[str]) -> None:
    memory = open_memory()
    for user in ("ana", "bob"):
        memory.remember("I love fado.", user=user)
    with Jobs(memory, config=jobs(per), actions={"distil": distil_action(lambda *_: None, least=ONE)}) as made:
        runs = Worker(made).run_now("distil")
    assert [(each.state, (each.outcome or "")[: len(said[0])]) for each in runs] == [("done", each) for each in said]


def test_the_next_attempt_goes_on_where_the_last_one_failed(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember("I love fado.", user="ana")
    trainer = Failing()
    action = distil_action(lambda *_: trainer, least=ONE, checkpointer=InMemorySaver())
    time = Clock()
    with Jobs(memory, config=jobs("user"), actions={"distil": action}, clock=time) as made:
        Worker(made).run_due()
        time.now += timedelta(days=1)
        Worker(made).run_due()
        (run,) = made.history()
    assert (run.state, run.outcome, len(run.attempts)) == ("done", "promoted c1", 2)
    assert trainer.calls == ["train", "judge", "judge", "promote", "settle"], "it was trained once"
