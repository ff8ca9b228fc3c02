"""What lies in the folder of adapters that should not, and what should and does not.

What enters: a ledger, and the files of its home. What leaves: fewer files; faults, each in a sentence. Safe at any
moment, in any process: see `store/adapter_files.py` for why nobody's finished or unfinished work is taken for rubbish.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from memoria.distill.lineage import lost, to_rows
from memoria.distill.records import Manifest
from memoria.store import adapters
from memoria.store.adapter_files import AdapterFiles, Place
from memoria.store.adapters import QUARANTINED, SourceRow
from memoria.store.ledger import Ledger


def sweep(ledger: Ledger, files: AdapterFiles) -> bool:
    """Remove the files of what is quarantined, what killed processes left, and what belongs to nobody.

    False where something has to stay for now: somebody still makes something of what is forgotten, or a file cannot be
    removed. Whoever sweeps next goes on.
    """
    busy = [place for place in files.places() if not _cleared(ledger, files, place)]
    clean = not busy
    with ledger.read() as connection:
        if not any(_rubbish(connection, files)):
            return clean
    with ledger.write() as connection:  # nobody registers anything meanwhile
        strays, condemned = _rubbish(connection, files)
        gone: list[int] = []
        for number, folder in [*((None, each) for each in strays), *condemned.items()]:
            try:
                files.remove(folder)
            except OSError:
                clean = False
                continue
            gone += [number] if number is not None else []
        adapters.emptied(connection, gone)
    return clean


def faults(ledger: Ledger, files: AdapterFiles) -> list[str]:
    """What is amiss with the files of adapters; empty where all is as it should be."""
    with ledger.read() as connection:
        rows = adapters.every(connection)
        strays, condemned = _rubbish(connection, files)
    found = [f"{each} belongs to no adapter; opening the home removes it." for each in strays]
    for row in rows:
        if row.id in condemned:
            found.append(f"{row.name} in {row.folder} is quarantined and its files are still there; open the home.")
        elif row.status != QUARANTINED and (damage := files.damage(row.folder, row.files)):
            found.append(f"{row.name} in {row.folder} is damaged ({damage}); roll back, or distil again.")
    return found


def _rubbish(connection: Connection, files: AdapterFiles) -> tuple[list[str], dict[int, str]]:
    """The folders of nobody, and those of quarantined adapters by row id."""
    rows = adapters.every(connection)
    condemned = {row.id: row.folder for row in rows if row.status == QUARANTINED and row.files}
    return files.strays({row.folder for row in rows if row.files}), condemned


def _cleared(ledger: Ledger, files: AdapterFiles, place: Place) -> bool:
    """Whether nothing is made there, and nothing is left there to go on with, of what is forgotten."""
    try:
        sources = to_rows(Manifest.model_validate_json(place.note.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        sources = None  # its maker has just begun, or has just done; or was killed at it
    gone = sources is None or _gone(ledger, sources)
    if place.lasting and not gone:
        return True
    try:
        return files.clear(place) or not (place.folder.exists() and gone)
    except OSError:
        return False


def _gone(ledger: Ledger, sources: Sequence[SourceRow]) -> bool:
    with ledger.read() as connection:
        return bool(lost(connection, ledger, sources))
