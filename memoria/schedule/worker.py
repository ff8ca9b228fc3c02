"""A worker: plans what is due, claims it, works it off, and can be killed at any moment.

What enters: jobs and their home's ledger. What leaves: runs that ended, each told of as a `JobEvent`. Any number of
workers may serve one home. Each renews the leases of its runs; a run whose worker died is claimed by another when its
lease runs out, and from then on the first one, should it live, can commit nothing for it.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from memoria.clock import stopwatch
from memoria.errors import LeaseLost, Stopping, StorageFull, StoreBusy
from memoria.records import Scope
from memoria.schedule.attempt import attempt, give_back, time_out
from memoria.schedule.config import Job
from memoria.schedule.jobs import Jobs
from memoria.schedule.plan import plan, plan_by_hand, plan_for
from memoria.schedule.records import RunRecord
from memoria.schedule.run import Run
from memoria.store import jobs as store
from memoria.store.job_history import open_runs
from memoria.store.job_plan import known_jobs

Key = tuple[int, int]  # a run and its fence: a run may be back while the thread of an earlier attempt still goes on

_SECOND = 1_000_000
_log = logging.getLogger(__name__)
_OTHERS_S = 0.2  # how often a run is looked after that another worker has


@dataclass
class _AtWork:
    run: Run
    thread: threading.Thread
    over: bool = False  # timed out or lost: the thread may go on, its run is no more


class Worker:
    """One worker over `jobs`; `name` is how the history calls it. Its methods are called from one thread, `stop` from
    any, and from a signal's handler."""

    def __init__(self, jobs: Jobs, *, name: str | None = None) -> None:
        self.jobs, self.settings = jobs, jobs.config.worker
        self.name = name or f"{platform.node()}:{os.getpid()}"
        self._at_work: dict[Key, _AtWork] = {}
        self._finished: SimpleQueue[Key | None] = SimpleQueue()  # its put may interrupt itself, so signals may use it
        self._mine: list[int] = []
        self._renew_at = 0
        self._stopping = False

    @property
    def stuck(self) -> list[int]:
        """Runs whose actions go on though their time is over or the worker was told to stop. They can commit nothing;
        end the process to be rid of them."""
        return [run for run, _ in self._at_work]

    def run(self) -> None:
        """Serve until `stop`. Runs at work are then let go on for `stop_within`, and given back after it."""
        while not self._stopping:
            try:
                wait = self._turn()
            except (StoreBusy, StorageFull) as error:  # it may pass; leases that run out meanwhile are others' to take
                _log.warning("The ledger took nothing (%s); trying again.", type(error).__qualname__)
                wait = self.settings.poll / _SECOND
            self._wait(wait)
        self._let_go()

    def run_due(self) -> list[RunRecord]:
        """Plan and work off what is due now, then return it. What a retry's backoff puts off is left for later."""
        self._plan()
        return self._work_off(self._open(), None)

    def run_now(self, name: str, *, tenant: str | None = None, user: str | None = None) -> list[RunRecord]:
        """Work off a job now, whether it is due or not and even if paused: for its every target, or those named.

        A failure is not retried. Raises `UnknownJob`, `UnknownUser`.
        """
        job = self.jobs.config.job(name)
        with self.jobs.ledger.write() as connection:
            ids = plan_by_hand(connection, job, self.jobs.now, tenant, user)
        return self._work_off({name: job.concurrency}, ids)

    def run_for(self, name: str, people: Sequence[Scope], *, at_once: int = 1) -> list[RunRecord]:
        """Work off a job now for each of these people, `at_once` at a time; other workers that are asked for the same
        share the work. What one that died left is gone on with. Raises `UnknownJob`, `UnknownUser`."""
        job = self.jobs.config.job(name)
        with self.jobs.ledger.write() as connection:
            ids = plan_for(connection, job, self.jobs.now, people)
        return self._work_off({name: at_once}, ids, at_once)

    def stop(self) -> None:
        """Begin no more runs; `run` returns when those at work have ended or are given back."""
        self._stopping = True
        self._finished.put(None)

    # -- one turn ------------------------------------------------------------------------------------------------

    def _turn(self) -> float:
        """Look after the runs at work, plan, claim; for how many seconds nothing is to be done."""
        self._look_after()
        self._plan()
        limits, threads = self._open(), self.settings.threads
        while len(self._at_work) < threads and self._claim(limits, None):
            pass
        now = self.jobs.now
        moments = [now + self.settings.poll]
        moments += [slot for job in self._enabled() if (slot := job.slots.next(now)) is not None]
        if self._at_work:
            moments.append(self._renew_at)
        if len(self._at_work) < threads:
            with self.jobs.ledger.read() as connection:
                due = store.next_claim_at(connection, list(limits))
            if due is not None:  # what is due and was not claimed waits for another run to end, here or elsewhere
                moments.append(due if due > now else now + self.settings.poll // 10)
        return (min(moments) - now) / _SECOND

    def _work_off(
        self, limits: dict[str, int], ids: Collection[int] | None, threads: int | None = None
    ) -> list[RunRecord]:
        """Work until nothing (of `ids`) can be claimed and nothing is at work."""
        self._mine, threads = [], threads or self.settings.threads
        try:
            while not self._stopping:
                self._look_after()
                while len(self._at_work) < threads and self._claim(limits, ids):
                    pass
                if all(each.over for each in self._at_work.values()) and not self._others_have(ids):
                    break
                self._wait(_OTHERS_S)
        finally:  # Ctrl-C, too: others need not wait for the leases to run out
            self._let_go()
        return self.jobs.runs(self._mine if ids is None else list(ids))

    def _others_have(self, ids: Collection[int] | None) -> bool:
        if ids is None:
            return False
        with self.jobs.ledger.read() as connection:
            return bool(open_runs(connection, ids))

    def _plan(self) -> None:
        plan(self.jobs.ledger, list(self.jobs.config.jobs.values()), self.jobs.now, self.settings.keep_history)

    def _enabled(self) -> list[Job]:
        return [job for job in self.jobs.config.jobs.values() if job.enabled]

    def _open(self) -> dict[str, int]:
        """The jobs whose runs may begin, each with how many at once."""
        with self.jobs.ledger.read() as connection:
            paused = {row.name for row in known_jobs(connection).values() if row.paused_at is not None}
        return {job.name: job.concurrency for job in self._enabled() if job.name not in paused}

    def _claim(self, limits: dict[str, int], ids: Collection[int] | None) -> bool:
        now = self.jobs.now
        with self.jobs.ledger.write() as connection:
            claimed = store.claim(connection, limits, self.name, now, now + self.settings.lease, ids)
        if claimed is None:
            return False
        run = Run(claimed, self.jobs.config.jobs[claimed.job], self.jobs.clock)
        thread = threading.Thread(target=self._attempt, args=(run,), name=f"memoria-run-{run.id}", daemon=True)
        self._mine.append(run.id)
        self._at_work[run.id, run.attempt] = _AtWork(run, thread)
        thread.start()
        return True

    def _attempt(self, run: Run) -> None:
        try:
            attempt(self.jobs, run)
        finally:
            self._finished.put((run.id, run.attempt))

    # -- runs at work --------------------------------------------------------------------------------------------

    def _look_after(self) -> None:
        """Renew leases, and end the runs whose time is over: their actions are told, and can commit nothing more."""
        live = [each for each in self._at_work.values() if not each.over]
        for each in live:
            if each.run.is_over_time():
                each.over = True
                time_out(self.jobs, each.run)
        now, held = self.jobs.now, [(each.run.id, each.run.attempt) for each in live if not each.over]
        if not held or now < self._renew_at:
            return
        self._renew_at = now + self.settings.lease // 3
        with self.jobs.ledger.write() as connection:
            lost = store.renew(connection, held, now + self.settings.lease)
        for key in lost:
            self._at_work[key].over = True
            self._at_work[key].run.tell(LeaseLost)

    def _wait(self, seconds: float) -> None:
        """Wait for a run to end, or to be told to stop; note every run that has ended."""
        with suppress(Empty):
            key = self._finished.get(timeout=max(seconds, 0.001))
            while True:
                if key is not None:
                    del self._at_work[key]
                key = self._finished.get_nowait()

    def _let_go(self) -> None:
        """Wait for what is at work, `stop_within` at most, then give it back."""
        if not self._at_work:
            return
        for each in self._at_work.values():
            each.run.tell(Stopping)
        begun, most = stopwatch(), self.settings.stop_within / _SECOND
        while any(not each.over for each in self._at_work.values()) and stopwatch() - begun < most:
            self._wait(min(_OTHERS_S, most))
            self._look_after()
        for each in self._at_work.values():
            if not each.over:
                each.over = True
                give_back(self.jobs, each.run)
