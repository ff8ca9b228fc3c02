"""All that differs between databases, in one file.

What enters: an engine or connection. What leaves: the same statements in each database's own tongue, and each
database's errors as memoria's. SQLite is here; Postgres joins it as a second class with the same methods.

The lexicon: every term of an episode is stored as `<scope id>x<term>`, so a posting list belongs to one person by
construction: no other person's words are read, counted or weighed (FTS5's own bm25() would use everybody's).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError

from memoria.errors import CorruptHome, StorageFull, StoreBusy, StoreError
from memoria.settings import StoreSettings

Terms = Sequence[Mapping[str, Any]]  # {"id": episode id, "body": user-marked terms joined by spaces}

_CREATE_LEXICON = (
    # The ascii tokenizer takes every character above 127 as part of a word: the cutting was done in text.py.
    "CREATE VIRTUAL TABLE lexicon USING fts5(body, tokenize='ascii')",
    "CREATE VIRTUAL TABLE lexicon_postings USING fts5vocab(lexicon, instance)",
)
_ADD_TERMS = text("INSERT INTO lexicon(rowid, body) VALUES (:id, :body)")
_REMOVE_TERMS = text("DELETE FROM lexicon WHERE rowid = :id")
# One statement for all words, and one text instead of a row for each occurrence: a common word has thousands.
_POSTINGS = text(
    "SELECT (SELECT group_concat(doc) FROM lexicon_postings WHERE term = asked.value) FROM json_each(:terms) AS asked"
)
_LEXICON_COUNT = text("SELECT count(*) FROM lexicon")
_MERGE_LEXICON = text("INSERT INTO lexicon(lexicon) VALUES ('optimize')")
_CHECK_LEXICON = text("INSERT INTO lexicon(lexicon, rank) VALUES ('integrity-check', 1)")


class SQLite:
    """The ledger in one file, in WAL mode."""

    name = "sqlite"

    def engine(self, path: Path, settings: StoreSettings) -> Engine:
        """An engine over `path`; a transaction of it begins at once as a writer unless marked `readonly`."""
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            connect_args={"timeout": settings.busy_timeout_s, "check_same_thread": False},
        )
        full = settings.durability == "full"

        def connect(raw: sqlite3.Connection, _record: object) -> None:
            raw.isolation_level = None  # transactions are begun below, by us
            raw.execute("PRAGMA journal_mode=WAL")
            raw.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
            raw.execute("PRAGMA secure_delete=ON")
            raw.execute("PRAGMA foreign_keys=ON")
            raw.execute("PRAGMA temp_store=MEMORY")
            raw.execute("PRAGMA cache_size=-16000")  # kB; hits lie scattered over the file

        def begin(connection: Connection) -> None:
            options = connection.get_execution_options()
            if options.get("bare", False):  # a checkpoint runs outside of any transaction
                return
            readonly = options.get("readonly", False)
            # Deferred read-then-write gave tens of thousands of "database is locked" (notes/storage.md, 5).
            connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

        event.listen(engine, "connect", connect)
        event.listen(engine, "begin", begin)
        return engine

    def create_lexicon(self, connection: Connection) -> None:
        """Create the full-text tables."""
        for statement in _CREATE_LEXICON:
            connection.exec_driver_sql(statement)

    def add_terms(self, connection: Connection, rows: Terms) -> None:
        """Store each row's marked terms under its episode id."""
        connection.execute(_ADD_TERMS, [dict(row) for row in rows])

    def remove_terms(self, connection: Connection, ids: Sequence[int]) -> None:
        """Remove the episodes' terms."""
        connection.execute(_REMOVE_TERMS, [{"id": each} for each in ids])

    def postings(self, connection: Connection, terms: Sequence[str]) -> list[NDArray[np.int64]]:
        """For each marked term the ids of the episodes that hold it, one for each time it occurs, (n,)."""
        if not terms:
            return []
        found = connection.execute(_POSTINGS, {"terms": json.dumps(terms)}).scalars()
        return [np.fromstring(each or "", dtype=np.int64, sep=",") for each in found]

    def lexicon_count(self, connection: Connection) -> int:
        """How many episodes the lexicon holds."""
        return connection.execute(_LEXICON_COUNT).scalar_one()

    def merge_lexicon(self, connection: Connection) -> None:
        """Write the lexicon anew without what was removed: until then its words lie in old segments."""
        connection.execute(_MERGE_LEXICON)

    def empty_log(self, connection: Connection) -> bool:
        """Move the write-ahead log into the file and cut it to nothing; False when somebody still reads from it."""
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        return not busy

    def check_lexicon(self, connection: Connection) -> None:
        """Compare the lexicon's index with its content; raises `CorruptHome` where they differ."""
        connection.execute(_CHECK_LEXICON)


_SQLITE = SQLite()


def dialect_of(_connection: Connection) -> SQLite:
    """The dialect that speaks to a connection's database."""
    return _SQLITE


@contextmanager
def translated(path: Path) -> Generator[None]:
    """Turn the database's errors into memoria's, each with its next step."""
    try:
        yield
    except DatabaseError as error:
        raise _translate(error, path) from error


def _translate(error: DatabaseError, path: Path) -> StoreError:
    said = str(error.orig)
    if "disk is full" in said or "disk I/O error" in said:
        return StorageFull(
            f"The disk under {path} took no more ({said}); free some space and try again. Nothing was lost."
        )
    if "locked" in said or "busy" in said:
        return StoreBusy(f"Another process kept {path} locked too long; try again, or raise store.busy_timeout_s.")
    if isinstance(error, OperationalError) and ("unable to open" in said or "readonly" in said):
        return StoreError(f"{path} cannot be written ({said}); check the folder's permissions.")
    if "malformed" in said or "not a database" in said or "fts5: corruption" in said or "no such table" in said:
        return CorruptHome(f"{path} is damaged or no ledger ({said}); restore it from a backup, or use another home.")
    return StoreError(f"{path}: the database refused a statement ({said}); please report this with its traceback.")
