"""Jobs: what an operator sees and does, over one home.

What enters: a memory, which jobs there are, and what each does. What leaves: how they stand and what became of their
runs. All of it is in the ledger, so that every worker of the home, in whatever process, goes by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from memoria.clock import Clock, from_micros, to_micros, utc_now
from memoria.errors import InvalidInput
from memoria.memory import Memory
from memoria.records import Scope
from memoria.schedule.actions import ACTIONS
from memoria.schedule.config import FILE, Job, JobsConfig, load_jobs
from memoria.schedule.records import JobStatus, RunRecord, run_of
from memoria.schedule.run import Action
from memoria.store import job_history
from memoria.store import job_plan as store
from memoria.store.job_plan import JobRow
from memoria.store.jobs import State
from memoria.store.ledger import Ledger
from memoria.store.scopes import require_scope


class Jobs:
    """The jobs of `memory`'s home.

    Args:
        config: which jobs; None is the packaged ones, changed by the `jobs.yaml` among the memory's settings.
        actions: what jobs do, by name, beside and before the packaged actions.
        clock: what tells the time by which slots are due; for tests.

    Raises `InvalidInput` for a job whose action nobody gave.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        config: JobsConfig | None = None,
        actions: Mapping[str, Action] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.memory, self.clock = memory, clock
        self.config = config if config is not None else load_jobs(memory.settings.folder)
        self.actions: dict[str, Action] = {**ACTIONS, **(actions or {})}
        for job in self.config.jobs.values():
            if job.does not in self.actions:
                raise InvalidInput(
                    f"{FILE}: job {job.name}: there is no action {job.does!r}; there are: {', '.join(self.actions)}. "
                    "Name one of them with the key action, or give it in code: Jobs(memory, actions={...})."
                )
        self.ledger = Ledger(memory.home, memory.settings.store)

    @property
    def now(self) -> int:
        """The time, in microseconds since 1970 UTC."""
        return to_micros(self.clock())

    def list(self) -> list[JobStatus]:
        """How each configured job stands."""
        with self.ledger.read() as connection:
            known, counts = store.known_jobs(connection), job_history.counts(connection)
            last = {
                name: job_history.history(connection, job=name, states=("done", "failed"), limit=1)
                for name in self.config.jobs
            }
        return [
            self._status(job, known.get(name), counts.get(name, {}), [run_of(each) for each in last[name]])
            for name, job in self.config.jobs.items()
        ]

    def history(
        self,
        name: str | None = None,
        *,
        user: str | None = None,
        tenant: str = "default",
        states: Sequence[State] = (),
        limit: int | None = 100,
    ) -> list[RunRecord]:
        """Runs with their attempts, the newest slot first: of the job `name`, for `user`, or that stand in `states`.

        Raises `UnknownUser`.
        """
        with self.ledger.read() as connection:
            whose = None if user is None else require_scope(connection, Scope(tenant=tenant, user=user)).id
            rows = job_history.history(connection, job=name, scope_id=whose, states=states, limit=limit)
        return [run_of(row) for row in rows]

    def runs(self, ids: Sequence[int]) -> list[RunRecord]:
        """The runs with these numbers, the newest slot first."""
        with self.ledger.read() as connection:
            return [run_of(row) for row in job_history.history(connection, ids=ids)]

    def pause(self, name: str) -> None:
        """Begin no run of the job any more, on any worker; those at work end. Its slots wait: see `resume`.

        Raises `UnknownJob`.
        """
        self._set_paused(name, self.now)

    def resume(self, name: str) -> None:
        """Go on with a paused job: the slots of meanwhile are caught up as its catch_up says. Raises `UnknownJob`."""
        self._set_paused(name, None)

    def close(self) -> None:
        """Let go of the ledger; the memory stays open. Closing twice is no error."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set_paused(self, name: str, at: int | None) -> None:
        self.config.job(name)
        with self.ledger.write() as connection:
            row = store.known_jobs(connection).get(name)
            if row is None or at is None or row.paused_at is None:  # paused twice: since the first time
                store.set_paused(connection, name, at, self.now)

    def _status(self, job: Job, row: JobRow | None, counts: dict[str, int], last: Sequence[RunRecord]) -> JobStatus:
        paused = row.paused_at if row is not None else None
        after = max(self.now, row.planned) if row is not None else self.now
        upcoming = job.slots.next(after) if job.enabled and paused is None else None
        return JobStatus(
            name=job.name,
            action=job.does,
            schedule=job.schedule,
            per=job.per,
            enabled=job.enabled,
            paused_at=from_micros(paused) if paused is not None else None,
            next_slot=from_micros(upcoming) if upcoming is not None else None,
            runs=counts,
            last=last[0] if last else None,
            last_error=last[0].error if last else None,
        )
