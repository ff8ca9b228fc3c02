"""A home, open: everything that the verbs work with, made when first needed and let go of together.

What enters: a folder, a model, settings, a clock. What leaves: the ledger, the caches over it, the index's keeper, the
engine that recalls, the learner that believes, the eraser that forgets.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from langchain_core.embeddings import Embeddings

from memoria.clock import Clock, to_micros, utc_now
from memoria.distill.registry import Registry
from memoria.errors import MemoriaError
from memoria.extract.learn import Learner
from memoria.extract.model import ModelExtractor
from memoria.extract.ontology import Ontology, load_ontology
from memoria.extract.proposals import Extractor
from memoria.extract.rejudge import Rejudge
from memoria.extract.rules import RulesExtractor
from memoria.forget.eraser import Eraser
from memoria.models.embeddings import Embedder, load_embeddings
from memoria.recall.engine import RecallEngine
from memoria.records import Scope
from memoria.remember.turns import check_name
from memoria.settings import Settings, default_home
from memoria.store import embeddings as vectors
from memoria.store.access import Accesses
from memoria.store.belief_shelf import BeliefShelves
from memoria.store.items import Items
from memoria.store.keeper import IndexKeeper
from memoria.store.ledger import Ledger
from memoria.store.shelf import Shelves
from memoria.trace import Events, Listener


class Home:
    """The folder `home`, made if missing, with what keeps it. See `Memory` for the arguments."""

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        embeddings: Embeddings | Embedder | str | None = None,
        settings: Settings | None = None,
        extractor: Extractor | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.home = Path(home) if home is not None else default_home()
        self.settings = settings if settings is not None else Settings.load()
        self.events = Events()
        self._clock = clock
        self._given = embeddings if embeddings is not None else self.settings.embeddings
        self._ontology = load_ontology(self.settings.folder)
        self._ledger = Ledger(self.home, self.settings.store)
        self._shelves = Shelves(self.settings.store.cache_mb)
        self._belief_shelves = BeliefShelves()
        self._accesses = Accesses(self._ledger)
        self._learner = Learner(
            self._ledger,
            self._belief_shelves,
            extractor or RulesExtractor(self._ontology, spacy=self.settings.extract.spacy),
            self._ontology,
        )
        self._reads_itself = extractor is not None
        self._lock = threading.RLock()
        self._embedder: Embedder | None = None
        self._keeper: IndexKeeper | None = None
        self._engine: RecallEngine | None = None
        self._closed = False
        self._rejudge = Rejudge(self._ledger, self._ontology)
        self._items = Items(self._ledger, lambda: self.embedder, clock, self.settings.store.cache_mb)
        self._registry = Registry(self._ledger, self.home, clock, self.settings.distil.kept)
        self._eraser = self._new_eraser()
        try:
            self._eraser.finish(to_micros(clock()))  # what a killed process left open
        except BaseException:
            self.close()
            raise

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

    @property
    def now(self) -> datetime:
        """The time, by the clock that this memory goes by."""
        return self._clock()

    @property
    def ontology(self) -> Ontology:
        """What is known of predicates, the user's own included."""
        return self._ontology

    @property
    def items(self) -> Items:
        """The items that LangGraph's store keeps in this home: see `memoria.integrations.langgraph_store`."""
        self._require_open()
        return self._items

    def on_event(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of each thing done, as an event without anybody's words (see `memoria.events`), in the thread
        that does it; what is returned ends it."""
        return self.events.subscribe(listener)

    def _new_eraser(self) -> Eraser:
        beliefs, rejudge = self._belief_shelves, self._rejudge
        return Eraser(
            self._ledger,
            self.home,
            self._shelves,
            beliefs,
            lambda: self.embedder,
            self._open_keeper,
            rejudge,
            self._items,
            self._registry,
        )

    def close(self) -> None:
        """Flush the index and let go of the home. Closing twice is no error."""
        with self._lock:
            if not self._closed:
                self._closed = True
                with contextlib.suppress(MemoriaError):  # a hint for ranking: nothing to fail a closing for
                    self._accesses.keep()
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

    def _learner_with(self, extractor: Extractor | None) -> Learner:
        """What learns by `extractor`; None: by the settings' model, unless this Memory was given an extractor."""
        if extractor is None and self.settings.extract.model is not None and not self._reads_itself:
            extractor = ModelExtractor.of(self.settings.extract, self._ontology)
        if extractor is None:
            return self._learner
        return Learner(self._ledger, self._belief_shelves, extractor, self._ontology)

    def _recaller(self) -> RecallEngine:
        with self._lock:
            if self._engine is None:
                with self._ledger.read() as connection:
                    vectors.require_model(connection, self.embedder.identity, self.embedder.dimension)
                keeper = self._open_keeper(self.embedder.dimension)
                assert keeper is not None
                self._engine = RecallEngine(
                    self._ledger,
                    keeper,
                    self._shelves,
                    self._belief_shelves,
                    self.embedder,
                    self.settings.recall,
                    self._ontology,
                )
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

    @staticmethod
    def _scope(tenant: str, user: str) -> Scope:
        return Scope(tenant=check_name("tenant", tenant), user=check_name("user", user))
