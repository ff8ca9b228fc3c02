"""What every command shares: its options, opening a home, reading a moment or an id, printing.

What enters: what was typed. What leaves: an open `Memory`, times, full ids, output. memoria's own parts load inside the
functions, so that `--help` comes at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.progress import Progress

from memoria.errors import InvalidInput, UnknownBelief

if TYPE_CHECKING:
    from memoria.memory import Memory

FAILED, INTERRUPTED, REMAINS = 2, 130, 1
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FULL_ID = re.compile(r"[0-9a-f]{32}")
SHORT_ID = 8  # hex digits shown of an id, more where two ids begin alike

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar="MEMORIA_HOME", help="The memory's folder.", show_default=False),
]
User = Annotated[str, typer.Option("--user", help="Whose memory.")]
Tenant = Annotated[str, typer.Option("--tenant", help="The tenant the person belongs to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON with stable keys.")]
Model = Annotated[
    str | None,
    typer.Option("--embeddings", help="An embedding model; the default works offline.", show_default=False),
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="DATE", help="Beliefs as true on that day (2025-06-13, or a time with offset)."),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Only what was recorded by the end of that day, or by that time."),
]
BeliefId = Annotated[str, typer.Argument(metavar="ID", help="A belief's id, or how it begins.", show_default=False)]
Revision = Annotated[
    int | None,
    typer.Option(help="Refuse if something changed since this revision (see --json).", show_default=False),
]


@contextmanager
def open_memory(home: Path | None, embeddings: str | None = None, *, must_exist: bool = True) -> Generator[Memory]:
    """The memory in `home`. Raises `InvalidInput` where there is none and there must be."""
    from memoria.memory import Memory
    from memoria.settings import default_home
    from memoria.store.ledger import FILE

    place = home or default_home()
    if must_exist and not (place / FILE).exists():
        raise InvalidInput(f"There is no memory in {place}; name one with --home, or remember something first.")
    with Memory(place, embeddings=embeddings) as memory:
        yield memory


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Generator[Any]:
    """A bar on stderr that appears with the first report."""
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


def moment(text: str | None, option: str) -> datetime | None:
    """A time given to `option`. Raises `InvalidInput` naming it."""
    from memoria.remember.turns import parse_time

    try:
        return parse_time(text)
    except InvalidInput as error:
        raise InvalidInput(f"--{option}: {error}") from error


def end_of_day(text: str | None, option: str) -> datetime | None:
    """A time, or the last moment (UTC) of a day given as a bare date: what happened that day had happened by then."""
    if text is None or not _DAY.fullmatch(text):
        return moment(text, option)
    start = moment(f"{text}T00:00:00+00:00", option)
    return start + timedelta(days=1, microseconds=-1) if start else None


def start_of_day(text: str | None, option: str) -> datetime | None:
    """A time, or the first moment (UTC) of a day given as a bare date."""
    return moment(f"{text}T00:00:00+00:00" if text is not None and _DAY.fullmatch(text) else text, option)


def full_id(memory: Memory, begun: str, user: str, tenant: str) -> str:
    """The id of the one belief whose id begins so. Raises `UnknownBelief` for none, `InvalidInput` for several."""
    if _FULL_ID.fullmatch(begun):
        return begun
    found = [b for b in memory.beliefs(user=user, tenant=tenant, retired=True) if begun and b.id.startswith(begun)]
    if not found:
        raise UnknownBelief(f"No belief's id begins with {begun!r}; list them with: memoria beliefs --user {user}")
    if len(found) > 1:
        said = ", ".join(f"{each.id[: len(begun) + 4]} ({each.statement})" for each in found[:4])
        raise InvalidInput(f"{len(found)} beliefs' ids begin with {begun!r}: {said}; give more of it.")
    return found[0].id


def short_ids(ids: Sequence[str]) -> list[str]:
    """Each id cut to where it still tells the beliefs apart."""
    size = SHORT_ID
    while len({each[:size] for each in ids}) < len(set(ids)):
        size += 1
    return [each[:size] for each in ids]


def write_file(path: Path, data: str | bytes) -> None:
    """Write `data` to `path`. Raises `InvalidInput` naming it when it cannot be written."""
    try:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written ({error.strerror}); name another file.") from error


def made_folder(path: Path) -> Path:
    """The folder, made where it is missing. Raises `InvalidInput` naming it when nothing can be written into it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise InvalidInput(f"{path} is no folder to write into ({error.strerror}); name another.") from error


def print_json(value: Any) -> None:
    """JSON for a program to read."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show(value: RenderableType) -> None:
    """Something drawn for a terminal."""
    Console().print(value)
