"""kill -9 at random moments: nothing acknowledged is lost, nothing is half there. `make kill-bench` runs fifty."""

from __future__ import annotations

from pathlib import Path

from crash import kill_rounds


def test_a_killed_writer_loses_nothing(tmp_path: Path) -> None:
    outcome = kill_rounds(tmp_path, rounds=6, seed=1, longest_s=0.7)
    assert outcome.faults == []
    assert outcome.acknowledged > 50
    assert outcome.removed > 0
