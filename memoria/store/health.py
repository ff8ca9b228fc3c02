"""What a home holds, and whether all of it holds together.

What enters: a ledger. What leaves: counts for a status page, and faults, each in a sentence with the next step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from memoria.store import embeddings, schema
from memoria.store.dialect import dialect_of
from memoria.store.events import verify_chain
from memoria.store.files import size_on_disk
from memoria.store.ledger import Ledger
from memoria.store.schema_items import item


def summary(ledger: Ledger, home: Path) -> dict[str, Any]:
    """Counts, the embedding model and the size on disk (bytes)."""
    with ledger.read() as connection:
        model = embeddings.model_of(connection)
        return {
            "home": str(home),
            "revision": schema.HEAD,
            "people": _count(connection, schema.scope),
            "sessions": _count(connection, schema.session),
            "episodes": _count(connection, schema.episode),
            "items": _count(connection, item),
            "events": _count(connection, schema.event),
            "embedding_model": model[0] if model else None,
            "dimension": model[1] if model else None,
            "bytes": size_on_disk(home),
        }


def faults(ledger: Ledger) -> list[str]:
    """What does not hold together in the ledger; empty when all does."""
    found: list[str] = []
    with ledger.read() as connection:
        episodes, vectors = _count(connection, schema.episode), embeddings.count(connection)
        lexicon = dialect_of(connection).lexicon_count(connection)
        broken = verify_chain(connection)
    if vectors != episodes:
        found.append(f"{episodes} episodes have {vectors} embeddings; restore the home from a backup.")
    if lexicon != episodes:
        found.append(f"{episodes} episodes have {lexicon} rows of words; restore the home from a backup.")
    if broken is not None:
        found.append(f"The event log does not hold from event {broken} on: somebody changed it outside memoria.")
    with ledger.write() as connection:  # the lexicon's own check is spelt as a write
        dialect_of(connection).check_lexicon(connection)
    return found


def _count(connection: Connection, table: Any) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
