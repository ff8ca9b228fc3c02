"""Bringing a ledger to this version's tables, with alembic.

What enters: an open connection. What leaves: the same connection, its tables at `schema.HEAD`. alembic takes a third
of a second to import, so it is loaded only when a home is new or old; `revision_of` reads the stamp without it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text


def revision_of(connection: Connection) -> str | None:
    """The ledger's revision; None for a file with no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection) -> None:
    """Run every migration that `connection`'s ledger lacks, inside its transaction."""
    from alembic import command  # noqa: PLC0415  # heavy, and needed once in a home's life
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
