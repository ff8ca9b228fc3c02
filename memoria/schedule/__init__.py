"""Jobs, and the clock that runs them: every slot's effect exactly once.

What enters: `configs/jobs.yaml` and a home. What leaves: runs, kept in the ledger with their outcome. `Jobs` is what an
operator sees and does, `Worker` works off what is due, an `Action` is what a job does.
"""

from memoria.schedule.config import Job, JobBudget, JobsConfig, WorkerSettings, load_jobs
from memoria.schedule.jobs import Jobs
from memoria.schedule.records import Attempt, JobStatus, RunRecord
from memoria.schedule.run import Action, Outcome, Run
from memoria.schedule.worker import Worker

__all__ = [
    "Action",
    "Attempt",
    "Job",
    "JobBudget",
    "JobStatus",
    "Jobs",
    "JobsConfig",
    "Outcome",
    "Run",
    "RunRecord",
    "Worker",
    "WorkerSettings",
    "load_jobs",
]
