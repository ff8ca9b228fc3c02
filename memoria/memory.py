"""Memory: the verbs, over one home.

What enters: turns and questions, each with whose they are. What leaves: episodes and contexts. A `Memory` may be used
by many threads; several processes may each open one on the same home; none survives `fork()`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from langchain_core.embeddings import Embeddings

from memoria.clock import Clock, to_micros, utc_now
from memoria.errors import MemoriaError
from memoria.forget.eraser import Eraser
from memoria.forget.select import Wish
from memoria.models.embeddings import Embedder, load_embeddings
from memoria.recall.engine import Examined, RecallEngine
from memoria.recall.request import Request
from memoria.records import Context, Episode, Receipt, Scope, Trust
from memoria.remember.ingest import Delivery, Progress, ingest
from memoria.remember.turns import check_name, to_turns
from memoria.settings import Settings, default_home
from memoria.store import embeddings as vectors
from memoria.store import health
from memoria.store.keeper import IndexKeeper
from memoria.store.ledger import Ledger
from memoria.store.reembed import reembed
from memoria.store.shelf import Shelves


class Memory:
    """The memory kept in the folder `home`, made if missing (None: `$MEMORIA_HOME`, else the platform's data folder).

    Args:
        embeddings: any LangChain `Embeddings`, an `Embedder`, or a name (see `load_embeddings`); None takes the
            settings' name, else the offline default. It is loaded on first need.
        settings: all knobs; None reads `$MEMORIA_CONFIGS` where that is set.
        clock: what tells the time; for tests.

    Raises:
        CorruptHome, HomeTooNew, StoreError: the home cannot be used.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        embeddings: Embeddings | Embedder | str | None = None,
        settings: Settings | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.home = Path(home) if home is not None else default_home()
        self.settings = settings if settings is not None else Settings.load()
        self._clock = clock
        self._given = embeddings if embeddings is not None else self.settings.embeddings
        self._ledger = Ledger(self.home, self.settings.store)
        self._shelves = Shelves(self.settings.store.cache_mb)
        self._lock = threading.RLock()
        self._embedder: Embedder | None = None
        self._keeper: IndexKeeper | None = None
        self._engine: RecallEngine | None = None
        self._closed = False
        self._eraser = Eraser(self._ledger, self.home, self._shelves, lambda: self.embedder, self._open_keeper)
        try:
            self._eraser.finish(to_micros(clock()))  # what a killed process left open
        except BaseException:
            self.close()
            raise

    def remember(
        self,
        turns: Any,
        *,
        user: str,
        session: str | None = None,
        tenant: str = "default",
        trust: Trust | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> list[Episode]:
        """Keep turns, all in one unit of work, and return the episodes that were new.

        Args:
            turns: one or many of: `Turn`, LangChain message, dict, str (see `memoria.remember.turns`).
            session: the session of turns that name none; None is the day of the turn.
            trust: whose words these are; None goes by each turn's role.
            idempotency_key: a delivery with a key that this user's memory has seen keeps nothing.
            progress: called with (done, all) while turns are embedded.

        Raises:
            InvalidInput: names the turn that cannot be taken; nothing was written.
            EmbeddingMismatch, StorageFull, StoreBusy: nothing was written.
        """
        self._require_open()
        if session is not None:
            check_name("session", session)
        if idempotency_key is not None:
            check_name("idempotency_key", idempotency_key)
        delivery = Delivery(
            scope=_scope(tenant, user),
            turns=to_turns(turns, max_chars=self.settings.store.max_chars),
            session=session,
            trust=trust,
            idempotency_key=idempotency_key,
            now=self._clock(),
        )
        return ingest(self._ledger, self.embedder, delivery, progress)

    def recall(
        self,
        query: str,
        *,
        user: str,
        k: int | None = None,
        budget: int | None = None,
        now: datetime | None = None,
        session: str | None = None,
        as_of: datetime | None = None,
        tenant: str = "default",
    ) -> Context:
        """The turns that answer `query`, best first, as a context for a prompt.

        Args:
            query: a question, in words.
            k, budget: at most so many hits, and tokens of text; None takes the settings'.
            now: the moment the question is asked (aware; None: the clock's); nothing said later is used.
            session: only this session.
            as_of: only what had been recorded by then (aware).

        Raises:
            UnknownUser: nothing was ever remembered for that person.
            InvalidInput, EmbeddingMismatch, IndexUnavailable, StoreBusy.
        """
        request = self._request(query, user, tenant, k, budget, now, session, as_of)
        return self._recaller().recall(request)

    def examine(self, query: str, *, user: str, tenant: str = "default", now: datetime | None = None) -> Examined:
        """How every turn of the person scores for `query`: for fitting weights and for inspectors."""
        return self._recaller().examine(self._request(query, user, tenant, None, None, now, None, None))

    def forget(
        self,
        *,
        user: str,
        tenant: str = "default",
        ids: Sequence[str] | None = None,
        query: str | None = None,
        session: str | None = None,
        before: datetime | None = None,
        everything: bool = False,
        dry_run: bool = False,
    ) -> Receipt:
        """Forget for good, from the ledger and from every byte of the home's files.

        Args:
            user, tenant: whose memory.
            ids, query, session, before, everything: exactly one: these episodes; what mentions all the query's words
                or means nearly the same; a whole session; what was said before a time; all of the person.
            dry_run: only show what would go, in the receipt's `would_go`.

        A receipt with `complete=False` means that another process is reading the home: what was forgotten is recalled
        no more, and its bytes go when that process, or the next opening, finishes.

        Raises:
            UnknownUser, InvalidInput: nothing was forgotten.
        """
        self._require_open()
        wish = Wish(ids, query, session, before, everything)
        return self._eraser.forget(_scope(tenant, user), wish, to_micros(self._clock()), dry_run=dry_run)

    def status(self) -> dict[str, Any]:
        """What the home holds and how its index stands, as plain values; no one's words."""
        self._require_open()
        report = health.summary(self._ledger, self.home)
        keeper = self._open_keeper()
        report["index"] = keeper.status() if keeper is not None else None
        return report

    def verify(self) -> list[str]:
        """Check the whole home: index against ledger, lexicon, embeddings, event log. Each fault in a sentence."""
        self._require_open()
        faults = health.faults(self._ledger)
        keeper = self._open_keeper()
        if keeper is not None:
            missing, ghosts = keeper.missing_and_ghosts()
            if missing:
                faults.append(f"The vector index lacks {len(missing)} episodes; run: memoria reindex")
            if ghosts:
                faults.append(f"The vector index holds {len(ghosts)} episodes that are gone; run: memoria reindex")
        return faults

    def reindex(self) -> None:
        """Build the vector index anew from the ledger. Raises `IndexUnavailable` when another process holds it."""
        self._require_open()
        keeper = self._open_keeper()
        if keeper is not None:
            keeper.rebuild()

    def reembed(self, progress: Progress | None = None) -> int:
        """Embed every episode again with this Memory's model and rebuild the index; how many there were."""
        self._require_open()
        count = reembed(self._ledger, self.embedder, progress)
        with self._lock:
            self._let_go()
        self.reindex()
        return count

    @property
    def embedder(self) -> Embedder:
        """The embedding model, loaded on first use. Raises `ModelUnavailable`."""
        with self._lock:
            if self._embedder is None:
                given = self._given
                self._embedder = (
                    given if isinstance(given, Embedder) else load_embeddings(given, self.settings.cache_dir)
                )
            return self._embedder

    def close(self) -> None:
        """Flush the index and let go of the home. Closing twice is no error."""
        with self._lock:
            if not self._closed:
                self._closed = True
                try:
                    self._let_go()
                finally:
                    self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request(
        self,
        query: str,
        user: str,
        tenant: str,
        k: int | None,
        budget: int | None,
        now: datetime | None,
        session: str | None,
        as_of: datetime | None,
    ) -> Request:
        self._require_open()
        defaults = self.settings.recall
        request = Request(
            query=query,
            scope=_scope(tenant, user),
            k=defaults.k if k is None else k,
            budget=defaults.budget if budget is None else budget,
            now=now or self._clock(),
            session=session,
            as_of=as_of,
        )
        return request.checked(self.settings.store.max_chars)

    def _recaller(self) -> RecallEngine:
        with self._lock:
            if self._engine is None:
                with self._ledger.read() as connection:
                    vectors.require_model(connection, self.embedder.identity, self.embedder.dimension)
                keeper = self._open_keeper(self.embedder.dimension)
                assert keeper is not None
                self._engine = RecallEngine(self._ledger, keeper, self._shelves, self.embedder, self.settings.recall)
            return self._engine

    def _open_keeper(self, dimension: int | None = None) -> IndexKeeper | None:
        """The index's keeper; None as long as the home holds no vector and so has no dimension yet."""
        with self._lock:
            if self._keeper is None:
                with self._ledger.read() as connection:
                    held = vectors.model_of(connection)
                size = held[1] if held is not None else dimension
                if size is None:
                    return None
                self._keeper = IndexKeeper(self.home, self._ledger, self.settings.store, size)
            return self._keeper

    def _let_go(self) -> None:
        keeper, self._keeper, self._engine = self._keeper, None, None
        if keeper is not None:
            keeper.close()

    def _require_open(self) -> None:
        if self._closed:
            raise MemoriaError(f"This Memory on {self.home} is closed; open a new one.")


def _scope(tenant: str, user: str) -> Scope:
    return Scope(tenant=check_name("tenant", tenant), user=check_name("user", user))
