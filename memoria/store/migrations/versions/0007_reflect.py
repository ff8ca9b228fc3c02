"""Profiles, insights and what was reflected on."""

from __future__ import annotations

from alembic import op

from memoria.store.schema import tables
from memoria.store.schema_reflect import TABLES

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables."""
    tables.create_all(op.get_bind(), tables=list(TABLES))
