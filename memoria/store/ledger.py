"""The ledger: the one truth of a home, and the unit of work over it.

What enters: a home's folder. What leaves: connections inside transactions, either a reader's snapshot or the one
writer at a time; all of a unit of work is committed or none. Several processes may share one home.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, bindparam, insert, inspect, select, update

from memoria.errors import CorruptHome, ForkedProcess, HomeTooNew, StoreError
from memoria.settings import StoreSettings
from memoria.store import migrations, schema
from memoria.store.dialect import SQLite, translated
from memoria.store.text import VERSION as TEXT_VERSION

FILE = "ledger.db"

_TAKE = (
    update(schema.counter).values(value=schema.counter.c.value + bindparam("more")).returning(schema.counter.c.value)
)


class Ledger:
    """Open (or make) the ledger in the folder `home`.

    Raises `CorruptHome` for a file that is no ledger, `HomeTooNew` for one that a newer memoria wrote, and
    `StoreError` where the folder cannot be written.
    """

    def __init__(self, home: Path, settings: StoreSettings) -> None:
        self.path = home / FILE
        self._pid = os.getpid()
        self.dialect = SQLite()
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The home {home} cannot be made ({error.strerror}); choose another with --home."
            ) from error
        self._engine = self.dialect.engine(self.path, settings)
        self._readers = self._engine.execution_options(readonly=True)
        try:
            self._migrate()
            self.secret = self._secret()
        except BaseException:
            self._engine.dispose()
            raise

    def _migrate(self) -> None:
        with self.read() as connection:
            revision = migrations.revision_of(connection)
        if revision == schema.HEAD:
            return
        if revision is not None and revision > schema.HEAD:
            raise HomeTooNew(
                f"{self.path} was written by a newer memoria (revision {revision}, this one knows {schema.HEAD}); "
                "upgrade with: pip install -U memoria-lifelong"
            )
        with self.write() as connection:
            revision = migrations.revision_of(connection)  # again, under the lock: another process may have been first
            if revision is None and _foreign_tables(connection):
                raise CorruptHome(f"{self.path} is some other program's database; use another home.")
            if revision != schema.HEAD:
                migrations.upgrade(connection)
            if revision is None:
                _found(connection)

    def _secret(self) -> bytes:
        with self.read() as connection:
            secret = get_meta(connection, "secret")
        if secret is None:
            raise CorruptHome(f"{self.path} lacks its secret; restore it from a backup, or use another home.")
        return secret

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A snapshot: every statement inside sees the same state, whatever others commit meanwhile."""
        self._refuse_fork()
        with translated(self.path), self._readers.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A unit of work: the only writer while it lasts; committed whole at its end, or not at all."""
        self._refuse_fork()
        with translated(self.path), self._engine.begin() as connection:
            yield connection

    def empty_log(self) -> bool:
        """Leave nothing in the write-ahead log; False when another process is still reading from it."""
        self._refuse_fork()
        with translated(self.path), self._engine.execution_options(bare=True).connect() as connection:
            return self.dialect.empty_log(connection)

    def keyed_hash(self, *parts: str) -> bytes:
        """16 bytes that name `parts` but, without this home's secret, confirm no guess about them."""
        digest = hashlib.blake2b(key=self.secret, digest_size=16)
        for part in parts:
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
        return digest.digest()

    def close(self) -> None:
        """Let go of the file. Closing twice is no error."""
        if self._pid == os.getpid():
            self._engine.dispose()

    def _refuse_fork(self) -> None:
        # SQLite's locks do not survive fork(): going on would corrupt the file.
        if os.getpid() != self._pid:
            raise ForkedProcess(
                f"This Memory was opened by process {self._pid} and cannot be used in its fork {os.getpid()}; "
                "open a new Memory on the same home in the child."
            )


def _foreign_tables(connection: Connection) -> bool:
    return bool(inspect(connection).get_table_names())


def _found(connection: Connection) -> None:
    """The first rows of a new home."""
    set_meta(connection, "secret", secrets.token_bytes(32))
    set_meta(connection, "text_version", str(TEXT_VERSION).encode())
    connection.execute(insert(schema.counter).values(value=0))


def take_numbers(connection: Connection, count: int) -> range:
    """The next `count` numbers; writers queue here, so numbers rise in the order of commits."""
    last = connection.execute(_TAKE, {"more": count}).scalar_one()
    return range(last - count + 1, last + 1)


def get_meta(connection: Connection, key: str) -> bytes | None:
    """A value of the home's own facts, or None."""
    return connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == key)).scalar()


def set_meta(connection: Connection, key: str, value: bytes) -> None:
    """Set one of the home's own facts."""
    changed = connection.execute(update(schema.meta).where(schema.meta.c.key == key).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(schema.meta).values(key=key, value=value))
