"""Forgetting, from the wish to the receipt.

What enters: whose memory and what of it. What leaves: a `Receipt`, after the home's files were read through for what
should be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memoria.clock import from_micros
from memoria.forget.erase import erase, finish, receipt_of
from memoria.forget.select import Wish, wished
from memoria.forget.verify import residue
from memoria.models.embeddings import Embedder
from memoria.records import Episode, Receipt, Scope
from memoria.store import embeddings
from memoria.store.episodes import read_episodes
from memoria.store.keeper import IndexKeeper
from memoria.store.ledger import Ledger
from memoria.store.scopes import require_scope
from memoria.store.shelf import Shelves


class Eraser:
    """Forgets in one home; the model and the index are asked for only when they are needed."""

    def __init__(
        self,
        ledger: Ledger,
        home: Path,
        shelves: Shelves,
        embedder: Callable[[], Embedder],
        keeper: Callable[[], IndexKeeper | None],
    ) -> None:
        self._ledger, self._home, self._shelves = ledger, home, shelves
        self._embedder, self._keeper = embedder, keeper

    def forget(self, scope: Scope, wish: Wish, now: int, *, dry_run: bool) -> Receipt:
        """Erase what `wish` takes; `now` is microseconds since 1970 UTC. Raises `UnknownUser`, `InvalidInput`."""
        wish.check()
        if dry_run:
            return self._would(scope, wish, now)
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            ids = wished(connection, state, wish, self._shelves, self._embedder)
            gone = list(read_episodes(connection, scope, state.id, ids).values())
            vectors = [point.vector for point in embeddings.points_of(connection, ids)]
            number = erase(connection, state, ids, at=now, everything=wish.everything)
        self._shelves.drop(state.id)
        finish(self._ledger, self._keeper(), now)
        return self._receipt(number, scope, gone, vectors)

    def finish(self, now: int) -> bool:
        """Finish what an earlier process left open; whether nothing is open any more."""
        return finish(self._ledger, self._keeper(), now)

    def _would(self, scope: Scope, wish: Wish, now: int) -> Receipt:
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            ids = wished(connection, state, wish, self._shelves, self._embedder)
            found = tuple(read_episodes(connection, scope, state.id, ids).values())
        return Receipt(
            number=0,
            tenant=scope.tenant,
            user=scope.user,
            at=from_micros(now),
            episodes=len(found),
            sessions=0,
            complete=False,
            would_go=found,
        )

    def _receipt(
        self, number: int, scope: Scope, gone: Sequence[Episode], vectors: Sequence[NDArray[np.float32]]
    ) -> Receipt:
        with self._ledger.read() as connection:
            receipt = receipt_of(connection, number, scope)
        if not receipt.complete:
            return receipt
        left = residue(self._ledger, self._home, [episode.text for episode in gone], vectors)
        return receipt.model_copy(update={"residue": tuple(left)})
