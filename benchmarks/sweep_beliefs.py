"""Sweep the weights of beliefs and the graph, all others held: what each set gains and loses.

What enters: LoCoMo, the first haystacks of LongMemEval and PrefEval from `../shared/data` (never shipped), and a folder
for vectors. What leaves: R@5, R@10 and NDCG@10 of each set for each weight tried, one changed at a time.

    .venv/bin/python benchmarks/sweep_beliefs.py ../shared/data /tmp/fit-cache locomo prefeval longmemeval
"""

from __future__ import annotations

import sys
from pathlib import Path

import fit_recall
import numpy as np

from memoria import Settings
from memoria.recall.weights import WEIGHTS

CASES = {"locomo": None, "prefeval": None, "longmemeval": 60}
TRIED = {
    "belief.bears": (0.0, 0.2, 0.5),
    "belief.direct": (0.0, 0.2, 0.5),
    "belief.taste": (0.0, 1.5, 2.5, 4.0),
    "belief.taste_near": (0.0, 1.0, 2.0, 3.0),
    "graph.near": (0.0, 0.3, 0.73, 1.0),
}
SHOWN = ("R@5", "R@10", "NDCG@10")


def main() -> None:
    """Collect, sweep, report."""
    names = sys.argv[3:] or list(CASES)
    fit_recall.NAMES = tuple(WEIGHTS)
    fit_recall.SETTINGS = Settings()
    fit_recall.SETS = {name: (CASES[name], 1.0) for name in names}
    cache = Path(sys.argv[2])
    cache.mkdir(parents=True, exist_ok=True)
    asked, _ = fit_recall.collect(Path(sys.argv[1]), cache)
    now = np.array(list(WEIGHTS.values()))
    print()
    for feature, values in TRIED.items():
        for value in values:
            weights = np.where(np.array(list(WEIGHTS)) == feature, value, now)
            for name in names:
                mine = [each for each in asked if each.group.startswith(name)]
                scores = fit_recall.score(mine, weights)
                shown = "  ".join(f"{key} {scores[key]:.4f}" for key in SHOWN)
                print(f"{feature} {value:4}{' *' if WEIGHTS[feature] == value else '  '} {name:12} {shown}")


if __name__ == "__main__":
    main()
