"""Memory: the verbs, over one home.

What enters: turns and questions, each with whose they are. What leaves: episodes and contexts. A `Memory` may be used
by many threads; several processes may each open one on the same home; none survives `fork()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from memoria.clock import to_micros
from memoria.distilling import Distilling
from memoria.events import ForgetEvent, ReadEvent, RecallEvent, WriteEvent
from memoria.forget.select import Wish
from memoria.recall.engine import Examined
from memoria.recall.explain import explain_turn
from memoria.recall.request import Request
from memoria.records import Context, Episode, Receipt, Trust, TurnExplanation
from memoria.remember.ingest import Delivery, Progress, ingest
from memoria.remember.turns import check_name, to_turns
from memoria.store import health
from memoria.store.reembed import reembed
from memoria.store.scopes import require_scope
from memoria.trace import traced

ASKED = 0.5  # a belief's score above which a question counts as asking for it


class Memory(Distilling):
    """The memory kept in the folder `home`, made if missing (None: `$MEMORIA_HOME`, else the platform's data folder).

    Args:
        embeddings: any LangChain `Embeddings`, an `Embedder`, or a name (see `load_embeddings`); None takes the
            settings' name, else the offline default. It is loaded on first need.
        extractor: what reads facts and preferences out of turns; None is the rules, which need no model. With one that
            calls a model, `remember` waits for it, and keeps nothing if it fails: see `extract.model` in the settings.
        settings: all knobs; None reads `$MEMORIA_CONFIGS` where that is set.
        clock: what tells the time; for tests.

    Raises:
        CorruptHome, HomeTooNew, StoreError: the home cannot be used.
    """

    @traced(WriteEvent)
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
            scope=self._scope(tenant, user),
            turns=to_turns(turns, max_chars=self.settings.store.max_chars),
            session=session,
            trust=trust,
            idempotency_key=idempotency_key,
            now=self._clock(),
        )
        reader = self._learner if self.settings.extract.on_write else None
        return ingest(self._ledger, self.embedder, delivery, reader, progress)

    @traced(RecallEvent)
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
        at: datetime | None = None,
        profile: bool | None = None,
        tenant: str = "default",
    ) -> Context:
        """The turns that answer `query`, best first, as a context for a prompt.

        Args:
            query: a question, in words.
            k, budget: at most so many hits, and tokens of text; None takes the settings'.
            now: the moment the question is asked (aware; None: the clock's); nothing said later is used.
            session: only this session.
            as_of: only what had been recorded by then (aware).
            at: beliefs as they were true on that day (aware; None: now).
            profile: whether lines of the person's profile are stated too, within the same budget; None: the settings'.

        Raises:
            UnknownUser: nothing was ever remembered for that person.
            InvalidInput, EmbeddingMismatch, IndexUnavailable, StoreBusy.
        """
        request = self._request(query, user, tenant, k, budget, now, session, as_of, at)
        request = replace(request, profile=self.settings.recall.profile if profile is None else profile)
        context = self._recaller().recall(request)
        asked = [hit.belief.id for hit in context.beliefs if hit.direct or hit.score > ASKED]
        self._accesses.note(request.scope, asked, to_micros(self._clock()))
        return context

    @traced(ReadEvent)
    def examine(self, query: str, *, user: str, tenant: str = "default", now: datetime | None = None) -> Examined:
        """How every turn of the person scores for `query`: for fitting weights and for inspectors."""
        return self._recaller().examine(self._request(query, user, tenant, None, None, now, None, None, None))

    @traced(ReadEvent)
    def explain_turn(self, episode_id: str, *, user: str, tenant: str = "default") -> TurnExplanation:
        """What became of a turn: the beliefs it bears on, and whether contexts withhold it. Raises `UnknownBelief`."""
        self._require_open()
        scope = self._scope(tenant, user)
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            shelf = self._belief_shelves.shelf(connection, state.id)
            return explain_turn(connection, shelf, episode_id, scope, state.id)

    @traced(ForgetEvent)
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
        return self._eraser.forget(self._scope(tenant, user), wish, to_micros(self._clock()), dry_run=dry_run)

    @traced(ReadEvent)
    def verify_forgotten(
        self, texts: Sequence[str] = (), *, user: str | None = None, tenant: str = "default", vectors: bool = True
    ) -> list[str]:
        """Where something that should be gone is still there, each place in a sentence; empty when all is gone.

        With `texts`, every byte of the home is read for them and, with `vectors`, for their embeddings; what another
        person says in their own memory is no fault where a `user` is named. Without, every receipt (of `user`, where
        they are still known) is checked: log unbroken, nothing it named is back, no erasure unfinished.

        Raises:
            InvalidInput: a text is too short to be told from chance.
            ModelUnavailable, EmbeddingMismatch: the vectors cannot be looked for; with `vectors=False` texts still can.
        """
        self._require_open()
        return self._eraser.verify(self._scope(tenant, user) if user is not None else None, texts, vectors=vectors)

    @traced(ReadEvent)
    def status(self) -> dict[str, Any]:
        """What the home holds and how its index stands, as plain values; no one's words."""
        self._require_open()
        report = health.summary(self._ledger, self.home)
        keeper = self._open_keeper()
        report["index"] = keeper.status() if keeper is not None else None
        return report

    @traced(ReadEvent)
    def verify(self) -> list[str]:
        """Check the whole home: index against ledger, lexicon, embeddings, event log, adapters. Each fault in a
        sentence."""
        self._require_open()
        faults = [*health.faults(self._ledger), *self._registry.faults()]
        keeper = self._open_keeper()
        if keeper is not None:
            missing, ghosts = keeper.missing_and_ghosts()
            if missing:
                faults.append(f"The vector index lacks {len(missing)} episodes; run: memoria reindex")
            if ghosts:
                faults.append(f"The vector index holds {len(ghosts)} episodes that are gone; run: memoria reindex")
        return faults

    @traced(WriteEvent)
    def reindex(self) -> None:
        """Build the vector index anew from the ledger. Raises `IndexUnavailable` when another process holds it."""
        self._require_open()
        keeper = self._open_keeper()
        if keeper is not None:
            keeper.rebuild()

    @traced(WriteEvent)
    def reembed(self, progress: Progress | None = None) -> int:
        """Embed every episode again with this Memory's model and rebuild the index; how many there were."""
        self._require_open()
        count = reembed(self._ledger, self.embedder, progress)
        with self._lock:
            self._let_go()
        self.reindex()
        return count

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
        at: datetime | None,
    ) -> Request:
        self._require_open()
        defaults = self.settings.recall
        request = Request(
            query=query,
            scope=self._scope(tenant, user),
            k=defaults.k if k is None else k,
            budget=defaults.budget if budget is None else budget,
            now=now or self._clock(),
            session=session,
            as_of=as_of,
            at=at,
        )
        return request.checked(self.settings.store.max_chars)
