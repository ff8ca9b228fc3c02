"""What became of the runs of jobs: read, cut to what is kept, removed with the person they were for.

What enters: what to look for. What leaves: rows, newest slots first. All times are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from memoria.store import schema
from memoria.store.schema_jobs import job_attempt, job_run


@dataclass(frozen=True)
class AttemptRow:
    """One claim of a run; `ended` is None while it goes on."""

    fence: int
    owner: str
    started_at: int
    ended_at: int | None
    ended: str | None
    error_kind: str | None


@dataclass(frozen=True)
class RunRow:
    """A run as it stands."""

    id: int
    job: str
    target: str
    tenant: str | None
    user: str | None
    slot: int
    by_hand: bool
    state: str
    claim_at: int | None
    started_at: int | None
    ended_at: int | None
    outcome: str | None
    error_kind: str | None
    error: str | None
    tokens: int
    money: float
    attempts: list[AttemptRow] = field(default_factory=list[AttemptRow])


def history(
    connection: Connection,
    *,
    job: str | None = None,
    scope_id: int | None = None,
    states: Collection[str] = (),
    ids: Collection[int] | None = None,
    limit: int | None = None,
) -> list[RunRow]:
    """Runs with their attempts, the newest slot first."""
    whose = schema.scope
    query = select(job_run, whose.c.tenant.label("of_tenant"), whose.c.user).outerjoin(
        whose, whose.c.id == job_run.c.scope_id
    )
    if job is not None:
        query = query.where(job_run.c.job == job)
    if scope_id is not None:
        query = query.where(job_run.c.scope_id == scope_id)
    if states:
        query = query.where(job_run.c.state.in_(states))
    if ids is not None:
        query = query.where(job_run.c.id.in_(ids))
    rows = connection.execute(query.order_by(job_run.c.slot.desc(), job_run.c.id.desc()).limit(limit)).all()
    attempts = _attempts(connection, [row.id for row in rows])
    return [_run(row, attempts[row.id]) for row in rows]


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How many runs of each job stand in each state."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    query = select(job_run.c.job, job_run.c.state, func.count()).group_by(job_run.c.job, job_run.c.state)
    for name, state, count in connection.execute(query):
        found[name][state] = count
    return found


def open_runs(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of `ids` that have not ended."""
    waits = (job_run.c.id.in_(ids), job_run.c.claim_at.is_not(None))
    return set(connection.execute(select(job_run.c.id).where(*waits)).scalars())


def prune(connection: Connection, before: int) -> int:
    """Remove the ended runs of slots before a time; how many there were. Their slots stay planned."""
    old = (job_run.c.slot < before, job_run.c.claim_at.is_(None))
    return connection.execute(delete(job_run).where(*old)).rowcount


def remove_runs(connection: Connection, scope_id: int) -> None:
    """Remove every run for the person; a worker that is at one finds it gone, and commits nothing."""
    connection.execute(delete(job_run).where(job_run.c.scope_id == scope_id))


def hush_errors(connection: Connection, scope_id: int) -> None:
    """Keep of errors only their class where they may quote the person: in their own runs, and in those for many."""
    whose = or_(job_run.c.scope_id == scope_id, job_run.c.scope_id.is_(None))
    connection.execute(update(job_run).where(whose, job_run.c.error.is_not(None)).values(error=None))


def _run(row: Any, attempts: list[AttemptRow]) -> RunRow:
    return RunRow(
        id=row.id,
        job=row.job,
        target=row.target,
        tenant=row.of_tenant if row.scope_id is not None else row.tenant,
        user=row.user,
        slot=row.slot,
        by_hand=bool(row.by_hand),
        state=row.state,
        claim_at=row.claim_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        error_kind=row.error_kind,
        error=row.error,
        tokens=row.tokens,
        money=row.money,
        attempts=attempts,
    )


def _attempts(connection: Connection, runs: list[int]) -> dict[int, list[AttemptRow]]:
    found: dict[int, list[AttemptRow]] = defaultdict(list)
    for start in range(0, len(runs), 500):
        mine = job_attempt.c.run_id.in_(runs[start : start + 500])
        for row in connection.execute(
            select(job_attempt).where(mine).order_by(job_attempt.c.run_id, job_attempt.c.fence)
        ):
            found[row.run_id].append(
                AttemptRow(row.fence, row.owner, row.started_at, row.ended_at, row.ended, row.error_kind)
            )
    return found
