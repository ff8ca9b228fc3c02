"""What lies in the folder of adapters that should not, and what should and does not.

What enters: a ledger, and the files of its home. What leaves: fewer files; faults, each in a sentence. Safe at any
moment, in any process: see `store/adapter_files.py` for why nobody's finished or unfinished work is taken for rubbish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import inf

from sqlalchemy import Connection

from memoria.distill.lineage import lost, to_rows
from memoria.distill.records import Manifest
from memoria.store import adapters
from memoria.store.adapter_files import AdapterFiles, Place
from memoria.store.adapters import ENDED, QUARANTINED, SourceRow
from memoria.store.ledger import Ledger


def sweep(ledger: Ledger, files: AdapterFiles, kept: int) -> bool:
    """Remove the files of what is quarantined, what killed processes left, what belongs to nobody, and of what served
    or was rejected those of all but the newest `kept` of a person's of a kind.

    False where something has to stay for now: somebody still makes something of what is forgotten, or a file cannot be
    removed. Whoever sweeps next goes on.
    """
    busy = [place for place in files.places() if not _cleared(ledger, files, place)]
    clean = not busy
    with ledger.read() as connection:
        if not any(_rubbish(connection, files, kept)):
            return clean
    with ledger.write() as connection:  # nobody registers anything meanwhile
        strays, condemned = _rubbish(connection, files, kept)
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
    cleared = {row.id for row in rows if row.status in (*ENDED, QUARANTINED) and not row.files}
    found = [f"{each} belongs to no adapter; opening the home removes it." for each in strays]
    for row in rows:
        if row.id in condemned:
            found.append(f"{row.name} in {row.folder} is quarantined and its files are still there; open the home.")
        elif row.id not in cleared and (damage := files.damage(row.folder, row.files)):
            found.append(f"{row.name} in {row.folder} is damaged ({damage}); roll back, or distil again.")
    return found


def _rubbish(connection: Connection, files: AdapterFiles, kept: float = inf) -> tuple[list[str], dict[int, str]]:
    """The folders of nobody, and those by row id of adapters that are quarantined or (with `kept`) have had their
    day."""
    rows = [row for row in adapters.every(connection) if row.files]
    condemned = {row.id: row.folder for row in rows if row.status == QUARANTINED}
    for status in ENDED:
        newest = Counter[tuple[int, str]]()
        for row in (each for each in reversed(rows) if each.status == status):
            newest[row.scope_id, row.kind] += 1
            if newest[row.scope_id, row.kind] > kept:
                condemned[row.id] = row.folder
    return files.strays({row.folder for row in rows}), condemned


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
