"""Runs of jobs in the ledger: claimed, fenced, ended.

What enters: claims on planned runs (`job_plan.py`), in the caller's unit of work. What leaves: at most one worker that
may end a run. A claim raises the run's fence; whoever holds an older one (its lease ran out, it was given back or timed
out) ends nothing and commits nothing. All times are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, insert, select, update

from memoria.errors import LeaseLost
from memoria.store import schema
from memoria.store.schema_jobs import job_attempt, job_run

State = Literal["pending", "running", "done", "failed", "skipped"]
Ended = Literal["done", "failed", "released"]

LOST_LIMIT = 10  # a run whose workers died so many times is what kills them

_other = job_run.alias()
# No two runs of one job work on one target at a time, whichever slots they are for.
_BUSY = (
    select(_other.c.id)
    .where(
        _other.c.job == job_run.c.job,
        _other.c.target == job_run.c.target,
        _other.c.id != job_run.c.id,
        _other.c.state == "running",
        _other.c.claim_at > bindparam("now"),
    )
    .exists()
)
_DUE = (
    select(job_run)
    .where(job_run.c.job == bindparam("named"), job_run.c.claim_at <= bindparam("now"), ~_BUSY)
    .order_by(job_run.c.claim_at, job_run.c.id)
    .limit(1)
)
_LIVE = (
    select(job_run.c.job, func.count())
    .where(job_run.c.state == "running", job_run.c.claim_at > bindparam("now"))
    .where(job_run.c.job.in_(bindparam("names", expanding=True)))
    .group_by(job_run.c.job)
)
_HELD = select(job_run.c.state, job_run.c.fence).where(job_run.c.id == bindparam("run"))
_WHOSE = select(schema.scope.c.tenant, schema.scope.c.user).where(schema.scope.c.id == bindparam("scope"))
_ADD_ATTEMPT = insert(job_attempt)


@dataclass(frozen=True)
class Claimed:
    """A run that the caller alone may end, as long as nobody claims it with a higher fence."""

    id: int
    job: str
    tenant: str | None
    user: str | None
    slot: int
    fence: int
    by_hand: bool


@dataclass(frozen=True)
class Ending:
    """How an attempt ended. The run is over, unless `again_at` says when it is due once more."""

    ended: Ended
    at: int
    again_at: int | None = None
    outcome: str | None = None
    error_kind: str | None = None
    error: str | None = None
    tokens: int = 0
    money: float = 0.0


def claim(
    connection: Connection,
    limits: Mapping[str, int],
    owner: str,
    now: int,
    until: int,
    only: Collection[int] | None = None,
) -> Claimed | None:
    """Claim the run that is due and whose job has the fewest at work, then the longest due; None where none may begin.

    `limits` names the jobs, each with how many of its runs may be at work at once, on all workers together; `until` is
    when the lease runs out; `only` restricts to these runs. A lease that ran out shows in the attempt as "lost".
    """
    while True:
        row = _due(connection, limits, now, only)
        if row is None:
            return None
        if row.state == "running":
            _end_attempt(connection, row.id, row.fence, now, "lost", None)
            if _count(connection, row.id, "lost") >= LOST_LIMIT:
                _give_up(connection, row.id, now)
                continue
        fence = row.fence + 1
        changes = {"state": "running", "claim_at": until, "fence": fence, "started_at": now, "ended_at": None}
        connection.execute(update(job_run).where(job_run.c.id == row.id).values(changes))
        attempt = {"run_id": row.id, "fence": fence, "owner": owner, "started_at": now}
        connection.execute(_ADD_ATTEMPT, attempt)
        tenant, user = row.tenant, None
        if row.scope_id is not None:
            tenant, user = connection.execute(_WHOSE, {"scope": row.scope_id}).one()
        return Claimed(row.id, row.job, tenant, user, row.slot, fence, bool(row.by_hand))


def renew(connection: Connection, held: Iterable[tuple[int, int]], until: int) -> set[tuple[int, int]]:
    """Extend the leases of (run, fence) pairs; those that are held no more. One ended by its own action is no loss."""
    lost: set[tuple[int, int]] = set()
    for run, fence in held:
        state = _held(connection, run, fence)
        if state is None:
            lost.add((run, fence))
        elif state == "running":
            connection.execute(update(job_run).where(job_run.c.id == run).values(claim_at=until))
    return lost


def guard(connection: Connection, run: int, fence: int, now: int, *, done: bool) -> None:
    """Let the unit of work go on only for who holds the run; with `done`, end the run in it.

    Raises `LeaseLost`. Doing so twice, by who ended it, is no error.
    """
    state = _held(connection, run, fence)
    if state is None:
        raise LeaseLost(
            f"Run {run} is this worker's no more (it had fence {fence}): it is gone, given back, over its time, or "
            "another's since the lease ran out. Nothing was committed; see: memoria jobs history"
        )
    if done and state == "running":
        _end_run(connection, run, fence, Ending("done", now))


def end(connection: Connection, run: int, fence: int, how: Ending) -> State | None:
    """End an attempt; the run's state then, or None where the caller held it no more, and nothing was written.

    Of a run that its action ended within its own unit of work, only what it came to is added: it is done.
    """
    state = _held(connection, run, fence)
    if state == "running":
        return _end_run(connection, run, fence, how)
    if state is not None:
        told = {"outcome": how.outcome, "error_kind": how.error_kind, "error": how.error}
        connection.execute(update(job_run).where(job_run.c.id == run).values(told | _spent(how)))
    return state


def failures(connection: Connection, run: int) -> int:
    """How many attempts at a run failed by themselves."""
    return _count(connection, run, "failed")


def next_claim_at(connection: Connection, names: Collection[str]) -> int | None:
    """When the next run of these jobs can be claimed."""
    query = select(func.min(job_run.c.claim_at)).where(job_run.c.job.in_(names))
    return connection.execute(query).scalar()


def _due(connection: Connection, limits: Mapping[str, int], now: int, only: Collection[int] | None) -> Any:
    live: dict[str, int] = {}
    for row in connection.execute(_LIVE, {"now": now, "names": list(limits)}):
        live[row[0]] = row[1]
    query = _DUE if only is None else _DUE.where(job_run.c.id.in_(only))
    found: list[tuple[int, int, Any]] = []
    for name, most in limits.items():
        if live.get(name, 0) < most:
            row = connection.execute(query, {"named": name, "now": now}).first()
            if row is not None:
                found.append((live.get(name, 0), row.claim_at, row))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _held(connection: Connection, run: int, fence: int) -> State | None:
    """The state of a run as long as nobody but the holder of `fence` may end it, or ended it."""
    row = connection.execute(_HELD, {"run": run}).first()
    return row.state if row is not None and row.fence == fence and row.state in ("running", "done") else None


def _end_run(connection: Connection, run: int, fence: int, how: Ending) -> State:
    over = how.again_at is None
    state: State = "pending" if not over else "done" if how.ended == "done" else "failed"
    changes = {
        "state": state,
        "claim_at": how.again_at,
        "ended_at": how.at if over else None,
        "outcome": how.outcome,
        "error_kind": how.error_kind,
        "error": how.error,
    }
    connection.execute(update(job_run).where(job_run.c.id == run).values(changes | _spent(how)))
    _end_attempt(connection, run, fence, how.at, how.ended, how.error_kind)
    return state


def _spent(how: Ending) -> dict[str, Any]:
    return {"tokens": job_run.c.tokens + how.tokens, "money": job_run.c.money + how.money}


def _end_attempt(connection: Connection, run: int, fence: int, at: int, ended: str, kind: str | None) -> None:
    mine = (job_attempt.c.run_id == run, job_attempt.c.fence == fence)
    connection.execute(update(job_attempt).where(*mine).values(ended_at=at, ended=ended, error_kind=kind))


def _count(connection: Connection, run: int, ended: str) -> int:
    mine = (job_attempt.c.run_id == run, job_attempt.c.ended == ended)
    return connection.execute(select(func.count()).select_from(job_attempt).where(*mine)).scalar_one()


def _give_up(connection: Connection, run: int, now: int) -> None:
    told = f"{LOST_LIMIT} workers died with this run; see their own logs, then: memoria jobs run"
    changes = {"state": "failed", "claim_at": None, "ended_at": now, "error_kind": "WorkerLost", "error": told}
    connection.execute(update(job_run).where(job_run.c.id == run).values(changes))
