"""What the history tells: runs and their attempts, and how each job stands.

What enters: the ledger's rows. What leaves: frozen records with times as times.
"""

from __future__ import annotations

from datetime import datetime

from memoria.clock import from_micros
from memoria.records import Record
from memoria.store.job_history import AttemptRow, RunRow


class Attempt(Record):
    """One time that a worker had a run. `ended`: "done", "failed", "released" by a worker that was told to stop, "lost"
    with a worker that died; None while it goes on. `error`: the class of what was raised."""

    worker: str
    started_at: datetime
    ended_at: datetime | None
    ended: str | None
    error: str | None = None


class RunRecord(Record):
    """One slot of a job, for one person, tenant or home.

    `state`: "pending" (due at `due_at`, also between retries), "running", "done", "failed" or "skipped" (the slot
    was missed, and others before it, as the job's catch_up says). `outcome` is what it came to, in the action's words;
    `error` what went wrong last, without secrets.
    """

    id: int
    job: str
    tenant: str | None
    user: str | None
    slot: datetime
    by_hand: bool
    state: str
    due_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    outcome: str | None
    error: str | None
    tokens: int
    money: float
    attempts: tuple[Attempt, ...]


class JobStatus(Record):
    """How a job stands: its schedule, whether it is enabled and paused (since when), its next slot, and its runs by
    state, as far as the history goes back. `last` is the run that ended last, `last_error` the error it left."""

    name: str
    action: str
    schedule: str
    per: str
    enabled: bool
    paused_at: datetime | None
    next_slot: datetime | None
    runs: dict[str, int]
    last: RunRecord | None
    last_error: str | None


def run_of(row: RunRow) -> RunRecord:
    """A row as a record."""
    begun, ended = row.started_at, row.ended_at
    error = ": ".join(each for each in (row.error_kind, row.error) if each)
    return RunRecord(
        id=row.id,
        job=row.job,
        tenant=row.tenant,
        user=row.user,
        slot=from_micros(row.slot),
        by_hand=row.by_hand,
        state=row.state,
        due_at=_moment(row.claim_at) if row.state == "pending" else None,
        started_at=_moment(begun),
        ended_at=_moment(ended),
        seconds=(ended - begun) / 1_000_000 if begun is not None and ended is not None else None,
        outcome=row.outcome,
        error=error or None,
        tokens=row.tokens,
        money=row.money,
        attempts=tuple(_attempt(each) for each in row.attempts),
    )


def _attempt(row: AttemptRow) -> Attempt:
    return Attempt(
        worker=row.owner,
        started_at=from_micros(row.started_at),
        ended_at=_moment(row.ended_at),
        ended=row.ended,
        error=row.error_kind,
    )


def _moment(micros: int | None) -> datetime | None:
    return from_micros(micros) if micros is not None else None
