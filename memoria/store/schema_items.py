"""The items of LangGraph's store.

What enters: nothing. What leaves: table objects, beside those of `schema.py`; see there.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from memoria.store.schema import tables


def _number() -> BigInteger:
    return BigInteger().with_variant(Integer, "sqlite")


# A namespace that holds items, and whose they are (nobody's: none). `path` is its labels, each with a "." behind it,
# which no label holds: so whatever lies below ("a", "b") is one range of paths, from "a.b." on to before "a.b/".
# `changed` is the number of the last change to any item of it.
item_namespace = Table(
    "item_namespace",
    tables,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("scope_id", Integer, ForeignKey("scope.id")),
    Column("changed", BigInteger, nullable=False),
    Index("item_namespace_by_scope", "scope_id"),
    sqlite_autoincrement=True,
)

# A put replaces all of an item but its `id`. `ttl` is in microseconds; reading an item may move `expires_at` on.
item = Table(
    "item",
    tables,
    Column("id", _number(), primary_key=True, autoincrement=False),
    Column("namespace_id", Integer, ForeignKey("item_namespace.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("put_at", BigInteger, nullable=False),
    Column("ttl", BigInteger),
    Column("expires_at", BigInteger),
    Column("changed", BigInteger, nullable=False),
    Column("value", Text, nullable=False),
    UniqueConstraint("namespace_id", "key"),
    Index("item_by_namespace", "namespace_id"),  # with the row id behind it: the order in which pages come
    Index("item_by_change", "namespace_id", "changed"),
    Index("item_by_expiry", "expires_at"),
)

# What of an item is searched: a text of it, its terms as 64-bit hashes (repeats kept), its vector (float16,
# normalised). There is no full-text table to it: a row that is removed takes its words with it.
item_piece = Table(
    "item_piece",
    tables,
    Column("item_id", BigInteger, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("terms", LargeBinary, nullable=False),
    Column("vector", LargeBinary, nullable=False),
)

TABLES: tuple[Table, ...] = (item_namespace, item, item_piece)
