"""Profiles, and how often beliefs were asked for: the tables of reflection.

What enters: nothing. What leaves: table objects, beside those of `schema.py`; see there. A line is kept once, however
many versions of the profile hold it; forgetting what it cites removes it from all of them.
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
    String,
    Table,
    Text,
    UniqueConstraint,
)

from memoria.store.schema import tables


def _number() -> BigInteger:
    return BigInteger().with_variant(Integer, "sqlite")


# A version of a person's profile. `basis` is the state of the history that it was last found to follow from, and
# `good_until` when it ages by itself: when what it calls upcoming begins.
profile = Table(
    "profile",
    tables,
    Column("id", _number(), primary_key=True, autoincrement=False),
    Column("scope_id", Integer, ForeignKey("scope.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("basis", Text, nullable=False),
    Column("good_until", BigInteger),
    Column("model", String),
    UniqueConstraint("scope_id", "version"),
)

# A line of some profiles; `key` is a keyed hash of all that it says and cites. `detail` is what its kind needs to be
# verified again, as JSON.
profile_line = Table(
    "profile_line",
    tables,
    Column("id", _number(), primary_key=True, autoincrement=False),
    Column("scope_id", Integer, ForeignKey("scope.id"), nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("section", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("detail", Text, nullable=False),
    UniqueConstraint("scope_id", "key"),
)

# Which lines a version holds, in which order; `shown` within its bound of tokens, or only ranked below it.
profile_entry = Table(
    "profile_entry",
    tables,
    Column("profile_id", BigInteger, ForeignKey("profile.id"), primary_key=True),
    Column("line_id", BigInteger, ForeignKey("profile_line.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("strength", Float, nullable=False),
    Index("profile_entry_by_line", "line_id"),
)

# What a line rests on: a belief or an episode.
profile_cite = Table(
    "profile_cite",
    tables,
    Column("id", _number(), primary_key=True, autoincrement=False),
    Column("line_id", BigInteger, ForeignKey("profile_line.id"), nullable=False),
    Column("belief_id", BigInteger, ForeignKey("belief.id")),
    Column("episode_id", BigInteger, ForeignKey("episode.id")),
    Index("profile_cite_by_line", "line_id"),
    Index("profile_cite_by_belief", "belief_id"),
    Index("profile_cite_by_episode", "episode_id"),
)

# How often recall stated a belief, and when last: what is asked for stays strong.
access = Table(
    "access",
    tables,
    Column("belief_id", BigInteger, ForeignKey("belief.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

TABLES: tuple[Table, ...] = (profile, profile_line, profile_entry, profile_cite, access)
