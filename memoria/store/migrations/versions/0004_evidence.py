"""Evidence says what it says by itself: its words move to it from the belief, and it may be judged anew."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text, inspect, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Move the words and add the columns; a home made by this version has them already."""
    there = inspect(op.get_bind())
    if "content" not in {column["name"] for column in there.get_columns("belief")}:
        return
    op.add_column("evidence", Column("content", Text, nullable=False, server_default="{}"))
    op.add_column("evidence", Column("resolved", Integer, nullable=False, server_default="0"))
    op.add_column("evidence", Column("moot_at", BigInteger))
    op.add_column("evidence", Column("follows", BigInteger))
    op.add_column("reading", Column("recorded_at", BigInteger, nullable=False, server_default="0"))
    op.add_column("reading", Column("proposals", Text))
    op.execute(text("UPDATE evidence SET content = (SELECT content FROM belief WHERE belief.id = evidence.belief_id)"))
    op.drop_column("belief", "content")
