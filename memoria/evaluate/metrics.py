"""What a ranking is worth.

What enters: a ranking of items, best first, and the items that answer. What leaves: the usual measures, each in [0, 1].
NDCG: Järvelin & Kekäläinen (2002), binary gains.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import log2

import numpy as np

NAMES = ("R@1", "R@5", "R@10", "R@20", "all@10", "MRR", "NDCG@10", "session R@1", "session R@5")


def score_ranking(
    ranked: Sequence[str],
    sessions: Sequence[str],
    evidence: Collection[str],
    evidence_sessions: Collection[str],
) -> dict[str, float]:
    """The measures of one ranking; `sessions` are those of the ranked items. Both kinds of evidence are not empty."""
    relevant = [item in evidence for item in ranked]
    found = {f"R@{k}": sum(relevant[:k]) / len(evidence) for k in (1, 5, 10, 20)}
    first = next((rank for rank, hit in enumerate(relevant, 1) if hit), None)
    gain = sum(1 / log2(rank + 1) for rank, hit in enumerate(relevant[:10], 1) if hit)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(evidence), 10) + 1))
    order = list(dict.fromkeys(sessions))
    wanted = set(evidence_sessions)
    return found | {
        "all@10": float(sum(relevant[:10]) == len(evidence)),
        "MRR": 1 / first if first else 0.0,
        "NDCG@10": gain / ideal,
        "session R@1": len(wanted & set(order[:1])) / len(wanted),
        "session R@5": len(wanted & set(order[:5])) / len(wanted),
    }


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of nothing."""
    return float(np.mean(values)) if values else 0.0


def bootstrap(values: Sequence[float], resamples: int = 1000, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of the mean, over questions drawn with replacement."""
    if not values:
        return 0.0, 0.0
    drawn = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    means = np.asarray(values, dtype=np.float64)[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
