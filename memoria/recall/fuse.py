"""One score for each turn: a sum of signals, each by its weight.

What enters: the lexical and dense scores and the question. What leaves: a `Ranking`, from which the best turns and
what each signal gave them can be read; what the signals gave always sums to the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memoria.recall.dense import Dense
from memoria.recall.lexical import Lexical
from memoria.recall.question import Question
from memoria.recall.weights import LONG_ENOUGH, STANDS_ALONE, WEIGHTS
from memoria.records import ROLES
from memoria.settings import Signals
from memoria.store.episodes import HAS_DIGIT, HAS_QUESTION
from memoria.store.shelf import Shelf

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SPEAKER_TERMS = 2  # a speaker's name is searched with the turn
_ALL_OF_IT = 0.999

_USER, _ASSISTANT = ROLES.index("user"), ROLES.index("assistant")


@dataclass(frozen=True)
class Ranking:
    """`features` by name, each (n,); `score` (n,) is their weighted sum; `candidate` (n,) marks what may be a hit."""

    features: dict[str, Floats]
    score: Floats
    candidate: Mask

    def best(self, limit: int) -> NDArray[np.int64]:
        """The places of the best `limit` candidates, best first (ties in the order they were said)."""
        places = np.flatnonzero(self.candidate)
        scores = self.score[places]
        if len(places) > limit:
            cut = np.partition(scores, len(scores) - limit)[len(scores) - limit]
            places, scores = places[scores >= cut], scores[scores >= cut]
        return places[np.argsort(-scores, kind="stable")][:limit]

    def signals(self, place: int) -> dict[str, float]:
        """What each signal gave the turn at `place`; the sum is its score."""
        given: dict[str, float] = {}
        for name, values in self.features.items():
            signal = name.split(".")[0]
            given[signal] = given.get(signal, 0.0) + WEIGHTS[name] * float(values[place])
        return given


def fuse(
    shelf: Shelf,
    mask: Mask,
    question: Question,
    lexical: Lexical | None,
    dense: Dense | None,
    signals: Signals,
    known: dict[str, Floats] | None = None,
) -> Ranking:
    """Rank the turns of `shelf` under `mask`. A signal that is switched off, or has no scores (None), gives nothing.

    `known` are features (n,) from beliefs; a turn that has any is a candidate.
    """
    features: dict[str, Floats] = dict(known or {})
    candidate = np.zeros(len(shelf), dtype=np.bool_)
    alone: Floats = (1 / (1 + shelf.length / STANDS_ALONE)).astype(np.float32)
    if dense is not None:
        features |= _dense_features(dense, mask, alone, signals)
        candidate |= dense.found
    if lexical is not None:
        features |= _lexical_features(lexical, alone, signals)
        candidate |= lexical.window > 0
    for values in (known or {}).values():
        candidate |= values > 0
    features |= _other_features(shelf, question, signals)
    _weigh_tastes(features)
    score = np.zeros(len(shelf), dtype=np.float32)
    for name, values in features.items():
        score += np.float32(WEIGHTS[name]) * values
    return Ranking(features, score, candidate & mask)


def _weigh_tastes(features: dict[str, Floats]) -> None:
    """A taste counts by its nearness to what is asked, and says enough in however few words."""
    if "belief.taste" not in features:
        return
    if "dense.turn" in features:
        features["belief.taste"] = features["belief.taste"] * features["dense.turn"]
    if "shape.length" in features:
        features["shape.length"] = np.maximum(features["shape.length"], features["belief.taste"])


def asked_before(shelf: Shelf, question: Question, lexical: Lexical) -> Mask:
    """The turns (n,) that only ask the same thing: a question asked again is no evidence for its answer."""
    wordy = len(question.terms) + _SPEAKER_TERMS
    same = (lexical.cover > _ALL_OF_IT) & (shelf.length <= wordy) & (shelf.shape & HAS_QUESTION > 0)
    return same if len(question.terms) > 1 else np.zeros(len(shelf), dtype=np.bool_)


def _dense_features(dense: Dense, mask: Mask, alone: Floats, signals: Signals) -> dict[str, Floats]:
    features: dict[str, Floats] = {}
    if signals.dense:
        features["dense.turn"] = _spread(dense.turn, mask)
    if signals.dense_window:
        features["dense_window.turn"] = _spread(dense.window, mask) * alone
    if signals.session:
        features["session.dense"] = _spread(dense.session, mask)
    return features


def _lexical_features(lexical: Lexical, alone: Floats, signals: Signals) -> dict[str, Floats]:
    features: dict[str, Floats] = {}
    if signals.lexical:
        features["lexical.turn"] = _share(lexical.turn)
        features["lexical.cover"] = lexical.cover
    if signals.lexical_window:
        features["lexical_window.turn"] = _share(lexical.window) * alone
        features["lexical_window.cover"] = lexical.window_cover * alone
    if signals.session:
        features["session.lexical"] = _share(lexical.session)
    return features


def _other_features(shelf: Shelf, question: Question, signals: Signals) -> dict[str, Floats]:
    features: dict[str, Floats] = {}
    if signals.speaker and question.speakers:
        features["speaker.named"] = np.isin(shelf.speaker, question.speakers).astype(np.float32)
    if signals.speaker and question.about_self:
        features["speaker.self"] = (shelf.role == _USER).astype(np.float32)
    if signals.speaker and question.about_assistant:
        features["speaker.assistant"] = (shelf.role == _ASSISTANT).astype(np.float32)
    if signals.time and question.spans:
        within = np.zeros(len(shelf), dtype=np.bool_)
        for span in question.spans:
            within |= (shelf.occurred >= span.start) & (shelf.occurred < span.end)
        features["time.within"] = within.astype(np.float32)
    if signals.shape:
        features["shape.length"] = (np.minimum(shelf.length, LONG_ENOUGH) / LONG_ENOUGH).astype(np.float32)
        features["shape.question"] = (shelf.shape & HAS_QUESTION > 0).astype(np.float32)
    if signals.shape and question.wants_number:
        features["shape.number"] = (shelf.shape & HAS_DIGIT > 0).astype(np.float32)
    return features


def _spread(values: Floats, mask: Mask) -> Floats:
    """`values` moved to [0, 1] over the masked turns: cosines of different questions have different ranges."""
    seen = values[mask]
    low, high = float(seen.min()), float(seen.max())
    return np.clip((values - np.float32(low)) / np.float32(max(high - low, 1e-6)), 0, 1)


def _share(values: Floats) -> Floats:
    """`values` as shares of the highest."""
    return values / np.float32(max(float(values.max()), 1e-6))
