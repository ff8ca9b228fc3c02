"""Fifty kills of a writer at random moments, each followed by a full check. Run with `make kill-bench`.

What enters: nothing. What leaves: what survived, and every fault; exit code 1 when there is one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crash import kill_rounds  # the tests' own writer and checker


def main() -> int:
    """Fifty rounds on one home."""
    with tempfile.TemporaryDirectory(prefix="memoria-kill-") as folder:
        outcome = kill_rounds(Path(folder), rounds=50, seed=0)
    print(f"50 kills: {outcome.acknowledged} turns acknowledged, {outcome.removed} removed, faults: {outcome.faults}")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
