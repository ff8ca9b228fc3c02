"""alembic's entry: runs the migrations on the connection that `migrations.upgrade` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from memoria.store.schema import tables

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables, render_as_batch=True)
context.run_migrations()
