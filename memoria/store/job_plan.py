"""Jobs and their planned runs in the ledger.

What enters: slots, in the caller's unit of work. What leaves: rows that a worker may claim (`jobs.py`), one for each
job, target and slot. All times are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from memoria.store.schema_jobs import job, job_run

_ADD = insert(job_run)


@dataclass(frozen=True)
class JobRow:
    """What the ledger knows of a job."""

    name: str
    planned: int
    paused_at: int | None


@dataclass(frozen=True)
class Planned:
    """A run to be: `claim_at` is the slot and its jitter, or None for slots that are passed over."""

    job: str
    target: str
    slot: int
    claim_at: int | None
    scope_id: int | None = None
    tenant: str | None = None
    by_hand: bool = False
    outcome: str | None = None


def known_jobs(connection: Connection) -> dict[str, JobRow]:
    """Every job that a worker or an operator has named, by name."""
    return {row.name: JobRow(row.name, row.planned, row.paused_at) for row in connection.execute(select(job))}


def register(connection: Connection, name: str, now: int) -> None:
    """Begin to plan a job: its first slot is the first after `now`. Nothing where it is known."""
    if connection.execute(select(job.c.name).where(job.c.name == name)).first() is None:
        connection.execute(insert(job).values(name=name, planned=now))


def planned_until(connection: Connection, name: str, until: int) -> None:
    """Every slot up to `until` has its runs."""
    connection.execute(update(job).where(job.c.name == name).values(planned=until))


def set_paused(connection: Connection, name: str, at: int | None, now: int) -> None:
    """Pause a job from `at` on, or resume it (None)."""
    register(connection, name, now)
    connection.execute(update(job).where(job.c.name == name).values(paused_at=at))


def add_runs(connection: Connection, runs: Sequence[Planned]) -> list[int]:
    """Keep planned runs, but of a slot and target that has one already; the numbers of those that can be claimed."""
    taken: dict[tuple[str, int], set[str]] = {}
    for named, slot in {(each.job, each.slot) for each in runs}:
        same = (job_run.c.job == named, job_run.c.slot == slot)
        taken[named, slot] = set(connection.execute(select(job_run.c.target).where(*same)).scalars())
    rows = [
        {
            "job": each.job,
            "target": each.target,
            "slot": each.slot,
            "claim_at": each.claim_at,
            "scope_id": each.scope_id,
            "tenant": each.tenant,
            "by_hand": int(each.by_hand),
            "state": "skipped" if each.claim_at is None else "pending",
            "ended_at": each.slot if each.claim_at is None else None,
            "outcome": each.outcome,
        }
        for each in runs
        if each.target not in taken[each.job, each.slot]
    ]
    if not rows:
        return []
    before = connection.execute(select(func.coalesce(func.max(job_run.c.id), 0))).scalar_one()
    connection.execute(_ADD, rows)
    mine = (job_run.c.id > before, job_run.c.claim_at.is_not(None))
    return list(connection.execute(select(job_run.c.id).where(*mine).order_by(job_run.c.id)).scalars())


def open_by_hand(connection: Connection, name: str) -> dict[int, int]:
    """The run of a job for each person (by number) that was asked for by hand and is not over."""
    mine = (job_run.c.job == name, job_run.c.by_hand == 1, job_run.c.state.in_(("pending", "running")))
    query = select(job_run.c.scope_id, job_run.c.id).where(*mine, job_run.c.scope_id.is_not(None))
    return {row.scope_id: row.id for row in connection.execute(query.order_by(job_run.c.id))}


def free_slot(connection: Connection, name: str, now: int) -> int:
    """The first moment from `now` on that is no slot of any run of the job."""
    while connection.execute(select(job_run.c.id).where(job_run.c.job == name, job_run.c.slot == now)).first():
        now += 1
    return now
