"""Beliefs, their evidence, and what forgetting took of them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, inspect

from memoria.store.schema import erasure, tables

revision = "0002"
down_revision = "0001"

_NAMES = "belief evidence dependency merge reading belief_state".split()


def upgrade() -> None:
    """Create the tables of beliefs; a home made by this version has the erasure's new column already."""
    connection = op.get_bind()
    tables.create_all(connection, tables=[tables.tables[name] for name in _NAMES])
    if erasure.c.beliefs.name not in {column["name"] for column in inspect(connection).get_columns(erasure.name)}:
        op.add_column(erasure.name, Column("beliefs", Integer, nullable=False, server_default="0"))
