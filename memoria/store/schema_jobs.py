"""The runs of scheduled jobs.

What enters: nothing. What leaves: table objects, beside those of `schema.py`; see there.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from memoria.store.schema import tables

# What the ledger knows of a job: every slot up to `planned` has its runs, and from `paused_at` on none begins.
job = Table(
    "job",
    tables,
    Column("name", String, primary_key=True),
    Column("planned", BigInteger, nullable=False),
    Column("paused_at", BigInteger),
)

# One slot of a job for one target: a person's number, "tenant:NAME", "home", or "*" for slots that were passed over.
# `claim_at` is from when on a worker may claim it: once it is due, after a failure's backoff, or when the lease of the
# worker that has it runs out; none once it has ended. `fence` rises with each claim, and only the worker with the
# newest may end the run. `error` may quote what an action was told; it goes when anything of the person is forgotten.
job_run = Table(
    "job_run",
    tables,
    Column("id", Integer, primary_key=True),
    Column("job", String, nullable=False),
    Column("target", String, nullable=False),
    Column("scope_id", Integer, ForeignKey("scope.id")),
    Column("tenant", String),
    Column("slot", BigInteger, nullable=False),
    Column("by_hand", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("claim_at", BigInteger),
    Column("fence", Integer, nullable=False, default=0),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("outcome", Text),
    Column("error_kind", String),
    Column("error", Text),
    Column("tokens", BigInteger, nullable=False, default=0),
    Column("money", Float, nullable=False, default=0.0),
    UniqueConstraint("job", "target", "slot"),
    Index("job_run_by_claim", "job", "claim_at"),
    Index("job_run_by_slot", "slot"),
    Index("job_run_by_scope", "scope_id"),
    sqlite_autoincrement=True,  # a worker that comes back late must not find another run under its run's number
)

# Each time that a worker claimed a run, and how that ended: "done", "failed", "released", or "lost" with its worker.
job_attempt = Table(
    "job_attempt",
    tables,
    Column("run_id", Integer, ForeignKey("job_run.id", ondelete="CASCADE"), primary_key=True),
    Column("fence", Integer, primary_key=True),
    Column("owner", String, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended", String),
    Column("error_kind", String),
)

TABLES: tuple[Table, ...] = (job, job_run, job_attempt)
