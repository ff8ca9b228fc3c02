"""A run in the hands of its action: whom it is for, how long it may go on, and the guard that makes it happen once.

What enters: a claim on a run. What leaves: `Run`, which an action is given beside the memory, and `Outcome`, which it
returns. An action's effect happens exactly once where it is written in a unit of work that calls `guard`: effect and
end of the run are then one commit, which a worker that has lost the run cannot make. What an action does outside of
such a unit of work may happen again after a crash, so it must be idempotent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from memoria.clock import Clock, from_micros, to_micros
from memoria.errors import BudgetSpent, LeaseLost, OverTime, Stopping
from memoria.memory import Memory
from memoria.schedule.config import Job
from memoria.store import jobs as store
from memoria.store.jobs import Claimed


@dataclass(frozen=True)
class Outcome:
    """What a run came to, in a few words that are kept in the history: numbers, and no one's words. `tokens` and
    `money` are added to what `Run.spend` was told."""

    said: str
    tokens: int = 0
    money: float = 0.0


class Run:
    """One run of a job, for as long as this worker has it. Safe to share by threads.

    `tenant` and `user` are whom it is for: both for `per: user`, none for `per: home`. `attempt` counts the workers
    that had it; `deadline` is when its time is over.
    """

    def __init__(self, claimed: Claimed, job: Job, clock: Clock) -> None:
        self.id, self.job, self.attempt = claimed.id, job, claimed.fence
        self.tenant, self.user = claimed.tenant, claimed.user
        self.slot = from_micros(claimed.slot)
        self.by_hand = claimed.by_hand
        self.started_at: datetime = clock()
        self.deadline: datetime = self.started_at + timedelta(seconds=job.budget.seconds)
        self.tokens, self.money = 0, 0.0
        self._clock, self._mutex = clock, threading.Lock()
        self._told: type[LeaseLost | Stopping] | None = None

    def guard(self, connection: Connection) -> None:
        """End the run in the caller's unit of work, whose effect is then kept if and only if the run is done by it.

        Raises `LeaseLost` where this worker has the run no more: let it out, and the unit of work is undone.
        """
        store.guard(connection, self.id, self.attempt, to_micros(self._clock()), done=True)

    def hold(self, connection: Connection) -> None:
        """Refuse the caller's unit of work if this worker has the run no more, without ending it: for the steps before
        the last. Raises `LeaseLost`."""
        store.guard(connection, self.id, self.attempt, to_micros(self._clock()), done=False)

    def check(self) -> None:
        """For a long action to call now and then. Raises `LeaseLost`, `OverTime` or `Stopping`: let it out."""
        if self._told is LeaseLost:
            raise LeaseLost(f"Run {self.id} of {self.job.name} is another worker's now; nothing more is to be done.")
        if self.is_over_time():
            raise self.over_time()
        if self._told is Stopping:
            raise Stopping(f"The worker of run {self.id} of {self.job.name} was told to stop.")

    def spend(self, tokens: int = 0, money: float = 0.0) -> None:
        """Count what was spent. Raises `BudgetSpent` once that is more than the job's budget for a run."""
        with self._mutex:
            self.tokens += tokens
            self.money += money
        budget = self.job.budget
        for name, spent, most in (("tokens", self.tokens, budget.tokens), ("money", self.money, budget.money)):
            if most is not None and spent > most:
                raise BudgetSpent(
                    f"Run {self.id} of {self.job.name} spent {spent} of its {most} {name}; "
                    f"raise budget.{name} in jobs.yaml if it should go further."
                )

    def is_over_time(self) -> bool:
        """Whether the deadline has passed."""
        return self._clock() >= self.deadline

    def over_time(self) -> OverTime:
        """The error of a run whose time is over."""
        return OverTime(
            f"Run {self.id} of {self.job.name} took longer than its {self.job.budget.seconds:g} s; "
            "raise budget.seconds in jobs.yaml if it needs more."
        )

    def tell(self, what: type[LeaseLost | Stopping]) -> None:
        """Have `check` raise: for the worker. That the run is lost outweighs that the worker stops."""
        if self._told is not LeaseLost:
            self._told = what


Action = Callable[[Memory, Run], Outcome]
