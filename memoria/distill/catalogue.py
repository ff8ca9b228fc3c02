"""The catalogue of adapters: whose they are, what they were made of, which one serves.

What enters: whose adapter. What leaves: records, and whether one may serve, found anew at each ask: its status, that
everything it was made of is still remembered as it was said then, that its files are what was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from memoria.clock import Clock, to_micros
from memoria.distill.adapting import permit_of, to_adapter
from memoria.distill.details import AdapterDetail, Comparison, compared, origins_of
from memoria.distill.lineage import adapter_hash, to_sources
from memoria.distill.quarantine import exports_of, rolled_back
from memoria.distill.records import Adapter, Kind, Manifest, Permit, Source
from memoria.errors import UnknownAdapter
from memoria.records import Scope
from memoria.store import adapters, due
from memoria.store.adapter_files import AdapterFiles
from memoria.store.adapters import AdapterRow
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.ledger import Ledger
from memoria.store.scopes import require_scope

_NAME = re.compile(r"(lora|prompt|head|card)-([1-9]\d{0,8})")


class Catalogue:
    """The part of the registry that only looks."""

    def __init__(self, ledger: Ledger, home: Path, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self.files = AdapterFiles(home)

    def serving(self, scope: Scope, kind: Kind, *, base: str | None = None) -> Adapter | None:
        """What of a kind serves the person now (with `base`: upon that model); None where nothing may."""
        with self._ledger.read() as connection:
            row = adapters.serving(connection, require_scope(connection, scope).id, kind)
            if row is None or not permit_of(connection, self._ledger, self.files, row, base).may:
                return None
            return to_adapter(connection, scope, row)

    def may_serve(self, scope: Scope, adapter_id: str, *, base: str | None = None) -> Permit:
        """May it serve now (with `base`: upon that model)? Raises `UnknownAdapter`."""
        with self._ledger.read() as connection:
            row = self._row(connection, scope, adapter_id)
            return permit_of(connection, self._ledger, self.files, row, base)

    def get(self, scope: Scope, adapter_id: str) -> Adapter:
        """One of a person's adapters. Raises `UnknownAdapter`."""
        with self._ledger.read() as connection:
            return to_adapter(connection, scope, self._row(connection, scope, adapter_id))

    def manifest(self, scope: Scope, adapter_id: str) -> Manifest:
        """What it was made of. Raises `UnknownAdapter`."""
        with self._ledger.read() as connection:
            row = self._row(connection, scope, adapter_id)
            sources = to_sources(adapters.sources_of(connection, row.id))
        counts = {kind: sum(each.kind == kind for each in sources) for kind in sorted({s.kind for s in sources})}
        return Manifest(sources=sources, counts=counts)

    def source(self, scope: Scope, adapter_id: str) -> Source:
        """An adapter as a source of another that takes its weights. Raises `UnknownAdapter`."""
        with self._ledger.read() as connection:
            row = self._row(connection, scope, adapter_id)
        return Source(kind="adapter", id=str(row.id), hash=adapter_hash(self._ledger, row.digest).hex())

    def rolled_back(self, scope: Scope, adapter_id: str) -> bool:
        """Whether somebody took it out of service, and has not let it serve again since. Raises `UnknownAdapter`."""
        with self._ledger.read() as connection:
            row = self._row(connection, scope, adapter_id)
            return row.id in rolled_back(connection, row.scope_id)

    def path(self, adapter: Adapter) -> Path:
        """Where its files lie."""
        return self.files.path(adapter.folder)

    def owed(self) -> tuple[Scope, ...]:
        """Everybody to whom a rebuild is owed since something was forgotten, the longest owed first."""
        with self._ledger.read() as connection:
            return tuple(due.due(connection))

    def list(self, scope: Scope) -> tuple[Adapter, ...]:
        """All of a person's adapters, in the order they were made."""
        with self._ledger.read() as connection:
            rows = adapters.of_scope(connection, require_scope(connection, scope).id)
            return tuple(to_adapter(connection, scope, row) for row in rows)

    def detail(self, scope: Scope, adapter_id: str, shelf: Callable[[Connection, int], BeliefShelf]) -> AdapterDetail:
        """An adapter with all that it was made of as it stands now; `shelf` gives a person's beliefs."""
        with self._ledger.read() as connection:
            row = self._row(connection, scope, adapter_id)
            mine = shelf(connection, row.scope_id)
            return AdapterDetail(
                adapter=to_adapter(connection, scope, row),
                permit=permit_of(connection, self._ledger, self.files, row),
                origins=origins_of(connection, self._ledger, mine, scope, row, self._now()),
                exports=exports_of(connection, [row.id]),
            )

    def compare(self, scope: Scope, one: str, other: str) -> Comparison:
        """How two of a person's adapters differ. Raises `UnknownAdapter`."""
        with self._ledger.read() as connection:
            rows = [self._row(connection, scope, each) for each in (one, other)]
            left, right = (to_adapter(connection, scope, row) for row in rows)
            return compared(left, right, [to_sources(adapters.sources_of(connection, row.id)) for row in rows])

    # -- inside --------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return to_micros(self._clock())

    def _row(self, connection: Connection, scope: Scope, adapter_id: str) -> AdapterRow:
        state = require_scope(connection, scope)
        name = _NAME.fullmatch(adapter_id)
        row = adapters.named(connection, state.id, name[1], int(name[2])) if name is not None else None
        if row is None:
            raise UnknownAdapter(
                f"{scope.user!r} has no adapter {adapter_id!r}; list them with: memoria adapters list "
                f"--user {scope.user}"
            )
        return row
