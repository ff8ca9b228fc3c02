"""Who took two names for one entity's, and how alike they were."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Float, String, inspect

from memoria.store.schema import merge

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; a home made by this version has them already."""
    there = {column["name"] for column in inspect(op.get_bind()).get_columns(merge.name)}
    fresh = (Column("made_by", String, nullable=False, server_default="user"), Column("score", Float))
    for column in fresh:
        if column.name not in there:
            op.add_column(merge.name, column)
