"""`memoria jobs` and `memoria worker`, as an operator uses them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]
OFTEN = "jobs:\n  reflect: {interval: 0.2s, jitter: 0}\n  retention: {enabled: false}\n"


@pytest.fixture
def often(ana: Cli, tmp_path: Path) -> Cli:
    """Ana's home, reflected on five times a second."""
    (tmp_path / "configs" / "jobs.yaml").write_text(OFTEN)
    return ana


def test_jobs_are_listed_run_and_told_of(ana: Cli) -> None:
    code, shown, _ = ana("jobs", "list")
    assert code == 0
    assert "15 3 * * * UTC" in shown
    assert "not enabled" in shown
    code, shown, _ = ana("jobs", "run", "reflect", "--user", "ana", "--json")
    (run,) = json.loads(shown)
    assert (code, run["state"], run["user"], run["by_hand"]) == (0, "done", "ana", True)
    assert "profiles changed" in ana("jobs", "history", "reflect")[1]
    assert json.loads(ana("jobs", "history", "--user", "ana", "--json")[1])[0]["id"] == run["id"]
    assert ana("jobs", "history", "--failed")[1] == "No run fits.\n"
    (status,) = [each for each in json.loads(ana("jobs", "list", "--json")[1]) if each["name"] == "reflect"]
    assert (status["runs"], status["last"]["id"]) == ({"done": 1}, run["id"])


def test_a_failed_run_is_exit_code_1_and_its_error_is_shown(ana: Cli, tmp_path: Path) -> None:
    (tmp_path / "configs" / "memoria.yaml").write_text("embeddings: hash-32\nreflect: {model: nobody/knows}\n")
    code, shown, _ = ana("jobs", "run", "profile")
    assert code == 1
    assert "failed" in shown
    (run,) = json.loads(ana("jobs", "history", "--failed", "--json")[1])
    assert run["error"]
    assert run["attempts"][0]["error"] in run["error"]


def test_pause_and_resume(ana: Cli) -> None:
    assert "reflect is paused since" in ana("jobs", "pause", "reflect")[1]
    assert "paused since" in ana("jobs", "list")[1]
    assert json.loads(ana("jobs", "resume", "reflect", "--json")[1])["paused_at"] is None
    assert "its next slot is" in ana("jobs", "resume", "reflect")[1]


def test_errors_are_one_line_with_the_next_step(ana: Cli, tmp_path: Path) -> None:
    code, _, told = ana("jobs", "pause", "reflekt")
    assert (code, "There is no job 'reflekt'; there are: reflect" in told) == (2, True)
    assert ana("worker", "--json")[0] == 2
    (tmp_path / "configs" / "jobs.yaml").write_text("jobs: {reflect: {cron: often}}")
    code, _, told = ana("worker", "--once")
    assert code == 2
    assert told.startswith(f"memoria: {tmp_path}/configs/jobs.yaml: job reflect: cron 'often'")
    assert told.count("\n") == 1


def test_once_runs_what_is_due_and_leaves(often: Cli) -> None:
    code, shown, log = often("worker", "--once")
    assert (code, shown) == (0, "Nothing is due; what comes next: memoria jobs list\n")
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["worker started", "worker stopped"]
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    runs: list[dict[str, object]] = []
    while not runs:  # the next slot is a fifth of a second away at most
        code, shown, log = often("worker", "--once", "--json")
        runs = json.loads(shown)
    (run,) = runs
    assert (code, run["state"]) == (0, "done")
    told = json.loads(log.splitlines()[1])
    assert (told["event"], told["run"], told["outcome"], told["error"]) == ("run", run["id"], "done", None)
    assert told["seconds"] > 0
    assert "Porto" not in log
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_serves_until_it_is_told_to_stop(often: Cli, number: signal.Signals) -> None:
    command = [sys.executable, "-c", "from memoria.serve.cli import main; main()", "worker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as worker:
        assert worker.stderr is not None
        told = [json.loads(worker.stderr.readline()) for _ in range(4)]
        worker.send_signal(number)
        said, log = worker.communicate(timeout=60)
    assert (worker.returncode, said) == (0, ""), log
    assert told[0]["event"] == "worker started"
    assert {(each["job"], each["outcome"]) for each in told[1:]} == {("reflect", "done")}
    assert json.loads(log.splitlines()[-1])["event"] == "worker stopped"
    runs = json.loads(often("jobs", "history", "--json")[1])
    assert {run["state"] for run in runs} <= {"done", "skipped", "pending"}
