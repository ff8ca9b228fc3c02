"""jobs.yaml: the packaged jobs, a user's changes, and errors that name file, job and key."""

from __future__ import annotations

from pathlib import Path

import pytest

import memoria.schedule
from memoria import InvalidInput, Memory
from memoria.errors import UnknownJob
from memoria.schedule import Jobs, load_jobs

ROOT = Path(__file__).parents[2]


def test_the_configs_show_the_packaged_jobs() -> None:
    packaged = Path(memoria.schedule.__file__).parent / "jobs.yaml"
    assert packaged.read_text() == (ROOT / "configs" / "jobs.yaml").read_text()
    assert set(load_jobs().jobs) == {"reflect", "profile", "retention", "reindex", "distil", "rebuild"}


def test_a_users_file_changes_keys_and_adds_jobs(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(
        "worker: {threads: 5}\njobs:\n  reflect: {interval: 2h, budget: {tokens: 900}}\n  mine: {cron: '@daily'}\n"
    )
    config, packaged = load_jobs(tmp_path), load_jobs()
    reflect = config.job("reflect")
    assert (reflect.cron, reflect.schedule, reflect.budget.tokens) == (None, "every 2h", 900)
    assert reflect.budget.seconds == packaged.job("reflect").budget.seconds
    assert reflect.jitter == packaged.job("reflect").jitter
    assert config.job("mine").schedule == "@daily UTC"
    assert (config.worker.threads, config.worker.lease) == (5, packaged.worker.lease)
    assert config.job("retention") == packaged.job("retention")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("jobs: {reflect: {cron: '1 2 3'}}", "job reflect: .*3 fields"),
        ("jobs: {reflect: {cron: '99 3 * * *'}}", "job reflect: cron '99 3"),
        ("jobs: {reflect: {cron: '0 3 1 * mon'}}", "job reflect: .*name one"),
        ("jobs: {reflect: {cron: '0 3 * * funday'}}", "job reflect: .*'funday' is no day"),
        ("jobs: {reflect: {cron: '0 3 31 2 *'}}", "job reflect: .*never comes"),
        ("jobs: {reflect: {interval: soon}}", "job reflect: interval: 'soon' is no length of time"),
        ("jobs: {reflect: {interval: 0}}", "job reflect: interval must be at least"),
        ("jobs: {reflect: {interval: 1h, cron: '@daily'}}", "job reflect: .*either cron or interval"),
        ("jobs: {reflect: {timezone: Mars/Olympus}}", "job reflect: timezone: there is no time zone 'Mars/Olympus'"),
        ("jobs: {reflect: {per: planet}}", "job reflect: per: "),
        ("jobs: {reflect: {budget: {seconds: 0}}}", "job reflect: budget.seconds: "),
        ("jobs: {reflect: {retry: 3}}", "job reflect: retry: "),
        ("jobs: {reflect: 5}", "job reflect must hold keys"),
        ("worker: {threads: 0}", "worker: threads: "),
        ("jobs: [", "not YAML"),
    ],
)
def test_what_cannot_be_taken_is_named(tmp_path: Path, said: str, told: str) -> None:
    (tmp_path / "jobs.yaml").write_text(said)
    with pytest.raises(InvalidInput, match=told) as error:
        load_jobs(tmp_path)
    assert str(tmp_path / "jobs.yaml") in str(error.value)


def test_a_job_whose_action_nobody_gave_is_named(tmp_path: Path, memory: Memory) -> None:
    (tmp_path / "jobs.yaml").write_text("jobs: {mine: {interval: 1h}}")
    with pytest.raises(InvalidInput, match=r"job mine: there is no action 'mine'.*actions="):
        Jobs(memory, config=load_jobs(tmp_path))


def test_a_job_that_there_is_not_is_told_with_those_that_there_are(memory: Memory) -> None:
    with Jobs(memory) as jobs, pytest.raises(UnknownJob, match=r"'reflekt'.*reflect, profile"):
        jobs.pause("reflekt")
