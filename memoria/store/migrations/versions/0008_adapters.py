"""Adapters, what they were made of, and feedback."""

from __future__ import annotations

from alembic import op

from memoria.store.schema import tables
from memoria.store.schema_adapters import TABLES

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables."""
    tables.create_all(op.get_bind(), tables=list(TABLES))
