"""How likely the memory holds an answer at all.

What enters: the best scores that a question got. What leaves: a probability, calibrated on questions asked of the right
and of the wrong conversation. An agent that says "I do not know" from this does not guess.
"""

from __future__ import annotations

from math import exp

import numpy as np
from numpy.typing import NDArray

from memoria.recall.dense import Dense
from memoria.recall.lexical import Lexical
from memoria.recall.weights import CONFIDENCE


def evidence_of(lexical: Lexical | None, dense: Dense | None, hits: NDArray[np.int64]) -> dict[str, float]:
    """What the judgement rests on: the best cosine, the best cover of the question's words by a hit, and the share of
    them ever heard. Without a signal its part is 0."""
    return {
        "bias": 1.0,
        "cosine": dense.best if dense is not None else 0.0,
        "cover": float(lexical.cover[hits].max()) if lexical is not None and len(hits) else 0.0,
        "known": lexical.known if lexical is not None else 0.0,
    }


def confidence(evidence: dict[str, float]) -> float:
    """The calibrated probability (0 to 1) that an answer is among the hits."""
    return 1 / (1 + exp(-sum(CONFIDENCE[name] * value for name, value in evidence.items())))
