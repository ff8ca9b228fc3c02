"""`memoria jobs` and `memoria worker`: what runs by itself, and what became of it.

What enters: a job's name, or a signal. What leaves: tables of jobs and runs; a worker's log on stderr, a line of JSON
for each run, with numbers and classes of errors but no one's words.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memoria.clock import utc_now
from memoria.errors import InvalidInput
from memoria.events import Event, JobEvent
from memoria.serve.cli.shared import REMAINS, AsJson, Home, Tenant, open_memory, print_json, show

if TYPE_CHECKING:
    from memoria.schedule import Jobs, RunRecord, Worker

app = typer.Typer(no_args_is_help=True, help="Jobs: what is done by itself, when, and what became of it.")
Name = Annotated[str, typer.Argument(metavar="JOB", help="A job's name, as memoria jobs list shows.")]
MaybeUser = Annotated[str | None, typer.Option("--user", help="Only for this person.", show_default=False)]


@app.command("list")
def list_jobs(home: Home = None, as_json: AsJson = False) -> None:
    """Every job: its schedule, its next slot, how its runs stand, the last error."""
    from memoria.serve.runs import show_jobs

    with _open_jobs(home) as jobs:
        found = jobs.list()
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    else:
        show(show_jobs(found))


@app.command()
def run(
    name: Name,
    home: Home = None,
    user: MaybeUser = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only in this tenant.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Run a job now, due or not, paused or not; exit code 1 if a run failed."""
    from memoria.schedule import Worker

    with _open_jobs(home) as jobs:
        runs = Worker(jobs).run_now(name, user=user, tenant=tenant)
    show_run_records(runs, as_json, "There is nobody to run it for.")


@app.command()
def history(
    name: Annotated[str | None, typer.Argument(metavar="JOB", help="Only this job.", show_default=False)] = None,
    home: Home = None,
    user: MaybeUser = None,
    tenant: Tenant = "default",
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that failed.")] = False,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """What became of runs, the newest slot first, with every attempt at them (in full with --json)."""
    with _open_jobs(home) as jobs:
        if name is not None:
            jobs.config.job(name)
        states = ("failed",) if failed else ()
        found = jobs.history(name, user=user, tenant=tenant, states=states, limit=last)
    show_run_records(found, as_json, "No run fits.", judge=False)


@app.command()
def pause(name: Name, home: Home = None, as_json: AsJson = False) -> None:
    """Begin no more runs of a job, on any worker, until it is resumed."""
    with _open_jobs(home) as jobs:
        jobs.pause(name)
        _show_pause(jobs, name, as_json)


@app.command()
def resume(name: Name, home: Home = None, as_json: AsJson = False) -> None:
    """Go on with a paused job, catching up what it missed as its catch_up says."""
    with _open_jobs(home) as jobs:
        jobs.resume(name)
        _show_pause(jobs, name, as_json)


def worker(
    home: Home = None,
    once: Annotated[
        bool, typer.Option("--once", help="Run what is due, then leave; exit code 1 if one failed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --once: print the runs as JSON.")] = False,
) -> None:
    """Run jobs as they come due, until stopped by SIGTERM or Ctrl-C; several workers may share a home."""
    from memoria.schedule import Worker

    if as_json and not once:
        raise InvalidInput("--json goes with --once; a worker's log on stderr is JSON anyway.")
    with _open_jobs(home) as jobs:
        jobs.memory.on_event(_log_run)
        served = Worker(jobs)
        with _stopped_by_signals(served):
            _log("worker started", worker=served.name, home=str(jobs.memory.home))
            runs = served.run_due() if once else served.run()
            _log("worker stopped", worker=served.name, stuck=served.stuck)
        if served.stuck:
            # Their threads hold what closing would wait for. Nothing is lost: a home survives worse than this.
            sys.stderr.flush()
            os._exit(0)
        if runs is not None:
            show_run_records(runs, as_json, "Nothing is due; what comes next: memoria jobs list")


@contextmanager
def _open_jobs(home: Path | None) -> Generator[Jobs]:
    from memoria_graphs.jobs import ACTIONS

    from memoria.schedule import Jobs

    with open_memory(home) as memory, Jobs(memory, actions=ACTIONS) as jobs:
        yield jobs


def show_run_records(runs: Sequence[RunRecord], as_json: bool, none: str, *, judge: bool = True) -> None:
    """Print runs, or that there are `none`; exit code 1 if one failed (unless they are not to be judged)."""
    from memoria.serve.runs import show_runs

    if as_json:
        print_json([each.model_dump(mode="json") for each in runs])
    elif runs:
        show(show_runs(runs))
    else:
        typer.echo(none)
    if judge and any(each.state != "done" or each.error for each in runs):
        raise typer.Exit(REMAINS)


def _show_pause(jobs: Jobs, name: str, as_json: bool) -> None:
    status = next(each for each in jobs.list() if each.name == name)
    if as_json:
        print_json(status.model_dump(mode="json"))
    elif status.paused_at is not None:
        typer.echo(
            f"{name} is paused since {status.paused_at:%Y-%m-%d %H:%M} UTC; go on with: memoria jobs resume {name}"
        )
    else:
        upcoming = (
            f"its next slot is {status.next_slot:%Y-%m-%d %H:%M} UTC" if status.next_slot else "it is not enabled"
        )
        typer.echo(f"{name} is not paused; {upcoming}.")


@contextmanager
def _stopped_by_signals(served: Worker) -> Generator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, _frame: object) -> None:
        served.stop()
        signal.signal(number, signal.SIG_DFL)  # whoever asks twice means it: then it ends as a killed one would

    for each in before:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _log_run(event: Event) -> None:
    if isinstance(event, JobEvent):
        _log(
            "run",
            job=event.job,
            run=int(event.run),
            attempt=event.attempt,
            slot=event.slot.isoformat() if event.slot else None,
            late_s=round(event.late, 3),
            seconds=round(event.seconds, 3),
            outcome=event.outcome,
            error=event.error,
        )


def _log(said: str, **facts: object) -> None:
    line = {"at": utc_now().isoformat(timespec="milliseconds"), "event": said, **facts}
    print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)
