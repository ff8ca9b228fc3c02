"""The first ledger: episodes, their embeddings and terms, outbox, index state, events."""

from __future__ import annotations

from alembic import op

from memoria.store.dialect import dialect_of
from memoria.store.schema import tables

revision = "0001"
down_revision = None

_NAMES = "meta counter scope session episode embedding idempotency outbox index_state erasure event".split()


def upgrade() -> None:
    """Create every table of the first version."""
    connection = op.get_bind()
    tables.create_all(connection, tables=[tables.tables[name] for name in _NAMES])
    dialect_of(connection).create_lexicon(connection)
