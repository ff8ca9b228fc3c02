"""A worker: catching up, retries, budgets, pauses, limits; no job in another's way; and it leaves when told to."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from memoria import Memory, UnknownUser
from memoria.errors import BudgetSpent, LeaseLost
from memoria.events import JobEvent
from memoria.schedule import Jobs, Outcome, Run, RunRecord, Worker

HOURLY = {"interval": "1h", "per": "home"}


def ticking(memory: Memory, run: Run) -> Outcome:
    return Outcome("ticked")


def failing(memory: Memory, run: Run) -> Outcome:
    raise ConnectionError("https://me:hunter2@example.org refused api_key='sk-abcdefgh12345678'")


ACTIONS = {"tick": ticking, "fail": failing}


def begun(open_jobs: Any, time: Any, actions: Any = ACTIONS, **jobs: Any) -> Jobs:
    """Jobs whose first slot has just come."""
    found: Jobs = open_jobs(actions, worker={"threads": 2, "lease": 60, "stop_within": 0}, **jobs)
    Worker(found).run_due()
    time.go(hours=1)
    return found


def states(runs: list[RunRecord]) -> list[tuple[str, str]]:
    return sorted((run.job, run.state) for run in runs)


@pytest.mark.parametrize(("catch_up", "done", "skipped"), [("all", 5, 0), ("last", 1, 1), ("none", 0, 1)])
def test_missed_slots_are_caught_up_as_the_job_says(
    open_jobs: Any, time: Any, catch_up: str, done: int, skipped: int
) -> None:
    jobs = begun(open_jobs, time, tick=HOURLY | {"catch_up": catch_up})
    time.go(hours=4, minutes=30)
    runs = Worker(jobs).run_due()
    assert (len(runs), [run.slot.hour for run in runs[:1]]) == (done, [17] if done else [])
    passed = jobs.history(states=("skipped",))
    assert len(passed) == skipped
    assert all("passed over" in (run.outcome or "") for run in passed)
    time.go(minutes=30)
    assert len(Worker(jobs).run_due()) == 1, "the next slot comes as ever"


def test_a_failing_job_is_retried_ever_later_and_then_has_failed(open_jobs: Any, time: Any) -> None:
    jobs = begun(open_jobs, time, fail=HOURLY | {"retries": 2, "backoff": "1m"})
    assert states(Worker(jobs).run_due()) == [("fail", "pending")]
    time.go(seconds=59)
    assert Worker(jobs).run_due() == []
    time.go(seconds=1)
    assert len(Worker(jobs).run_due()) == 1
    time.go(minutes=2)
    (run,) = Worker(jobs).run_due()
    assert (run.state, [attempt.ended for attempt in run.attempts]) == ("failed", ["failed"] * 3)
    time.go(minutes=30)
    assert Worker(jobs).run_due() == []


def test_a_failing_and_a_paused_job_are_in_nobodys_way_and_hide_nothing(open_jobs: Any, time: Any) -> None:
    jobs = begun(open_jobs, time, fail=HOURLY, tick=HOURLY, still=HOURLY | {"action": "tick"})
    jobs.pause("still")
    assert states(Worker(jobs).run_due()) == [("fail", "pending"), ("tick", "done")]
    fail, tick, still = jobs.list()
    assert fail.runs == {"pending": 1}
    assert jobs.history("fail")[0].error == "ConnectionError: https://***@example.org refused api_key='***'"
    assert tick.runs == {"done": 1}
    assert (still.paused_at, still.next_slot, still.runs) == (time(), None, {})
    jobs.resume("still")
    assert states(Worker(jobs).run_due()) == [("still", "done")], "what it missed is caught up"
    assert jobs.list()[2].paused_at is None


def test_the_last_error_stays_in_sight_until_a_run_goes_well(open_jobs: Any, time: Any) -> None:
    well = False

    def fickle(memory: Memory, run: Run) -> Outcome:
        if not well:
            raise ValueError("not yet")
        return Outcome("well")

    jobs = begun(open_jobs, time, {"fickle": fickle}, fickle=HOURLY | {"retries": 0})
    Worker(jobs).run_due()
    assert jobs.list()[0].last_error == "ValueError: not yet"
    well = True
    time.go(hours=1)
    Worker(jobs).run_due()
    assert jobs.list()[0].last_error is None


def test_what_a_run_spends_is_kept_and_bounded(open_jobs: Any, time: Any) -> None:
    def costly(memory: Memory, run: Run) -> Outcome:
        for _ in range(10):
            run.spend(tokens=400, money=0.25)
        return Outcome("never said")

    jobs = begun(open_jobs, time, {"costly": costly}, costly=HOURLY | {"budget": {"tokens": 1000}})
    (run,) = Worker(jobs).run_due()
    assert (run.state, run.tokens, run.money) == ("failed", 1200, 0.75)
    assert run.error is not None
    assert run.error.startswith(f"{BudgetSpent.__name__}: ")
    assert "budget.tokens in jobs.yaml" in run.error
    time.go(minutes=30)
    assert Worker(jobs).run_due() == [], "what is spent is not spent again"


def test_a_run_over_its_time_is_told_to_stop(open_jobs: Any, time: Any) -> None:
    def slow(memory: Memory, run: Run) -> Outcome:
        while True:
            time.go(seconds=10)
            run.check()

    jobs = begun(open_jobs, time, {"slow": slow}, slow=HOURLY | {"retries": 0, "budget": {"seconds": 35}})
    (run,) = Worker(jobs).run_due()
    assert (run.state, run.seconds) == ("failed", 40)
    assert run.error is not None and "took longer than its 35 s" in run.error


def test_a_run_that_does_not_listen_is_cut_off(open_jobs: Any, time: Any) -> None:
    over, tried = threading.Event(), threading.Event()
    said: list[str] = []

    def deaf(memory: Memory, run: Run) -> Outcome:
        time.go(seconds=40)
        assert over.wait(60)
        try:
            with memory._ledger.write() as connection:
                run.guard(connection)
        except LeaseLost:
            said.append("lost")
        tried.set()
        return Outcome("too late")

    jobs = begun(open_jobs, time, {"deaf": deaf}, deaf=HOURLY | {"retries": 0, "budget": {"seconds": 35}})
    worker = Worker(jobs)
    (run,) = worker.run_due()
    assert (run.state, worker.stuck) == ("failed", [run.id])
    over.set()
    assert tried.wait(60)
    assert said == ["lost"]
    assert jobs.history()[0].outcome is None


def test_a_worker_told_to_stop_gives_back_what_it_cannot_finish(open_jobs: Any, time: Any) -> None:
    at_work, let_go = threading.Event(), threading.Event()

    def long(memory: Memory, run: Run) -> Outcome:
        at_work.set()
        if run.attempt == 1:
            assert let_go.wait(60)
        return Outcome("finished")

    jobs = begun(open_jobs, time, {"long": long}, long=HOURLY)
    worker = Worker(jobs, name="first")
    service = threading.Thread(target=worker.run, daemon=True)
    service.start()
    assert at_work.wait(60)
    worker.stop()
    service.join(60)
    assert not service.is_alive()
    assert jobs.history()[0].state == "pending"
    (run,) = Worker(jobs, name="second").run_due()
    let_go.set()
    assert (run.state, run.outcome) == ("done", "finished")
    ended = [(attempt.worker, attempt.ended) for attempt in run.attempts]
    assert ended == [("first", "released"), ("second", "done")]


def test_an_action_may_stop_by_itself_when_told_to(open_jobs: Any, time: Any) -> None:
    def polite(memory: Memory, run: Run) -> Outcome:
        worker.stop()
        while True:
            run.check()

    jobs: Jobs = open_jobs({"polite": polite}, worker={"stop_within": 60}, polite=HOURLY)
    Worker(jobs).run_due()
    time.go(hours=1)
    worker = Worker(jobs)
    (run,) = worker.run_due()
    assert (run.state, run.attempts[0].ended, worker.stuck) == ("pending", "released", [])


@pytest.mark.parametrize(("concurrency", "most"), [(1, 1), (2, 2), (9, 3)])
def test_no_more_runs_at_once_than_job_and_worker_allow(open_jobs: Any, time: Any, concurrency: int, most: int) -> None:
    lock, full = threading.Lock(), threading.Event()
    now = highest = 0

    def counting(memory: Memory, run: Run) -> Outcome:
        nonlocal now, highest
        with lock:
            now, highest = now + 1, max(highest, now + 1)
            if now == most:
                full.set()
        full.wait(60)
        with lock:
            now -= 1
        return Outcome("counted")

    job = {"interval": "1h", "per": "user", "concurrency": concurrency}
    jobs: Jobs = open_jobs({"count": counting}, worker={"threads": 3}, count=job)
    for user in ("cy", "di", "eve"):
        jobs.memory.remember("Hello there.", user=user)
    Worker(jobs).run_due()
    time.go(hours=1)
    assert len(Worker(jobs).run_due()) == 5
    assert highest == most


def test_two_slots_of_one_person_are_not_worked_off_at_once(open_jobs: Any, time: Any) -> None:
    at_once: list[int] = []
    now = 0

    def counting(memory: Memory, run: Run) -> Outcome:
        nonlocal now
        now += 1
        at_once.append(now)
        now -= 1
        return Outcome("counted")

    jobs = begun(open_jobs, time, {"count": counting}, count=HOURLY | {"catch_up": "all", "concurrency": 5})
    time.go(hours=5)
    Worker(jobs).run_due()
    assert at_once == [1] * 6


def test_by_hand_a_paused_job_runs_and_a_failure_is_told_at_once(open_jobs: Any, time: Any) -> None:
    jobs = begun(open_jobs, time, fail=HOURLY, tick=HOURLY | {"per": "user", "enabled": False})
    jobs.pause("fail")
    (run,) = Worker(jobs).run_now("fail")
    assert (run.state, run.by_hand) == ("failed", True)
    assert [run.user for run in Worker(jobs).run_now("tick", user="bo")] == ["bo"]
    assert {run.user for run in Worker(jobs).run_now("tick", tenant="default")} == {"ana", "bo"}
    assert Worker(jobs).run_now("tick", tenant="elsewhere") == []
    with pytest.raises(UnknownUser, match="'nobody'"):
        Worker(jobs).run_now("tick", user="nobody")


def test_per_tenant_is_a_run_for_each(open_jobs: Any, time: Any) -> None:
    jobs = begun(open_jobs, time, tick=HOURLY | {"per": "tenant"})
    jobs.memory.remember("Hello there.", user="ana", tenant="acme")
    runs = Worker(jobs).run_due()
    assert {(run.tenant, run.user) for run in runs} == {("acme", None), ("default", None)}


def test_each_attempt_is_told_as_an_event_without_what_was_said(open_jobs: Any, time: Any) -> None:
    jobs = begun(open_jobs, time, fail=HOURLY, tick=HOURLY)
    told: list[JobEvent] = []
    jobs.memory.on_event(lambda event: told.append(event) if isinstance(event, JobEvent) else None)
    time.go(minutes=1)
    Worker(jobs).run_due()
    assert {(e.job, e.outcome, e.error, e.late) for e in told} == {
        ("fail", "retry", "ConnectionError", 60.0),
        ("tick", "done", None, 60.0),
    }
    assert "hunter2" not in repr(told)


def test_the_history_is_kept_for_so_long(open_jobs: Any, time: Any) -> None:
    jobs: Jobs = open_jobs(ACTIONS, worker={"keep_history": "2d"}, tick=HOURLY)
    Worker(jobs).run_due()
    for _ in range(5):
        time.go(days=1)
        Worker(jobs).run_due()
    assert {(time() - run.slot).days for run in jobs.history()} <= {0, 1, 2}
    assert len(jobs.history(states=("done",))) == 3
