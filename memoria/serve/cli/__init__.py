"""The command line: `memoria --help` lists its commands, one module a theme.

What enters: arguments. What leaves: readable text, or JSON with stable keys (`--json`). An error is one line that ends
with the next step, on stderr, and exit code 2; what a check finds amiss is exit code 1 or 2, each fault on a line.
"""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.exceptions import Abort, TyperException

from memoria.errors import MemoriaError
from memoria.serve.cli import (
    adapters,
    beliefs,
    chat,
    distil,
    edits,
    episodes,
    evaluate,
    feedback,
    forget,
    jobs,
    learnt,
    profile,
)
from memoria.serve.cli.shared import FAILED, INTERRUPTED

app = typer.Typer(help="A lifelong memory for agents, in one folder on this machine.", no_args_is_help=True)
for command in (episodes.remember, episodes.recall, beliefs.beliefs, beliefs.entities, beliefs.explain):
    app.command()(command)
app.command("why-not")(beliefs.why_not)
app.command()(beliefs.graph)
for command in (edits.believe, edits.correct, edits.retract, edits.merge, edits.unmerge, edits.learn, edits.retain):
    app.command()(command)
for command in (profile.reflect, profile.profile):
    app.command()(command)
app.command()(distil.distil)
for command in (feedback.feedback, feedback.consent):
    app.command()(command)
app.add_typer(forget.app, name="forget")
for command in (episodes.status, episodes.reindex, episodes.reembed):
    app.command()(command)
app.add_typer(adapters.app, name="adapters")
app.add_typer(jobs.app, name="jobs")
app.command()(jobs.worker)
evaluate.app.command("annotators")(learnt.annotators)
evaluate.app.command("pairs")(learnt.pairs)
app.add_typer(evaluate.app, name="eval")
app.command()(chat.chat)
app.command()(episodes.demo)


def main() -> None:
    """Run the command line."""
    try:
        code = app(
            standalone_mode=False, prog_name="memoria"
        )  # typer's own error boxes take five lines to say one thing
    except TyperException as error:
        sys.stderr.write(_usage(error))
        code = FAILED
    except MemoriaError as error:
        print(f"memoria: {error}", file=sys.stderr)
        code = FAILED
    except (KeyboardInterrupt, Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:  # typer makes an exit of Ctrl-C by itself
        print("memoria: stopped; what was acknowledged is kept.", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: Any) -> str:
    """A usage error on one line with the next step; nothing where the help is on the screen already."""
    said = str(error.format_message()).strip()
    return f"memoria: {said.rstrip('.')}; see: {error.ctx.command_path} --help\n" if said else ""
