"""Planning: slots that have come become runs in the ledger, each once, whichever worker notices first.

What enters: the jobs and the time. What leaves: rows. A slot is planned, for everybody there is, in the unit of work
that moves the job's `planned` past it; so it is never planned twice, and what was missed while nobody looked is still
ahead of `planned` when somebody looks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from memoria.clock import from_micros
from memoria.errors import UnknownUser
from memoria.records import Scope
from memoria.schedule.config import Job
from memoria.store import job_plan as store
from memoria.store.job_history import prune
from memoria.store.job_plan import JobRow, Planned
from memoria.store.ledger import Ledger
from memoria.store.scopes import find_scope, require_scope, scope_ids

EVERYBODY = "*"  # the target of slots that were passed over


@dataclass(frozen=True)
class Target:
    """Whom a run is for: a person (by number), a tenant, or the home."""

    key: str
    scope_id: int | None = None
    tenant: str | None = None


def plan(ledger: Ledger, jobs: Sequence[Job], now: int, keep: int) -> int:
    """Plan every slot up to `now` of the jobs that are enabled and not paused; how many runs were planned.

    A job that the ledger does not know yet begins with its first slot after `now`. Ended runs older than `keep` go.
    """
    jobs = [job for job in jobs if job.enabled]
    with ledger.read() as connection:
        if not any(_wants(job, store.known_jobs(connection).get(job.name), now) for job in jobs):
            return 0
    count = 0
    with ledger.write() as connection:
        prune(connection, now - keep)
        known = store.known_jobs(connection)
        for job in jobs:
            row = known.get(job.name)
            if row is None:
                store.register(connection, job.name, now)
            elif _wants(job, row, now):
                count += len(store.add_runs(connection, _planned(connection, job, row.planned, now)))
                store.planned_until(connection, job.name, now)
    return count


def plan_by_hand(connection: Connection, job: Job, now: int, tenant: str | None, user: str | None) -> list[int]:
    """Plan a run of `job` for now, for its every target or those that `tenant` and `user` name; the runs' numbers.

    Raises `UnknownUser` for a person that there is not.
    """
    store.register(connection, job.name, now)
    targets = targets_of(connection, job, tenant, user)
    slot = store.free_slot(connection, job.name, now)
    runs = [Planned(job.name, each.key, slot, now, each.scope_id, each.tenant, by_hand=True) for each in targets]
    return store.add_runs(connection, runs)


def plan_for(connection: Connection, job: Job, now: int, people: Sequence[Scope]) -> list[int]:
    """The runs of `job` for now, one for each of these people, whatever it is `per`: one that was asked for before and
    is not over is gone on with. The runs' numbers. Raises `UnknownUser`."""
    store.register(connection, job.name, now)
    numbers = list(dict.fromkeys(require_scope(connection, each).id for each in people))
    begun = store.open_by_hand(connection, job.name)
    slot = store.free_slot(connection, job.name, now)
    fresh = [each for each in numbers if each not in begun]
    planned = store.add_runs(
        connection, [Planned(job.name, str(each), slot, now, scope_id=each, by_hand=True) for each in fresh]
    )
    return [begun[each] for each in numbers if each in begun] + planned


def targets_of(connection: Connection, job: Job, tenant: str | None = None, user: str | None = None) -> list[Target]:
    """Everybody whom a slot of `job` is for, or whom `tenant` and `user` name of them. Raises `UnknownUser`."""
    if user is not None and job.per == "user":
        scope = Scope(tenant=tenant or "default", user=user)
        state = find_scope(connection, scope)
        if state is None:
            raise UnknownUser(f"Nothing is remembered for user {user!r} in tenant {scope.tenant!r}; check the name.")
        return [Target(str(state.id), scope_id=state.id)]
    if job.per == "home":
        return [Target("home")]
    people = scope_ids(connection, tenant)
    if job.per == "tenant":
        return [Target(f"tenant:{each}", tenant=each) for each in sorted({of for _, of in people})]
    return [Target(str(number), scope_id=number) for number, _ in people]


def due_slots(job: Job, planned: int, now: int) -> tuple[list[int], int | None]:
    """The slots to run of those after `planned` and up to `now`, as the job's catch_up says, and the latest that is
    passed over, with all before it."""
    most = job.catch_up_limit if job.catch_up != "last" else 1
    found = job.slots.last(planned, now, most + 1)
    slots, passed = found[-most:], found[:-most]
    if job.catch_up == "none":
        passed += [slot for slot in slots if now - slot > job.grace]
        slots = [slot for slot in slots if now - slot <= job.grace]
    return slots, passed[-1] if passed else None


def _wants(job: Job, row: JobRow | None, now: int) -> bool:
    if row is None:
        return True
    if row.paused_at is not None:
        return False
    first = job.slots.next(row.planned)
    return first is not None and first <= now


def _planned(connection: Connection, job: Job, planned: int, now: int) -> list[Planned]:
    slots, passed = due_slots(job, planned, now)
    targets = targets_of(connection, job)
    runs = [
        Planned(job.name, target.key, slot, job.claim_at(target.key, slot), target.scope_id, target.tenant)
        for slot in slots
        for target in targets
    ]
    if passed is not None:
        limit = f" {job.catch_up_limit}" if job.catch_up == "all" else ""
        said = f"passed over with all slots since {from_micros(planned).isoformat()} (catch_up: {job.catch_up}{limit})"
        runs.append(Planned(job.name, EVERYBODY, passed, None, outcome=said))
    return runs
