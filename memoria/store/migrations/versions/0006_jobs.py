"""The runs of scheduled jobs."""

from __future__ import annotations

from alembic import op

from memoria.store.schema import tables
from memoria.store.schema_jobs import TABLES

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
    tables.create_all(op.get_bind(), tables=list(TABLES))
