"""Forgetting, from the wish to the receipt.

What enters: whose memory and what of it. What leaves: a `Receipt`, after the home's files were read through for what
should be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from memoria.clock import from_micros
from memoria.distill.quarantine import Quarantine, exports_of, would
from memoria.distill.registry import Registry
from memoria.extract.rejudge import Rejudge
from memoria.forget.erase import Erased, erase, finish, receipt_of
from memoria.forget.receipts import SHORTEST, broken_receipts, check_length, speakers_of, still_said
from memoria.forget.select import Taken, Wish, taken
from memoria.forget.verify import residue
from memoria.models.embeddings import Embedder
from memoria.records import Receipt, Scope
from memoria.store import embeddings, schema
from memoria.store.belief_records import row_of
from memoria.store.belief_shelf import BeliefShelves
from memoria.store.episodes import keys_of_rows, read_episodes
from memoria.store.feedback import corrections_of
from memoria.store.item_rows import items_of, read_items, searched_of
from memoria.store.items import Items
from memoria.store.keeper import IndexKeeper
from memoria.store.ledger import Ledger
from memoria.store.scopes import ScopeState, find_scope, require_scope
from memoria.store.shelf import Shelves
from memoria.store.unbelieve import belief_keys_of


class Eraser:
    """Forgets in one home; the model and the index are asked for only when they are needed."""

    def __init__(
        self,
        ledger: Ledger,
        home: Path,
        shelves: Shelves,
        beliefs: BeliefShelves,
        embedder: Callable[[], Embedder],
        keeper: Callable[[], IndexKeeper | None],
        rejudge: Rejudge,
        items: Items,
        registry: Registry,
    ) -> None:
        self._ledger, self._home, self._shelves = ledger, home, shelves
        self._beliefs, self._embedder, self._keeper = beliefs, embedder, keeper
        self._rejudge, self._items, self._registry = rejudge, items, registry

    def forget(self, scope: Scope, wish: Wish, now: int, *, dry_run: bool) -> Receipt:
        """Erase what `wish` takes; `now` is microseconds since 1970 UTC. Raises `UnknownUser`, `InvalidInput`."""
        wish.check()
        if dry_run:
            return self._would(scope, wish, now)
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            take = self._taken(connection, state, wish)
            gone = [each.text for each in read_episodes(connection, scope, state.id, take.episodes).values()]
            gone += corrections_of(connection, state.id, take.episodes).values()
            vectors = [point.vector for point in embeddings.points_of(connection, take.episodes)]
            all_ = wish.everything
            for text, vector in searched_of(connection, items_of(connection, state.id)) if all_ else ():
                gone.append(text)
                vectors.append(vector)
            erased = erase(
                connection,
                self._ledger,
                state,
                take.episodes,
                take.beliefs,
                at=now,
                everything=all_,
                rejudge=self._rejudge,
            )
        self._shelves.drop(state.id)
        self._beliefs.drop(state.id)
        self._items.forget_shelves()
        self.finish(now)
        return self._receipt(erased, scope, gone, vectors)

    def _taken(self, connection: Connection, state: ScopeState, wish: Wish) -> Taken:
        beliefs = self._beliefs.shelf(connection, state.id)
        return taken(connection, state, wish, self._shelves, beliefs, self._embedder)

    def expire(self, scope: Scope, role: str, before: int, now: int) -> Receipt | None:
        """Forget what `role` said before a time (microseconds); None where there was nothing. Raises `UnknownUser`."""
        table = schema.episode
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            where = (table.c.scope_id == state.id, table.c.role == role, table.c.occurred_at < before)
            keys = [key.hex() for key in connection.execute(select(table.c.key).where(*where)).scalars()]
        return self.forget(scope, Wish(ids=keys), now, dry_run=False) if keys else None

    def disbelieve(self, scope: Scope, ids: Sequence[str], now: int) -> Receipt | None:
        """Erase beliefs that hold no more, without the turns they came from; None where there were none."""
        if not ids:
            return None
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            shelf = self._beliefs.shelf(connection, state.id)
            rows = [same for each in ids for same in shelf.group(row_of(shelf, each))]
            # Not judged anew: what ended them stays said, and would speak of something else.
            erased = erase(connection, self._ledger, state, [], rows, at=now, everything=False, rejudge=None)
        self._beliefs.drop(state.id)
        self.finish(now)
        return self._receipt(erased, scope, [], [])

    def finish(self, now: int) -> bool:
        """Finish what an earlier process left open; whether nothing is open any more."""
        return finish(self._ledger, self._keeper(), self._registry, now)

    def verify(self, scope: Scope | None, texts: Sequence[str], *, vectors: bool) -> list[str]:
        """Where something of `texts`, or without any what a receipt named, is still there (see `Memory`)."""
        check_length(texts)
        with self._ledger.read() as connection:
            state = find_scope(connection, scope) if scope is not None else None
            whose = state.id if state is not None else None
            found = [] if texts else broken_receipts(connection, whose)
            # Somebody who is not known any more says nothing: no scope has the number 0.
            found += still_said(connection, texts, 0 if scope is not None and state is None else whose)
            speakers = {"user", "assistant", *speakers_of(connection, whose)}
            embedded = vectors and embeddings.model_of(connection) is not None
        if not texts:
            keeper = self._keeper()
            if keeper is not None and (ghosts := keeper.missing_and_ghosts()[1]):
                found.append(f"The vector index holds {len(ghosts)} turns that are gone; run: memoria reindex")
            return found
        if scope is not None:
            speakers |= {scope.user, scope.user.title()}
        heard = [f"{each}: {text}" for text in texts for each in sorted(speakers)]
        vectors_of = self._vectors(heard if embedded else ())
        return found or residue(self._ledger, self._home, texts, vectors_of, shortest=SHORTEST)

    def _vectors(self, heard: Sequence[str]) -> Sequence[NDArray[np.float32]]:
        if not heard:
            return ()
        embedder = self._embedder()
        with self._ledger.read() as connection:
            embeddings.require_model(connection, embedder.identity, embedder.dimension)
        return list(embedder.embed(heard))

    def _would(self, scope: Scope, wish: Wish, now: int) -> Receipt:
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            take = self._taken(connection, state, wish)
            found = tuple(read_episodes(connection, scope, state.id, take.episodes).values())
            rows = self._beliefs.shelf(connection, state.id).rows
            owned = items_of(connection, state.id) if wish.everything else []
            weights = self._weights(connection, state, take, wish)
            exported = exports_of(connection, weights.numbers)
            items = [
                f"{'/'.join(i.namespace)} {i.key}: {i.value}" for i in read_items(connection, owned, None).values()
            ]
        return Receipt(
            number=0,
            tenant=scope.tenant,
            user=scope.user,
            at=from_micros(now),
            episodes=len(found),
            sessions=0,
            complete=False,
            would_go=found,
            beliefs=len(take.bare),
            items=len(items),
            items_would_go=tuple(items),
            beliefs_would_go=tuple(filter(None, (rows[each].content["statement"] for each in take.bare))),
            quarantined=weights.own,
            quarantined_elsewhere=weights.others,
            serving=weights.serving,
            exported=exported,
        )

    def _weights(self, connection: Connection, state: ScopeState, take: Taken, wish: Wish) -> Quarantine:
        keys = list(map(bytes.fromhex, keys_of_rows(connection, state.id, take.episodes).values()))
        keys += belief_keys_of(connection, take.bare)
        return would(connection, self._ledger, state.id, keys, everything=wish.everything)

    def _receipt(
        self, erased: Erased, scope: Scope, gone: Sequence[str], vectors: Sequence[NDArray[np.float32]]
    ) -> Receipt:
        with self._ledger.read() as connection:
            receipt = receipt_of(connection, erased, scope)
        if not receipt.complete:
            return receipt
        left = residue(self._ledger, self._home, gone, vectors)
        return receipt.model_copy(update={"residue": tuple(left)})
