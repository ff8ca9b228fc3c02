"""Beliefs as a signal for turns, and as hits of their own.

What enters: a person's belief shelf, a question, the columns of their turns. What leaves: features for the ranking
(turns that bear out what is asked, turns near to it in the graph), and the beliefs to state in the context.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memoria.extract.ontology import Ontology
from memoria.recall.beliefs import Asked, BeliefIndex
from memoria.recall.dense import Dense
from memoria.recall.graph import BeliefGraph
from memoria.recall.question import Question
from memoria.records import BeliefHit, Scope
from memoria.settings import Signals
from memoria.store.belief_records import belief_of
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.shelf import Shelf

Floats = NDArray[np.float32]

_MOST = 8  # beliefs stated in a context
_ENOUGH = 0.34  # a belief that shares less of the question's words is left unsaid


@dataclass(frozen=True)
class View:
    """A shelf with what is built over it once."""

    shelf: BeliefShelf
    index: BeliefIndex
    graph: BeliefGraph


class Views:
    """The views of the shelves asked about last. Safe to share by threads."""

    def __init__(self, ontology: Ontology, most: int = 64) -> None:
        self._ontology, self._most = ontology, most
        self._lock = threading.Lock()
        self._held: OrderedDict[int, View] = OrderedDict()

    def view(self, scope_id: int, shelf: BeliefShelf) -> View:
        """The view over `shelf`."""
        with self._lock:
            held = self._held.get(scope_id)
            if held is not None and held.shelf is shelf:
                self._held.move_to_end(scope_id)
                return held
        view = View(shelf, BeliefIndex(shelf, self._ontology), BeliefGraph(shelf))
        with self._lock:
            self._held[scope_id] = view
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return view

    def drop(self, scope_id: int) -> None:
        """Let go of a person's view."""
        with self._lock:
            self._held.pop(scope_id, None)


def features(
    view: View, asked: Asked, shelf: Shelf, question: Question, dense: Dense | None, signals: Signals, at: int
) -> dict[str, Floats]:
    """The features (n,) that beliefs give to the turns on `shelf`, by name."""
    found: dict[str, Floats] = {}
    if signals.belief and view.shelf.rows:
        found |= _belief_features(view, asked, shelf, dense, at)
    if signals.graph and len(view.graph):
        found["graph.near"] = _near(view, asked, shelf)
    return found


def _belief_features(view: View, asked: Asked, shelf: Shelf, dense: Dense | None, at: int) -> dict[str, Floats]:
    bears, direct = (np.zeros(len(shelf), dtype=np.float32) for _ in range(2))
    for head, score in asked.scores.items():
        places, _ = _bearers(view.shelf, head, shelf, at)
        bears[places] = np.maximum(bears[places], min(score, 1.0))
        if head in asked.direct:
            direct[places] = 1.0
    found = {"belief.bears": bears, "belief.direct": direct}
    if asked.advice:
        taste = np.zeros(len(shelf), dtype=np.float32)
        for head in view.index.preferences():
            places, holds = _bearers(view.shelf, head, shelf, at)
            if holds and len(places):
                taste[places] = 1.0
        found["belief.taste"] = taste
        if dense is not None and taste.any():
            near = dense.turn[taste > 0]
            low, high = float(near.min()), float(near.max())
            spread = np.clip((dense.turn - low) / np.float32(max(high - low, 1e-6)), 0, 1)
            found["belief.taste_near"] = (taste * spread).astype(np.float32)
    return {name: values.astype(np.float32) for name, values in found.items()}


def _bearers(beliefs: BeliefShelf, head: int, shelf: Shelf, at: int) -> tuple[NDArray[np.int32], bool]:
    """Where on the shelf the turns stand that affirm a belief, and whether it holds at `at`."""
    standing = beliefs.state(beliefs.slot_of(head)).standings.get(head)
    if standing is None or not standing.periods:
        return np.empty(0, dtype=np.int32), False
    ids = [p.episode for p in standing.pieces if p.episode is not None and p.act in ("affirm", "change")]
    places, present = shelf.places(np.array(ids, dtype=np.int64))
    return places[present], standing.covers(at)


def _near(view: View, asked: Asked, shelf: Shelf) -> Floats:
    near = np.zeros(len(shelf), dtype=np.float32)
    heads = [head for head in asked.direct if head in view.shelf.rows]
    seeds = set(asked.targets) | {view.shelf.canonical(view.shelf.rows[head].object) for head in heads}
    ids, shares = view.graph.near(seeds)
    if len(ids):
        places, present = shelf.places(ids)
        near[places[present]] = shares[present]
    top = float(near.max()) if len(near) else 0.0
    return near / np.float32(top) if top > 0 else near


def overridden(view: View, episodes: Iterable[int]) -> dict[int, set[int]]:
    """For each turn (row id) the later turns that ended, corrected or shook what it said."""
    found: dict[int, set[int]] = {}
    for row in episodes:
        for head in view.index.borne_by((row,)):
            slot = view.shelf.slot_of(head)
            standing = view.shelf.state(slot).standings.get(head)
            if standing is None:
                continue
            said = max((p.said for p in standing.pieces if p.episode == row), default=0)
            ended = {period.ended_by for period in standing.periods if period.ended_by is not None}
            for number in view.shelf.slots[slot]:
                for bearing in view.shelf.bearings.get(number, ()):
                    piece = bearing.piece
                    mine = piece.belief == head or view.shelf.same.get(piece.belief) == head or piece.anything
                    shakes = piece.number in ended or (mine and piece.act in ("end", "deny", "doubt"))
                    if shakes and piece.episode is not None and piece.retracted is None and piece.said > said:
                        found.setdefault(row, set()).add(piece.episode)
    return found


def scored(view: View, asked: Asked, best: Sequence[int]) -> dict[int, float]:
    """The beliefs that bear on the question, and those that its best turns (row ids) bear out, with their scores."""
    scores = dict(asked.scores)
    for head in view.index.borne_by(best):
        scores[head] = max(scores.get(head, 0.0), _ENOUGH)
    return scores


def belief_hits(
    view: View, asked: Asked, scores: dict[int, float], scope: Scope, at: int, ids: dict[int, str]
) -> list[BeliefHit]:
    """The beliefs of `scores` to state, current ones first, the best of each first; `ids` name episodes by row id."""
    ordered = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
    current: list[BeliefHit] = []
    retired: list[BeliefHit] = []
    for head, score in ordered:
        if score < _ENOUGH and head not in asked.direct:
            continue
        belief = belief_of(view.shelf, head, scope, at)
        if belief.status in ("retracted", "upcoming") or not belief.statement:
            continue
        standing = view.shelf.state(view.shelf.slot_of(head)).standings[head]
        borne = tuple(ids[p.episode] for p in standing.pieces if p.episode is not None and p.episode in ids)
        hit = BeliefHit(belief=belief, score=score, direct=head in asked.direct, episode_ids=borne)
        (current if belief.status == "current" else retired).append(hit)
        if len(current) >= _MOST:
            break
    return (current + retired)[:_MOST]


def bearers_of(view: View, heads: Iterable[int]) -> Sequence[int]:
    """The row ids of the episodes that bear on the beliefs `heads`."""
    found: set[int] = set()
    for head in heads:
        standing = view.shelf.state(view.shelf.slot_of(head)).standings.get(head)
        found.update(p.episode for p in (standing.pieces if standing else ()) if p.episode is not None)
    return sorted(found)
