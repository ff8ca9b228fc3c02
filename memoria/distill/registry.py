"""The registry: every adapter of everybody, what it was made of, and which one serves.

What enters: finished folders with their manifests, verdicts, wishes to promote. What leaves: `Adapter`s, `Permit`s.
Files lie whole in their place before their row is committed; which one serves is one column of the ledger, changed in
one unit of work. `catalogue.py` tells what there is and whether it may serve.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import Timeout
from sqlalchemy import Connection

from memoria.clock import Clock
from memoria.distill.adapting import amiss, refuse, to_adapter, verdict_of
from memoria.distill.catalogue import Catalogue
from memoria.distill.export import check_target, export
from memoria.distill.lineage import lost, to_rows, to_sources, weights_of
from memoria.distill.quarantine import (
    EXPORT,
    PROMOTE,
    ROLLBACK,
    Quarantine,
    quarantine_all,
    quarantine_taught,
    rolled_back,
)
from memoria.distill.records import Adapter, Kind, Manifest, Verdict
from memoria.distill.sweep import faults, sweep
from memoria.errors import InvalidInput, MemoriaError, TrainingFailed, Withheld
from memoria.records import Scope
from memoria.store import adapters, due
from memoria.store.adapters import AdapterRow, NewAdapter
from memoria.store.events import append_event
from memoria.store.feedback import stands
from memoria.store.ledger import Ledger
from memoria.store.scopes import require_scope

Also = Callable[[Connection], None] | None


@dataclass(frozen=True)
class Making:
    """A place to make an adapter in: its files are to be in `folder`. `wanted` tells whether all that it is made of is
    still there, and thought of as it was: where not, go no further, it would be refused."""

    folder: Path
    wanted: Callable[[], bool]

    def check(self) -> None:
        """Raise `Withheld` where it is not wanted any more."""
        if not self.wanted():
            raise Withheld(
                "Some of the memories to distil are forgotten by now, may not be distilled, or the person thinks "
                "otherwise of an answer; try again."
            )


class Registry(Catalogue):
    """The adapters of one home. Safe to share by threads and processes. `kept`: of so many of a person's adapters of a
    kind that served, and as many rejected ones, the files stay."""

    def __init__(self, ledger: Ledger, home: Path, clock: Clock, kept: int) -> None:
        super().__init__(ledger, home, clock)
        self._kept = kept

    # -- making --------------------------------------------------------------------------------------------------

    @contextmanager
    def making(self, manifest: Manifest, *, resume: tuple[Scope, Kind, str] | None = None) -> Generator[Making]:
        """A place within the home to make something of `manifest`'s sources in; what is left in it at the end goes.

        With `resume` (whose, what, a digest of how) it is found again as it was left by who failed in it, or was
        killed, unless the person's next adapter of that kind was begun since. An erasure is not finished while
        somebody makes something of what it erased. Raises `Withheld` where any of it is forgotten already, asked once
        the place can be seen (so that either the maker knows, or the eraser); `TrainingFailed` while somebody else is
        making it.
        """
        sources = to_rows(manifest)

        def wanted() -> bool:
            with self._ledger.read() as connection:
                return stands(connection, manifest.taught) and not lost(connection, self._ledger, sources)

        name = None
        if resume is not None:
            scope, kind, digest = resume
            name = "-".join(self._ledger.keyed_hash(*p).hex() for p in ((scope.tenant, scope.user, kind), (digest,)))
        try:
            with self.files.making(manifest.model_dump_json(), name) as place:
                making = Making(place.folder, wanted)
                try:
                    making.check()
                    yield making
                except BaseException:
                    with suppress(MemoriaError):
                        if not wanted():
                            shutil.rmtree(place.folder, ignore_errors=True)
                    raise
        except Timeout as error:
            raise TrainingFailed("Another process is making just that; try again when it is done.") from error

    def add(
        self,
        scope: Scope,
        made: Path,
        *,
        kind: Kind,
        base: str,
        recipe: str,
        manifest: Manifest,
        digest: str,
        figures: Mapping[str, Any] | None = None,
        parent: str | None = None,
    ) -> Adapter:
        """Keep the finished folder `made`, which goes, as a candidate; what was made just so before stays the one.

        Raises `Withheld` where anything it was made of was forgotten meanwhile, or is thought of otherwise; then
        nothing is kept.
        """
        if not made.is_dir() or not manifest.sources:
            raise InvalidInput(f"An adapter is a folder of finished files, made of something; {made} is none.")
        sources = to_rows(manifest)
        with self.files.making(manifest.model_dump_json()) as place:
            shutil.copytree(made, place.folder, dirs_exist_ok=True)  # it may come from another disk
            new = NewAdapter(kind, base, recipe, digest, self.files.seal(place.folder), sources, figures or {})
            try:
                with self._ledger.write() as connection:
                    if not stands(connection, manifest.taught):
                        raise Withheld(
                            "An answer that was learnt is forgotten by now, or the person thinks otherwise of it; "
                            "distil again."
                        )
                    row = self._added(connection, scope, new, parent, place.folder)
                    added = to_adapter(connection, scope, row)
            except Withheld:
                shutil.rmtree(made, ignore_errors=True)
                raise
        shutil.rmtree(made, ignore_errors=True)
        with suppress(MemoriaError):  # else whoever sweeps next
            self.sweep()
        return added

    def judge(self, scope: Scope, adapter_id: str, verdict: Verdict) -> Adapter:
        """Keep what the gate said of a candidate. Raises `InvalidInput` of one that serves, or that it let serve."""
        with self._ledger.write() as connection:
            row = self._row(connection, scope, adapter_id)
            forced = row.status == "retired" and row.verdict is None  # it served, and was never judged
            if row.status not in ("candidate", "rejected") and not forced:
                raise InvalidInput(f"{row.name} is {row.status}; only a candidate is judged.")
            status = "candidate" if verdict.passed else "rejected"
            adapters.set_verdict(connection, row.id, status, verdict.model_dump_json())
            return to_adapter(connection, scope, adapters.by_id(connection, [row.id])[row.id])

    def reject(self, scope: Scope, adapter_id: str, why: str) -> Adapter:
        """Somebody does not want it to serve, whatever the gate said. Raises `InvalidInput` of one that serves, or is
        quarantined."""
        with self._ledger.write() as connection:
            row = self._row(connection, scope, adapter_id)
            if row.status not in ("candidate", "rejected", "retired"):
                raise InvalidInput(
                    f"{row.name} is {row.status}; what serves is rolled back, what does not is rejected."
                )
            said = (verdict_of(row) or Verdict(passed=False)).model_copy(update={"passed": False, "why": why})
            adapters.set_verdict(connection, row.id, "rejected", said.model_dump_json())
            return to_adapter(connection, scope, adapters.by_id(connection, [row.id])[row.id])

    # -- serving -------------------------------------------------------------------------------------------------

    def promote(self, scope: Scope, adapter_id: str, *, force: bool = False, also: Also = None) -> Adapter:
        """Let it serve from now on; what served in its place retires. `also` joins the unit of work.

        Raises `Withheld` unless all it was made of is remembered, its files are whole and (but for `force`) the gate
        let it through; then what served goes on.
        """
        with self._ledger.write() as connection:
            row = self._row(connection, scope, adapter_id)
            refuse(connection, self._ledger, self.files, row, judged=not force)
            if row.status != "serving":
                adapters.promote(connection, row, self._now())
                self._note(connection, PROMOTE, row)
            if also is not None:
                also(connection)
            return to_adapter(connection, scope, adapters.by_id(connection, [row.id])[row.id])

    def rollback(self, scope: Scope, kind: Kind) -> Adapter | None:
        """Let the newest older one of the same base that served and still may serve again, in the place of what does;
        None where there is none: then none of the kind serves. What is rolled back serves again only where somebody
        promotes it by its name."""
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            now = adapters.serving(connection, state.id, kind)
            if now is None:
                return None
            adapters.retire(connection, now.id, self._now())
            self._note(connection, ROLLBACK, now)
            unwanted = rolled_back(connection, state.id)
            for row in reversed(adapters.of_scope(connection, state.id)):
                older = row.kind == kind and row.version < now.version and row.base == now.base
                if older and row.status == "retired" and row.id not in unwanted:
                    try:
                        refuse(connection, self._ledger, self.files, row, judged=False)
                    except Withheld:
                        continue
                    adapters.promote(connection, row, self._now())
                    return to_adapter(connection, scope, adapters.by_id(connection, [row.id])[row.id])
            return None

    def export(self, scope: Scope, adapter_id: str, target: Path, *, password: str | None = None) -> Adapter:
        """Copy an adapter out of the home: into the folder `target`, or encrypted into the file `target`.

        The copy is out of reach: later receipts tell of it. Raises `Withheld` where something it was made of is gone,
        `InvalidInput`, `ModelUnavailable`.
        """
        with self._ledger.write() as connection:  # noted first: of no copy that there is says a receipt nothing
            row = self._exportable(connection, scope, adapter_id)
            check_target(target, password)
            self._note(connection, EXPORT, row)
        with self._ledger.write() as connection:  # nothing is forgotten meanwhile
            row = self._exportable(connection, scope, adapter_id)
            found = to_adapter(connection, scope, row)
            sources = to_sources(adapters.sources_of(connection, row.id))
            told = found.model_dump(mode="json", include={"id", "kind", "base", "recipe", "digest", "made_at"})
            told["sources"] = [each.model_dump() for each in sources]
            export(self.files.path(row.folder), target, row.base, told, password)
            return found

    # -- cleaning up ---------------------------------------------------------------------------------------------

    def withdraw(self, connection: Connection, scope_id: int) -> Quarantine:
        """Quarantine all that was made of a person's memory, in the unit of work that keeps that they consent no more.
        Call `sweep` after it."""
        return quarantine_all(connection, self._ledger, scope_id, None, self._now(), "consent")

    def rebuilt(self, scope: Scope, begun: int) -> None:
        """What was owed to the person by `begun` (microseconds), when a rebuild was begun, is made."""
        with self._ledger.write() as connection:
            due.clear_due(connection, require_scope(connection, scope).id, begun)

    def unteach(self, connection: Connection, scope_id: int, episode_id: str) -> Quarantine:
        """Quarantine what was made of a turn, in the unit of work that keeps another feedback on it. Call `sweep` after
        it."""
        return quarantine_taught(connection, self._ledger, scope_id, bytes.fromhex(episode_id), self._now())

    def sweep(self) -> bool:
        """Remove the files of what is quarantined or has had its day, and what killed processes left; whether nothing
        is left to do."""
        return sweep(self._ledger, self.files, self._kept)

    def faults(self) -> tuple[str, ...]:
        """What does not hold together, each in a sentence."""
        return tuple(faults(self._ledger, self.files))

    # -- inside --------------------------------------------------------------------------------------------------

    def _added(
        self, connection: Connection, scope: Scope, new: NewAdapter, parent: str | None, folder: Path
    ) -> AdapterRow:
        state = require_scope(connection, scope)
        before = adapters.of_digest(connection, state.id, new.kind, new.digest)
        if before is not None and not self.files.damage(before.folder, before.files):
            return before
        from_ = self._row(connection, scope, parent) if parent is not None else None
        weights = [weights_of(connection, self._ledger, from_.id)] if from_ is not None else []
        gone = lost(connection, self._ledger, [*new.sources, *weights])
        if gone or due.consent_of(connection, state.id) is False:
            raise Withheld(
                f"A {new.kind} of {scope.user!r} is not kept: {len(gone)} of the {len(new.sources)} memories that it "
                "was made of are forgotten by now, or may not be distilled; distil again."
            )
        row = adapters.add(connection, state.id, new, self._now(), from_.id if from_ is not None else None)
        adapters.set_folder(connection, row.id, self.files.put(folder, row.id))
        self._note(connection, "adapter", row)
        return adapters.by_id(connection, [row.id])[row.id]

    def _exportable(self, connection: Connection, scope: Scope, adapter_id: str) -> AdapterRow:
        row = self._row(connection, scope, adapter_id)
        why = amiss(connection, self._ledger, self.files, row)
        if why:
            raise Withheld(f"{row.name} is not exported. {why}")
        return row

    def _note(self, connection: Connection, kind: str, row: AdapterRow) -> None:
        detail = {"adapter": row.id, "name": row.name}
        append_event(connection, at=self._now(), kind=kind, scope_id=row.scope_id, detail=detail)
