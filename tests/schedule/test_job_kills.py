"""Three schedulers on one home, killed 20 times: every slot's effect once, none missed, and the history tells it."""

from __future__ import annotations

from pathlib import Path

from job_kills import kill_rounds


def test_every_slot_happens_exactly_once_however_often_workers_die(tmp_path: Path) -> None:
    outcome = kill_rounds(tmp_path, kills=20, seed=4)
    assert outcome.faults == []
    assert outcome.effects["tick"] > 100
    assert outcome.effects["verb"] > 50
    assert outcome.ended["tick lost"] + outcome.ended["verb lost"] > 3, "the kills hit no run"
    assert outcome.ended["broken failed"] > 10
