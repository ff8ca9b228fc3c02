"""What was distilled, from what, and what may serve: the tables of distillation.

What enters: nothing. What leaves: table objects, beside those of `schema.py`; see there. An adapter here is whatever
makes a model a person's own: LoRA weights, a soft prompt, a preference head, a preference card. Its files lie in the
home's `adapters/`; no word of the person is in these tables but what they wrote in place of an answer (`feedback`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from memoria.store.schema import tables

# An adapter. `status`: "candidate", "rejected" by the gate, "serving", "retired", or "quarantined" by the erasure
# `erasure` (then its files go, too). `digest` names just what it was made of, with which recipe and seed; `files` holds
# the sha256 of each of its files, `figures` and `verdict` what was measured, all as JSON.
adapter = Table(
    "adapter",
    tables,
    Column("id", Integer, primary_key=True),
    Column("scope_id", Integer, ForeignKey("scope.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("promoted_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("erasure", Integer),
    Column("base", String, nullable=False),
    Column("recipe", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("parent_id", Integer),
    Column("folder", String, nullable=False),
    Column("files", Text, nullable=False),
    Column("figures", Text, nullable=False),
    Column("verdict", Text),
    UniqueConstraint("scope_id", "kind", "version"),
    Index("adapter_by_digest", "scope_id", "digest"),
    # One of a kind serves a person.
    Index("adapter_serving", "scope_id", "kind", unique=True, sqlite_where=text("status = 'serving'")),
    sqlite_autoincrement=True,  # the folder of one that is gone must not be another's
)

# What an adapter was made of: `kind` "belief", "episode" (public ids), or "adapter" (the row id of one whose weights it
# took, of any person). `hash` is a keyed hash of what the source said then.
adapter_source = Table(
    "adapter_source",
    tables,
    Column("adapter_id", Integer, ForeignKey("adapter.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("key", LargeBinary(16), primary_key=True),
    Column("hash", LargeBinary(16), nullable=False),
    Index("adapter_source_by_key", "key"),
)

# How distillation stands with a person. `consent`: 1 given, 0 withheld, none: as the settings say. `due_since`: a
# rebuild is owed since then, `why` says what for.
distillation = Table(
    "distillation",
    tables,
    Column("scope_id", Integer, ForeignKey("scope.id"), primary_key=True, autoincrement=False),
    Column("consent", Integer),
    Column("due_since", BigInteger),
    Column("why", String),
)

# What the person thought of an assistant's turn: `score` 1 or -1, and what they wrote in its place.
feedback = Table(
    "feedback",
    tables,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("scope_id", Integer, ForeignKey("scope.id"), nullable=False),
    Column("episode_id", BigInteger, ForeignKey("episode.id", ondelete="CASCADE"), nullable=False),
    Column("score", Integer, nullable=False),
    Column("correction", Text),
    Column("at", BigInteger, nullable=False),
    Index("feedback_by_scope", "scope_id"),
    Index("feedback_by_episode", "episode_id"),
)

TABLES: tuple[Table, ...] = (adapter, adapter_source, distillation, feedback)
