"""Recall, from question to context.

What enters: a question and whose memory to ask. What leaves: a `Context`. One reader's snapshot serves the whole
question: the shelf, the postings, the nearest vectors (after the index has drained the outbox) and the hits' texts, so
what was just said is found and what is gone cannot come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from memoria.clock import stopwatch, to_micros
from memoria.errors import InvalidInput
from memoria.extract.ontology import Ontology
from memoria.models.embeddings import Embedder
from memoria.recall.beliefs import Asked, BeliefIndex
from memoria.recall.budget import Written, quote_of, write_context
from memoria.recall.confidence import confidence, evidence_of
from memoria.recall.dense import Dense, score_dense
from memoria.recall.fuse import Ranking, asked_before, fuse
from memoria.recall.graph import BeliefGraph
from memoria.recall.known import View, Views, bearers_of, belief_hits, features, overridden, scored
from memoria.recall.lexical import Lexical, score_lexical
from memoria.recall.newest import newest_first
from memoria.recall.profile import REACH, Wanted, profile_hits
from memoria.recall.question import Question, read_question
from memoria.recall.request import Request
from memoria.records import BeliefHit, Context, Dropped, ProfileHit
from memoria.settings import RecallSettings
from memoria.store import schema
from memoria.store.belief_shelf import BeliefShelves
from memoria.store.episodes import Vector, keys_of_rows, read_episodes
from memoria.store.keeper import IndexKeeper
from memoria.store.ledger import Ledger
from memoria.store.scopes import ScopeState, require_scope
from memoria.store.shelf import Shelf, Shelves

_TELLING = 5  # the best turns whose beliefs are stated too
_SHOWN_BEYOND = 5  # how many that ranked below k are named among the dropped


@dataclass(frozen=True)
class Examined:
    """Everything recall worked out for a question, before any text is written."""

    shelf: Shelf
    question: Question
    ranking: Ranking
    lexical: Lexical | None
    dense: Dense | None
    view: View
    asked: Asked


class RecallEngine:
    """Answers questions over one home. Safe to share by threads."""

    def __init__(
        self,
        ledger: Ledger,
        keeper: IndexKeeper,
        shelves: Shelves,
        beliefs: BeliefShelves,
        embedder: Embedder,
        settings: RecallSettings,
        ontology: Ontology,
    ) -> None:
        self._ledger, self._keeper, self._shelves = ledger, keeper, shelves
        self._beliefs, self._views, self._ontology = beliefs, Views(ontology), ontology
        self._embedder, self._settings = embedder, settings

    def recall(self, request: Request) -> Context:
        """The context for a question. Raises `UnknownUser`."""
        begun = stopwatch()
        vector = self._vector(request.query)
        embedded = stopwatch()
        with self._ledger.read() as connection:
            state = require_scope(connection, request.scope)
            examined = self._examine(connection, state, request, vector)
            ranked = stopwatch()
            best = examined.ranking.best(request.k + _SHOWN_BEYOND)
            written = self._write(connection, state, request, examined, best)
        sure = confidence(evidence_of(examined.lexical, examined.dense, best[: request.k]))
        done = stopwatch()
        return Context(
            query=request.query,
            tenant=request.scope.tenant,
            user=request.scope.user,
            now=request.now,
            profile=written.profile,
            beliefs=written.beliefs,
            hits=written.hits,
            dropped=written.dropped,
            confidence=sure,
            known=bool(written.hits) and sure >= self._settings.known_threshold,
            budget=request.budget,
            tokens=written.tokens,
            text=written.text,
            timings={"embed": embedded - begun, "rank": ranked - embedded, "write": done - ranked},
        )

    def examine(self, request: Request) -> Examined:
        """How every turn scores for a question: for fitting weights and for explanations. Raises `UnknownUser`."""
        vector = self._vector(request.query)
        with self._ledger.read() as connection:
            return self._examine(connection, require_scope(connection, request.scope), request, vector)

    def _vector(self, query: str) -> Vector | None:
        signals = self._settings.signals
        return self._embedder.embed_query(query) if signals.dense or signals.dense_window else None

    def _examine(self, connection: Connection, state: ScopeState, request: Request, vector: Vector | None) -> Examined:
        signals = self._settings.signals
        shelf = self._shelves.shelf(connection, state)
        question = read_question(request.query, request.now, shelf.speakers)
        mask = self._mask(connection, state, shelf, request)
        dense = lexical = None
        if (signals.lexical or signals.lexical_window) and mask.any():
            shelf.learn(connection, state.id, question.terms)
            lexical = score_lexical(shelf, mask, question.terms)
            asked = asked_before(shelf, question, lexical)
            if asked.any():
                mask = mask & ~asked
                lexical = score_lexical(shelf, mask, question.terms)
        if vector is not None and mask.any():
            limit, now = max(self._settings.candidates, request.k), to_micros(request.now)
            # A filter by time costs more than the search itself: only where something lies in the future.
            before = now if int(shelf.occurred.max()) > now else None
            found = self._keeper.search(connection, vector, scope_id=state.id, limit=limit, before=before)
            dense = score_dense(shelf, mask, found)
        view = self.view(connection, state.id, request)
        asked = view.index.ask(request.query, question.terms)
        at = to_micros(request.at or request.now)
        known = features(view, asked, shelf, question, dense, signals, at)
        ranking = fuse(shelf, mask, question, lexical, dense, signals, known)
        return Examined(shelf, question, ranking, lexical, dense, view, asked)

    def view(self, connection: Connection, scope_id: int, request: Request) -> View:
        """The person's beliefs: all of them, or what had been recorded by `as_of`."""
        shelf = self._beliefs.shelf(connection, scope_id)
        if request.as_of is None:
            return self._views.view(scope_id, shelf)
        then = shelf.as_of(to_micros(request.as_of))
        return View(then, BeliefIndex(then, self._ontology), BeliefGraph(then))

    def drop(self, scope_id: int) -> None:
        """Let go of what is kept of a person between questions."""
        self._views.drop(scope_id)

    def _mask(self, connection: Connection, state: ScopeState, shelf: Shelf, request: Request) -> NDArray[np.bool_]:
        mask = shelf.occurred <= to_micros(request.now)
        if request.as_of is not None:
            mask &= shelf.recorded <= to_micros(request.as_of)
        if request.session is not None:
            table = schema.session
            where = (table.c.scope_id == state.id, table.c.name == request.session)
            number = connection.execute(select(table.c.id).where(*where)).scalar()
            if number is None:
                raise InvalidInput(
                    f"User {request.scope.user!r} has no session {request.session!r}; "
                    "leave `session` out to search all."
                )
            mask &= shelf.sessions[shelf.session] == number
        return mask

    def _write(
        self,
        connection: Connection,
        state: ScopeState,
        request: Request,
        examined: Examined,
        best: NDArray[np.int64],
    ) -> Written:
        shelf, ranking = examined.shelf, examined.ranking
        rows = [int(shelf.ids[place]) for place in best]
        episodes = read_episodes(connection, request.scope, state.id, rows)
        found = [
            (
                episodes[row],
                float(sum(signals.values())),
                signals,
                quote_of(episodes[row].text, examined.question.terms, self._settings.quote_chars),
            )
            for row, signals in ((row, ranking.signals(int(place))) for row, place in zip(rows, best, strict=True))
            if row in episodes
        ]
        over = overridden(examined.view, rows)
        names = {row: episode.id for row, episode in episodes.items()}
        by_name = {names[row]: frozenset(names[n] for n in newer if n in names) for row, newer in over.items()}
        idf = examined.lexical.idf if examined.lexical else {}
        found = newest_first(found, examined.question, idf, by_name)
        stated = self._stated(connection, state, request, examined)
        lines = self._profile(connection, state, request, examined, stated)
        written = write_context(stated, found[: request.k], request.budget, lines)
        below = tuple(
            Dropped(episode_id=each[0].id, reason=f"ranked {rank}, k is {request.k}")
            for rank, each in enumerate(found[request.k :], request.k + 1)
        )
        return replace(written, dropped=written.dropped + below)

    def _profile(
        self,
        connection: Connection,
        state: ScopeState,
        request: Request,
        examined: Examined,
        stated: Sequence[BeliefHit],
    ) -> list[ProfileHit]:
        """The lines of the profile that are wanted; none of the past's, which the newest version does not tell."""
        if not request.profile or request.session is not None or request.as_of is not None or request.at is not None:
            return []
        idf = examined.lexical.idf if examined.lexical else {}
        best = examined.ranking.best(request.k * REACH)
        wanted = Wanted(
            asked=examined.asked,
            words={term: idf.get(term, 1.0) for term in examined.question.terms},
            best=tuple(int(examined.shelf.ids[place]) for place in best),
            at=to_micros(request.now),
            stated={hit.belief.id for hit in stated},
        )
        return profile_hits(connection, examined.view.shelf, request.scope, state.id, wanted)

    def _stated(
        self, connection: Connection, state: ScopeState, request: Request, examined: Examined
    ) -> list[BeliefHit]:
        """The beliefs that the context states; none where the signal is off or one session alone is asked."""
        if not self._settings.signals.belief or request.session is not None:
            return []
        best = [int(examined.shelf.ids[place]) for place in examined.ranking.best(_TELLING)]
        scores = scored(examined.view, examined.asked, best)
        ids = keys_of_rows(connection, state.id, bearers_of(examined.view, scores))
        at = to_micros(request.at or request.now)
        return belief_hits(examined.view, examined.asked, scores, request.scope, at, ids)
