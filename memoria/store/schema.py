"""The ledger's tables, as SQLAlchemy Core describes them.

What enters: nothing. What leaves: table objects that `store/` builds statements from. The migrations create them;
the full-text table differs by database and lives in `dialect.py`. Times are whole microseconds since 1970 UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0008"  # the newest migration; a home with a later one was written by a newer memoria

tables = MetaData()

# Facts about the home itself: its secret, the embedding model's identity, the versions that wrote it.
meta = Table("meta", tables, Column("key", String, primary_key=True), Column("value", LargeBinary, nullable=False))

# One row, whose update serialises writers: episodes and index changes take their numbers from it, so that numbers rise
# in the order of commits on every database.
counter = Table("counter", tables, Column("value", BigInteger, nullable=False))

# `last_id` rises with every episode added and `revision` with every one removed: a reader's cache compares both.
scope = Table(
    "scope",
    tables,
    Column("id", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("user", String, nullable=False),
    Column("last_id", BigInteger, nullable=False, default=0),
    Column("revision", BigInteger, nullable=False, default=0),
    UniqueConstraint("tenant", "user"),
    sqlite_autoincrement=True,  # a forgotten person's number is never another's: caches and logs go by it
)

session = Table(
    "session",
    tables,
    Column("id", Integer, primary_key=True),
    Column("scope_id", Integer, ForeignKey("scope.id"), nullable=False),
    Column("name", String, nullable=False),
    UniqueConstraint("scope_id", "name"),
    sqlite_autoincrement=True,
)

# `key` is a hash, keyed with the home's secret, of what makes a turn the same turn; the public id is its hex form.
episode = Table(
    "episode",
    tables,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("scope_id", Integer, ForeignKey("scope.id"), nullable=False),
    Column("session_id", Integer, ForeignKey("session.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("speaker", String, nullable=False),
    Column("role", String, nullable=False),
    Column("trust", String, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("length", Integer, nullable=False),
    Column("shape", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("metadata", Text),
    UniqueConstraint("scope_id", "key"),
    Index("episode_by_session", "scope_id", "session_id", "position"),
)

# float16, normalised: apart from the text, so that reading one does not drag the other through memory.
embedding = Table(
    "embedding",
    tables,
    Column(
        "episode_id",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("episode.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("vector", LargeBinary, nullable=False),
)

idempotency = Table(
    "idempotency",
    tables,
    Column("scope_id", Integer, ForeignKey("scope.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("recorded_at", BigInteger, nullable=False),
)

# What the vector index has yet to learn, written by the transaction that made it so.
outbox = Table(
    "outbox",
    tables,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("op", String, nullable=False),
    Column("episode_id", BigInteger, nullable=False),
)

# Which generation of which engine serves, and up to which outbox row it is durable.
index_state = Table(
    "index_state",
    tables,
    Column("name", String, primary_key=True),
    Column("engine", String, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("applied", BigInteger, nullable=False),
)

# A fact or a preference that somebody's words bear out. What it says never changes: whether it holds, since when and
# until when is derived from its evidence (`truth.py`), and its words are those of its first evidence. A `slot` is one
# question about a subject, of which a `single` one has a single answer at a time; `key` is a keyed hash of subject,
# slot and value; `subject` and `object` are keys of entities (their names folded to terms). A belief with an empty
# `object` stands for its slot as a whole.
# `changed` is the number of the last change to its evidence.
belief = Table(
    "belief",
    tables,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("scope_id", Integer, ForeignKey("scope.id"), nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("kind", String, nullable=False),
    Column("slot", String, nullable=False),
    Column("single", Integer, nullable=False),
    Column("subject", String, nullable=False),
    Column("object", String, nullable=False),
    Column("changed", BigInteger, nullable=False),
    UniqueConstraint("scope_id", "key"),
    Index("belief_by_change", "scope_id", "changed"),
)

# Why a belief is believed, or is no more: the characters [begin, stop) of an episode, or (no episode) an edit by hand.
# Retracted evidence stays, with its time, so that what was believed before can still be told. What evidence says may
# depend on what was believed when its turn was read ("I gave up coffee"): it is `resolved`, and `moot_at` is when its
# turn came to mean something else. `follows` is the evidence, of the same turn, that it falls with.
evidence = Table(
    "evidence",
    tables,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("belief_id", BigInteger, ForeignKey("belief.id"), nullable=False),
    Column("episode_id", BigInteger, ForeignKey("episode.id")),
    Column("begin", Integer, nullable=False),
    Column("stop", Integer, nullable=False),
    Column("act", String, nullable=False),
    Column("valid_from", BigInteger),
    Column("valid_to", BigInteger),
    Column("said_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("retracted_at", BigInteger),
    Column("source", String, nullable=False),
    Column("content", Text, nullable=False),
    Column("resolved", Integer, nullable=False),
    Column("moot_at", BigInteger),
    Column("follows", BigInteger),
    Index("evidence_by_belief", "belief_id"),
    Index("evidence_by_episode", "episode_id"),
)

# A belief leans on whatever answers another slot, as said in the evidence that brought it.
dependency = Table(
    "dependency",
    tables,
    Column("evidence_id", BigInteger, ForeignKey("evidence.id"), primary_key=True),
    Column("subject", String, primary_key=True),
    Column("slot", String, primary_key=True),
    Column("belief_id", BigInteger, ForeignKey("belief.id"), nullable=False),
    Index("dependency_by_belief", "belief_id"),
)

# Two entities taken for one, `made_by` the "user" or by "resolve", which keeps how alike they were (`score`, 0 to 1);
# never by rewriting, so it can be undone.
merge = Table(
    "merge",
    tables,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("scope_id", Integer, ForeignKey("scope.id"), nullable=False),
    Column("entity", String, nullable=False),
    Column("same_as", String, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("undone_at", BigInteger),
    Column("made_by", String, nullable=False, server_default="user"),
    Column("score", Float),
    Index("merge_by_scope", "scope_id"),
)

# Which episodes an extractor has read: what is left to read is what has no row here. `proposals` is what it found where
# what that means depends on what is believed besides, so that it can be judged anew.
reading = Table(
    "reading",
    tables,
    Column("episode_id", BigInteger, ForeignKey("episode.id"), primary_key=True),
    Column("extractor", String, primary_key=True),
    Column("recorded_at", BigInteger, nullable=False),
    Column("proposals", Text),
)

# One row a person: the number of the last change to any belief of theirs, and how many times some were removed.
belief_state = Table(
    "belief_state",
    tables,
    Column("scope_id", Integer, ForeignKey("scope.id"), primary_key=True, autoincrement=False),
    Column("changed", BigInteger, nullable=False),
    Column("removals", BigInteger, nullable=False),
)

# What was forgotten: counts only. `done_at` is set once the bytes are out of every file.
erasure = Table(
    "erasure",
    tables,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("scope_id", Integer, nullable=False),
    Column("episodes", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("done_at", BigInteger),
    Column("beliefs", Integer, nullable=False, server_default="0"),
    Column("items", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

# Append-only; each row's hash covers the row before it. Ids and counts only, never what anybody said.
event = Table(
    "event",
    tables,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("scope_id", Integer),
    Column("detail", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
