"""One attempt at a run: its action, and how that ended, kept in the ledger and told as an event.

What enters: a claimed run. What leaves: the run's new state, unless this worker has it no more. An error is kept with
the run and never leaves this module: a job that fails stops nothing else.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from memoria.errors import BudgetSpent, LeaseLost, MemoriaError, Stopping
from memoria.events import JobEvent
from memoria.schedule.jobs import Jobs
from memoria.schedule.redact import kind_of, told
from memoria.schedule.run import Outcome, Run
from memoria.store import jobs as store
from memoria.store.jobs import Ended, Ending

LOST = "lost"  # the outcome of an attempt whose run is somebody else's, or over
RETRY = "retry"  # of one that failed and will be made again
_DAY = 86_400_000_000

_log = logging.getLogger(__name__)


def attempt(jobs: Jobs, run: Run) -> None:
    """Do what the job does, and end the run by it; nothing is raised."""
    with jobs.memory.events.span(event_of(run)) as act:
        ending = _done(jobs, run)
        state = _ended(jobs, run, ending) if ending is not None else LOST
        act.add(outcome=state, error=ending.error_kind if ending is not None else LeaseLost.__qualname__)


def time_out(jobs: Jobs, run: Run) -> None:
    """End a run whose time is over, while its action goes on."""
    _told(jobs, run, _failed(jobs, run, run.over_time()))


def give_back(jobs: Jobs, run: Run) -> None:
    """Let another worker have a run, while its action goes on."""
    _told(jobs, run, _ending(jobs, run, "released"))


def event_of(run: Run) -> JobEvent:
    """The event of an attempt, as far as it is known when it begins."""
    return JobEvent(
        verb="job",
        tenant=run.tenant,
        user=run.user,
        job=run.job.name,
        slot=run.slot,
        run=str(run.id),
        attempt=run.attempt,
        late=(run.started_at - run.slot).total_seconds(),
    )


def _told(jobs: Jobs, run: Run, ending: Ending) -> None:
    with jobs.memory.events.span(event_of(run)) as act:
        act.add(outcome=_ended(jobs, run, ending), error=ending.error_kind)


def _done(jobs: Jobs, run: Run) -> Ending | None:
    """What the action came to; None where the run was lost on the way."""
    try:
        outcome = jobs.actions[run.job.does](jobs.memory, run)
        if not isinstance(outcome, Outcome):  # pyright: ignore[reportUnnecessaryIsInstance]  # the action is the user's
            raise TypeError(f"The action {run.job.does!r} returned {type(outcome).__name__}, not an Outcome.")
    except LeaseLost:
        return None
    except Stopping:
        return _ending(jobs, run, "released")
    except BaseException as error:
        return _failed(jobs, run, error)
    ending = _ending(jobs, run, "done")
    return replace(
        ending,
        outcome=outcome.said,
        tokens=ending.tokens + outcome.tokens,
        money=ending.money + outcome.money,
    )


def _failed(jobs: Jobs, run: Run, error: BaseException) -> Ending:
    ending = _ending(jobs, run, "failed")
    ending = replace(ending, error_kind=kind_of(error), error=told(error))
    if run.by_hand or isinstance(error, BudgetSpent):  # who asked by hand is told at once; what is spent stays spent
        return ending
    return replace(ending, again_at=ending.at)


def _ending(jobs: Jobs, run: Run, ended: Ended) -> Ending:
    now = jobs.now
    return Ending(ended, now, now if ended == "released" else None, tokens=run.tokens, money=run.money)


def _ended(jobs: Jobs, run: Run, ending: Ending) -> str:
    """End the attempt; the run's state then, "retry" or "lost"."""
    try:
        with jobs.ledger.write() as connection:
            if ending.ended == "failed" and ending.again_at is not None:
                ending = replace(ending, again_at=_next_try(run, ending.at, store.failures(connection, run.id)))
            state = store.end(connection, run.id, run.attempt, ending)
    except MemoriaError as error:
        # The lease runs out by itself, and somebody else goes on.
        _log.warning("How run %d of %s ended could not be kept (%s).", run.id, run.job.name, kind_of(error))
        return LOST
    return {"pending": RETRY if ending.ended == "failed" else ending.ended}.get(state, state) if state else LOST


def _next_try(run: Run, now: int, failed: int) -> int | None:
    if failed >= run.job.retries:
        return None
    return now + min(run.job.backoff * 2 ** min(failed, 40), _DAY)
