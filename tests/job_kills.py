"""Three workers on one home, killed and stalled at random, and the check of what their jobs did.

What enters: a folder, a number of kills, a seed. What leaves: how many effects there were, and every fault. Each effect
is a row that the action adds in a unit of work of its own (`tick`) or of a verb (`verb`); one for each slot and person
must be there in the end, however many workers died with it or were stopped until others had taken over.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import Connection, text

from memoria import HashEmbeddings, Memory, Settings
from memoria.clock import from_micros, to_micros, utc_now
from memoria.schedule import Action, Jobs, Outcome, Run, RunRecord, Worker
from memoria.schedule.config import jobs_of
from memoria.store.job_plan import known_jobs

USERS = ("ana", "bo", "cy")
LEASE_S = 1.0
STEP = 300_000  # microseconds between two slots of `tick`
EVERY = {"catch_up": "all", "catch_up_limit": 10_000, "concurrency": 4, "backoff": 0}
CONFIG = jobs_of(
    {
        "worker": {"threads": 2, "lease": LEASE_S, "poll": "0.2s", "stop_within": "5s"},
        "jobs": {
            "tick": {"interval": "0.3s", "jitter": "0.2s", **EVERY},
            "verb": {"interval": "0.7s", **EVERY},
            "broken": {"interval": "0.9s", "per": "home", "retries": 1, **EVERY},
            "paused": {"interval": "0.3s", "action": "tick", **EVERY},
        },
    },
    "job_kills.py",
)


@dataclass
class Outcomes:
    """What the rounds came to."""

    effects: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)  # attempts, by how they ended
    faults: list[str] = field(default_factory=list)


def effect(run: Run, connection: Connection) -> None:
    """Add the run's row, and end the run with it."""
    values = {"job": run.job.name, "user": run.user, "slot": to_micros(run.slot)}
    connection.execute(text("INSERT INTO effect(job, user, slot) VALUES (:job, :user, :slot)"), values)
    run.guard(connection)


def actions(longest_s: float) -> dict[str, Action]:
    """Actions that take so long at most, before their units of work."""

    def tick(memory: Memory, run: Run) -> Outcome:
        time.sleep(random.random() * longest_s)
        with memory._ledger.write() as connection:
            effect(run, connection)
        return Outcome("ticked")

    def verb(memory: Memory, run: Run) -> Outcome:
        assert run.user is not None
        time.sleep(random.random() * longest_s)
        memory.reflect(user=run.user, also=lambda connection: effect(run, connection))
        return Outcome("reflected")

    def broken(memory: Memory, run: Run) -> Outcome:
        raise ValueError("it cannot be done, token=abc123secret")

    return {"tick": tick, "verb": verb, "broken": broken}


def open_jobs(home: Path, clock: Callable[[], datetime] = utc_now, longest_s: float = 0.2) -> Jobs:
    memory = Memory(home, embeddings=HashEmbeddings(8), settings=Settings())
    return Jobs(memory, config=CONFIG, actions=actions(longest_s), clock=clock)


def planned(jobs: Jobs) -> dict[str, int]:
    """Up to when each job's slots have their runs."""
    with jobs.ledger.read() as connection:
        return {name: row.planned for name, row in known_jobs(connection).items()}


def found(home: Path) -> dict[str, int]:
    """A home with three people and a table for effects; from when on each job's slots count."""
    with open_jobs(home) as jobs, jobs.memory as memory:
        for user in USERS:
            memory.remember(f"I live in {user.title()}ville.", user=user)
        with memory._ledger.write() as connection:
            connection.execute(text("CREATE TABLE effect(job TEXT, user TEXT, slot INTEGER)"))
        Worker(jobs).run_due()
        jobs.pause("paused")
        return planned(jobs)


def serve(home: Path, ready: Path) -> None:
    """A worker until SIGTERM."""
    with open_jobs(home) as jobs, jobs.memory:
        worker = Worker(jobs)
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        ready.touch()
        worker.run()


class Workers:
    """Three processes, each started again when it was killed; forked from one that has memoria loaded already."""

    def __init__(self, home: Path) -> None:
        self.home, self.started = home, 0
        self.forked = multiprocessing.get_context("forkserver")
        self.forked.set_forkserver_preload(["memoria.schedule", "memoria.models.hashing"])
        self.live: dict[int, tuple[BaseProcess, Path]] = {}
        for place in range(3):
            self.start(place)

    def start(self, place: int) -> None:
        self.started += 1
        ready = self.home.parent / f"ready-{self.started}"
        process = self.forked.Process(target=serve, args=(self.home, ready))
        process.start()
        self.live[place] = (process, ready)

    def ready(self, place: int) -> BaseProcess:
        process, ready = self.live[place]
        while not ready.exists():
            assert process.is_alive(), "a worker left by itself"
            time.sleep(0.01)
        return process

    def stop(self) -> list[int | None]:
        for place in self.live:
            self.ready(place).terminate()
        for process, _ in self.live.values():
            process.join(60)
        return [process.exitcode for process, _ in self.live.values()]


def stall(process: BaseProcess) -> None:
    """Stop a worker until its leases have run out, as a machine that swaps or sleeps does; then let it go on."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(LEASE_S * 1.5)
    os.kill(process.pid, signal.SIGCONT)


def kill_rounds(folder: Path, kills: int, seed: int = 0) -> Outcomes:
    """Kill workers at `kills` random moments, a few times all three at once; stall one now and then."""
    rng, home, outcome = random.Random(seed), folder / "home", Outcomes()
    begun = found(home)
    workers = Workers(home)
    killed = 0
    while killed < kills:
        places = [0, 1, 2] if kills - killed >= 3 and rng.random() < 0.4 else [rng.randrange(3)]
        processes = [workers.ready(place) for place in places]
        time.sleep(rng.random() * 0.6)
        for process in processes:
            process.kill()
            process.join()
        killed += len(places)
        time.sleep(rng.random() * 0.3)  # where all are dead, slots go by unseen
        for place in places:
            workers.start(place)
        if rng.random() < 0.4:
            stall(workers.ready(rng.randrange(3)))
    if workers.stop() != [0, 0, 0]:
        outcome.faults.append("a worker that was told to stop did not leave with 0")
    check(home, begun, outcome)
    return outcome


def check(home: Path, begun: dict[str, int], outcome: Outcomes) -> None:
    """Work off what is left, then compare effects and history with the slots that there were."""
    later = to_micros(utc_now()) + 3_000_000  # every lease has run out
    later += STEP - later % STEP + 250_000  # and every jitter
    with open_jobs(home, lambda: from_micros(later), longest_s=0) as jobs, jobs.memory as memory:
        Worker(jobs).run_due()
        with memory._ledger.read() as connection:
            rows = connection.execute(text("SELECT job, user, slot FROM effect")).all()
        history, until = jobs.history(limit=None), planned(jobs)
        outcome.faults += memory.verify()
    there = Counter((row.job, row.user, row.slot) for row in rows)
    due = {
        (name, user, slot)
        for name in ("tick", "verb")
        for slot in CONFIG.job(name).slots.last(begun[name], until[name], 100_000)
        for user in USERS
    }
    outcome.faults += [f"{each} happened {count} times" for each, count in there.items() if count > 1]
    outcome.faults += [f"{each} never happened" for each in sorted(due - there.keys())]
    outcome.faults += [f"{each} was no slot" for each in sorted(there.keys() - due)]
    outcome.effects = Counter(row.job for row in rows)
    for run in history:
        outcome.ended.update(f"{run.job} {attempt.ended}" for attempt in run.attempts)
        outcome.faults += amiss(run)
    told = {(run.job, run.user, to_micros(run.slot)) for run in history if run.job in ("tick", "verb")}
    outcome.faults += [f"{each} is not in the history" for each in sorted(due - told)]


def amiss(run: RunRecord) -> list[str]:
    """What the history of a run should tell otherwise."""
    ends = [attempt.ended for attempt in run.attempts]
    if run.job == "broken":
        told = run.error == "ValueError: it cannot be done, token=***" and ends.count("failed") == 2
        return [] if run.state == "failed" and told else [f"{run} hides its error"]
    if run.job == "paused":
        return [f"{run} of a paused job began"]
    well = run.state == "done" and ends[-1] == "done" and set(ends[:-1]) <= {"lost", "released"}
    return [] if well else [f"{run} did not end with its effect"]
