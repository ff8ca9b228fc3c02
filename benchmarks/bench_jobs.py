"""What jobs cost, each figure beside its bar: a run's claim and end, and planning for a thousand people.

What enters: nothing. What leaves: one line a figure, `ok` or `BELOW`, in milliseconds of real time. For a quiet
machine.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from memoria import HashEmbeddings, Memory, Scope
from memoria.schedule import Jobs, Outcome, Run, Worker
from memoria.schedule.config import jobs_of
from memoria.schedule.plan import plan
from memoria.store import jobs as store
from memoria.store.jobs import Ending
from memoria.store.scopes import ensure_scope

PEOPLE = 1000
CRONS = ("15 3 * * *", "0 */6 * * *", "*/10 * * * *", "40 4 * * sun", "0 5 1 * *")
MINUTE = 60_000_000


def millis(work: Callable[[], object], times: int) -> float:
    """The median of `times` runs."""
    taken: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(taken)


def tell(name: str, value: float, bar: float) -> None:
    """One line: the figure beside its bar."""
    print(f"{'ok   ' if value <= bar else 'BELOW'} {name}: {value:.2f} ms (bar {bar:g})")


def nothing(memory: Memory, run: Run) -> Outcome:
    """An action that does nothing."""
    return Outcome("nothing")


def main() -> None:
    """Measure."""
    now = datetime(2026, 3, 1, 3, 10, tzinfo=UTC)
    named = {
        f"job{n}": {"cron": line, "action": "nothing", "timezone": "Europe/Lisbon"} for n, line in enumerate(CRONS)
    }
    config = jobs_of({"jobs": named}, "bench")
    with tempfile.TemporaryDirectory() as folder, Memory(folder, embeddings=HashEmbeddings(8)) as memory:
        with memory._ledger.write() as connection:
            for number in range(PEOPLE):
                ensure_scope(connection, Scope(user=f"user{number}"))
        with Jobs(memory, config=config, actions={"nothing": nothing}, clock=lambda: now) as jobs:
            every = list(config.jobs.values())
            Worker(jobs).run_due()
            idle = millis(lambda: plan(jobs.ledger, every, jobs.now, 90 * 86400_000_000), 100)
            tell(f"nothing due, {PEOPLE} people x {len(every)} jobs", idle, 10)
            now += timedelta(days=31)
            begun = time.perf_counter()
            count = plan(jobs.ledger, every, jobs.now, 90 * 86400_000_000)
            tell(
                f"planning {count} runs, a month's slots of {len(every)} jobs",
                (time.perf_counter() - begun) * 1e3,
                1000,
            )
            limits = dict.fromkeys(config.jobs, 1)

            def claim_and_end() -> None:
                with jobs.ledger.write() as connection:
                    run = store.claim(connection, limits, "bench", jobs.now, jobs.now + MINUTE)
                assert run is not None
                with jobs.ledger.write() as connection:
                    store.end(connection, run.id, run.fence, Ending("done", jobs.now))

            tell(f"claiming and ending a run, {count} waiting", millis(claim_and_end, 500), 10)
            worker = Worker(jobs)
            begun = time.perf_counter()
            done = len(worker.run_due())
            tell(f"a whole run that does nothing, of {done}", (time.perf_counter() - begun) / done * 1e3, 15)


if __name__ == "__main__":
    main()
