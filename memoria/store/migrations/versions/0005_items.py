"""The items of LangGraph's store, and how many of them forgetting took."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, inspect

from memoria.store.schema import erasure, tables
from memoria.store.schema_items import TABLES

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables; a home made by this version has the erasure's new column already."""
    connection = op.get_bind()
    tables.create_all(connection, tables=list(TABLES))
    if "items" not in {column["name"] for column in inspect(connection).get_columns(erasure.name)}:
        op.add_column(erasure.name, Column("items", Integer, nullable=False, server_default="0"))
