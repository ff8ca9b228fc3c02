"""A slot's effect happens once: leases, fences, and effects that commit with their run or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from memoria import Memory
from memoria.clock import to_micros
from memoria.errors import LeaseLost, UnknownUser
from memoria.schedule import Action, Jobs, Outcome, Run, RunRecord, Worker
from memoria.store import jobs as store

LEASE_S = 60
HOURLY = {"interval": "1h", "catch_up": "all"}


def tick(memory: Memory, run: Run) -> Outcome:
    """Write a row in the unit of work that ends the run."""
    with memory._ledger.write() as connection:
        connection.execute(text("INSERT INTO effect(run) VALUES (:run)"), {"run": run.id})
        run.guard(connection)
    return Outcome("ticked")


def reflecting(memory: Memory, run: Run) -> Outcome:
    """The same within a verb's unit of work."""
    assert run.user is not None
    memory.reflect(user=run.user, also=run.guard)
    return Outcome("reflected")


ACTIONS = {"tick": tick, "reflecting": reflecting}


def made(open_jobs: Any, time: Any, more: Mapping[str, Action] = {}, **jobs: Any) -> Jobs:
    """Jobs whose first slot has just come."""
    found: Jobs = open_jobs({**ACTIONS, **more}, worker={"lease": LEASE_S}, **jobs)
    with found.memory._ledger.write() as connection:
        connection.execute(text("CREATE TABLE effect(run INTEGER)"))
    Worker(found).run_due()
    time.go(hours=1)
    return found


def effects(jobs: Jobs) -> list[int]:
    with jobs.memory._ledger.read() as connection:
        return list(connection.execute(text("SELECT run FROM effect ORDER BY run")).scalars())


def claimed(jobs: Jobs, name: str, run: int | None = None) -> Run:
    """A run (the one so numbered) as a worker has it that stalls from then on: it renews no lease."""
    Worker(jobs)._plan()
    with jobs.ledger.write() as connection:
        found = store.claim(connection, {name: 1}, "stalled", jobs.now, jobs.now + LEASE_S * 1_000_000, run and [run])
    assert found is not None
    return Run(found, jobs.config.job(name), jobs.clock)


def ends(run: RunRecord) -> list[tuple[str, str | None]]:
    return [(attempt.worker, attempt.ended) for attempt in run.attempts]


def test_a_worker_that_lost_its_lease_commits_nothing(open_jobs: Any, time: Any) -> None:
    jobs = made(open_jobs, time, tick=HOURLY | {"per": "home"})
    stalled = claimed(jobs, "tick")
    assert Worker(jobs).run_due() == [], "its lease has not run out"
    time.go(seconds=LEASE_S)
    (run,) = Worker(jobs, name="quick").run_due()
    assert effects(jobs) == [run.id]
    with pytest.raises(LeaseLost, match="memoria jobs history"):
        tick(jobs.memory, stalled)
    assert effects(jobs) == [run.id]
    (run,) = jobs.history()
    assert (run.state, run.outcome, ends(run)) == ("done", "ticked", [("stalled", "lost"), ("quick", "done")])


def test_a_verb_whose_run_was_lost_is_undone(open_jobs: Any, time: Any) -> None:
    jobs = made(open_jobs, time, reflecting=HOURLY)
    stalled = claimed(jobs, "reflecting")
    assert stalled.user is not None
    time.go(seconds=LEASE_S)
    again = claimed(jobs, "reflecting", stalled.id)
    assert (again.id, again.attempt) == (stalled.id, 2)
    with pytest.raises(LeaseLost):
        reflecting(jobs.memory, stalled)
    assert jobs.memory.profiles(user=stalled.user) == []
    reflecting(jobs.memory, again)
    assert len(jobs.memory.profiles(user=stalled.user)) == 1
    assert next(run for run in jobs.history() if run.id == again.id).state == "done"


def test_two_people_have_a_run_each_and_a_slot_is_planned_once(open_jobs: Any, time: Any) -> None:
    jobs = made(open_jobs, time, tick=HOURLY)
    for name in ("one", "two"):
        Worker(jobs, name=name).run_due()
    assert len(effects(jobs)) == 2
    assert {run.user for run in jobs.history()} == {"ana", "bo"}


def test_a_run_ends_with_its_effect_or_not_at_all(open_jobs: Any, time: Any) -> None:
    jobs = made(open_jobs, time, tick=HOURLY | {"per": "home"})
    run = claimed(jobs, "tick")
    with pytest.raises(RuntimeError), jobs.memory._ledger.write() as connection:
        run.guard(connection)
        raise RuntimeError("the effect failed after the guard")
    assert jobs.history()[0].state == "running"
    tick(jobs.memory, run)
    assert jobs.history()[0].state == "done"


def test_an_error_after_the_effect_neither_repeats_nor_hides(open_jobs: Any, time: Any) -> None:
    def late(memory: Memory, run: Run) -> Outcome:
        tick(memory, run)
        raise OSError("the report could not be sent")

    jobs = made(open_jobs, time, {"late": late}, late=HOURLY | {"per": "home"})
    (run,) = Worker(jobs).run_due()
    assert (run.state, run.error) == ("done", "OSError: the report could not be sent")
    time.go(minutes=30)
    assert Worker(jobs).run_due() == []
    assert len(effects(jobs)) == 1


def test_a_run_that_kills_its_workers_is_given_up(open_jobs: Any, time: Any) -> None:
    jobs = made(open_jobs, time, tick=HOURLY | {"per": "home", "retries": 0})
    for _ in range(store.LOST_LIMIT):
        claimed(jobs, "tick")
        time.go(seconds=LEASE_S)
    assert Worker(jobs).run_due() == []
    (run,) = jobs.history()
    assert (run.state, len(run.attempts)) == ("failed", store.LOST_LIMIT)
    assert run.error is not None and run.error.startswith("WorkerLost: 10 workers died")


def test_whoever_is_forgotten_takes_their_runs_along(open_jobs: Any, time: Any) -> None:
    jobs = made(open_jobs, time, tick=HOURLY)
    Worker(jobs).run_due()
    time.go(hours=1)
    run = claimed(jobs, "tick")
    assert run.user is not None
    jobs.memory.forget(user=run.user, everything=True)
    with pytest.raises(LeaseLost):
        tick(jobs.memory, run)
    with pytest.raises(UnknownUser):
        jobs.history(user=run.user)
    assert {each.user for each in jobs.history()} == {"ana", "bo"} - {run.user}
    assert jobs.memory.verify() == []


def test_forgetting_something_takes_what_errors_said(open_jobs: Any, time: Any) -> None:
    def quoting(memory: Memory, run: Run) -> Outcome:
        raise ValueError(f"cannot read: I live in {(run.user or '').title()}ville.")

    jobs = made(open_jobs, time, {"quoting": quoting}, quoting=HOURLY | {"retries": 0})
    Worker(jobs).run_due()
    receipt = jobs.memory.forget(user="ana", query="Anaville")
    assert receipt.residue == ()
    told = {run.user: run.error for run in jobs.history()}
    assert told == {"ana": "ValueError", "bo": "ValueError: cannot read: I live in Boville."}


def test_a_slot_by_hand_and_a_planned_one_do_not_meet(open_jobs: Any, time: Any) -> None:
    jobs = made(open_jobs, time, tick=HOURLY | {"per": "home"})
    Worker(jobs).run_due()
    time.go(hours=1)
    for _ in range(2):
        Worker(jobs).run_now("tick")
    assert [run.by_hand for run in jobs.history()] == [True, True, False]
    assert to_micros(time()) in {to_micros(run.slot) for run in jobs.history()}
