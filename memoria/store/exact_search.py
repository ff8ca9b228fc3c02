"""The exact index over a ledger's own vectors.

What enters: a ledger. What leaves: an `ExactIndex` that reads it, each time in a snapshot of its own. It serves the
processes that do not hold the index lock, and homes that want no second store.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select

from memoria.store import embeddings, schema
from memoria.store.ledger import Ledger
from memoria.store.vectors.exact import ExactIndex, Matrix

_REVISION = select(schema.scope.c.last_id, schema.scope.c.revision).where(schema.scope.c.id == bindparam("of_scope"))


def exact_over(ledger: Ledger, limit_mb: int) -> ExactIndex:
    """An exact index that keeps at most `limit_mb` megabytes of the vectors asked for last."""

    def load(scope_id: int) -> Matrix:
        with ledger.read() as connection:
            return embeddings.matrix_of(connection, scope_id)

    def revision(scope_id: int) -> object:
        with ledger.read() as connection:
            row = connection.execute(_REVISION, {"of_scope": scope_id}).first()
        return None if row is None else tuple(row)

    def all_ids() -> set[int]:
        with ledger.read() as connection:
            return embeddings.all_ids(connection)

    return ExactIndex(load=load, revision=revision, all_ids=all_ids, limit_mb=limit_mb)
