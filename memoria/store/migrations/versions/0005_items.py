"""The items of LangGraph's store."""

from __future__ import annotations

from alembic import op

from memoria.store.schema import tables
from memoria.store.schema_items import TABLES

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    tables.create_all(op.get_bind(), tables=list(TABLES))
