"""Jobs: what is done by itself, each time once, and how to see what became of it.

What enters: a home with two people, a job of one's own, and a clock set by hand. What leaves: three nights pass, the
last two without a worker; then the history. In earnest, `memoria worker` does this, in as many processes as you like.
"""

from datetime import UTC, datetime, timedelta

from memoria import HashEmbeddings, Memory
from memoria.schedule import Job, Jobs, JobsConfig, Outcome, Run, Worker

now = datetime(2026, 3, 1, 22, tzinfo=UTC)


def count(memory: Memory, run: Run) -> Outcome:
    """An action: what it returns is kept in the history. `run.guard` in a unit of work makes its effect happen once."""
    assert run.user is not None
    return Outcome(f"{len(memory.beliefs(user=run.user))} beliefs")


nightly = [
    Job(name="reflect", cron="15 3 * * *", timezone="Europe/Lisbon"),
    Job(name="count", cron="0 4 * * *", catch_up="all"),
]
config = JobsConfig(jobs={job.name: job for job in nightly})
memory = Memory(embeddings=HashEmbeddings(64), clock=lambda: now)
with memory, Jobs(memory, config=config, actions={"count": count}, clock=lambda: now) as jobs:
    memory.remember(["I live in Porto.", "My sister is Leonor."], user="ana")
    memory.remember("I love fado.", user="bo")
    Worker(jobs).run_due()  # from now on every slot counts
    now += timedelta(hours=8)
    Worker(jobs).run_due()
    memory.remember("I moved to Lisbon.", user="ana")
    now += timedelta(days=2)
    Worker(jobs).run_due()  # two nights are caught up: of reflect the last, of count all

    for run in reversed(jobs.history()):
        print(f"{run.slot:%d %b %H:%M} {run.job:8}{run.user or 'all':5}{run.state:9}{run.outcome}")
    print(memory.profile(user="ana").render())
