"""Reflection in four stages: gather, consolidate, check, commit.

What enters: whose memory. What leaves: a `Reflection`, and with it a new version of the profile where anything in it
changed. Each stage takes what the one before it made, as plain records, and none but `commit` writes, so that a process
may die between any two of them and go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from memoria.clock import from_micros, to_micros
from memoria.extract.ontology import Ontology
from memoria.records import Scope
from memoria.reflect.assemble import ranked
from memoria.reflect.contrast import peers_of, taste_rarity, term_rarity
from memoria.reflect.grouping import grouped
from memoria.reflect.keeping import to_rows
from memoria.reflect.lines import belief_lines, concern_lines, question_lines, style_lines, topic_lines
from memoria.reflect.material import Material, basis_of, read_material
from memoria.reflect.records import Contradiction, Draft, Gathered, ProfileLine, Reflection
from memoria.reflect.topics import topics
from memoria.reflect.verify import Verifier
from memoria.reflect.writer import ProfileWriter, absorbed
from memoria.settings import ReflectSettings
from memoria.store import profiles
from memoria.store.belief_shelf import BeliefShelves
from memoria.store.events import append_event
from memoria.store.ledger import Ledger
from memoria.store.profiles import LineRow, ProfileRow
from memoria.store.scopes import ScopeState, require_scope

Also = Callable[[Connection], None]


class Reflector:
    """Reflects in one home."""

    def __init__(
        self,
        ledger: Ledger,
        shelves: BeliefShelves,
        ontology: Ontology,
        settings: ReflectSettings,
        max_lines: int = 400,
    ) -> None:
        self._ledger, self._shelves, self._ontology, self._settings = ledger, shelves, ontology, settings
        self._max_lines = max_lines

    def gather(self, scope: Scope, now: int, model: str | None) -> Gathered:
        """Where the history stands. Raises `UnknownUser`."""
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            basis = self._basis(connection, state, model)
            head = profiles.latest(connection, state.id)
            fresh = head is not None and self.follows(connection, state, head, now, model)
            shelf = self._shelves.shelf(connection, state.id)
            return Gathered(
                tenant=scope.tenant,
                user=scope.user,
                basis=basis,
                unchanged=fresh,
                version=head.version if head is not None else 0,
                turns=profiles.count_turns(connection, state.id),
                beliefs=sum(1 for _ in shelf.heads()),
            )

    def consolidate(self, gathered: Gathered, now: int, writer: ProfileWriter | None) -> Draft:
        """The lines that the history comes to; of an unchanged one none are made, and no model is asked."""
        if gathered.unchanged:
            return Draft(gathered=gathered)
        scope = Scope(tenant=gathered.tenant, user=gathered.user)
        with self._ledger.read() as connection:
            state, material = self._material(connection, scope, now)
            basis = self._basis(connection, state, writer.name if writer else None)
            lines, apart = self._lines(connection, state, scope, material)
        written: list[ProfileLine] = []
        if writer is not None:
            proposed = writer.write(lines, material)
            written, refused = Verifier(material, self._ontology).verified(proposed)
            lines = [*absorbed(lines, written), *written]
        else:
            refused = []
        until = material.good_until
        return Draft(
            gathered=gathered.model_copy(update={"basis": basis}),
            lines=tuple(lines),
            rejected=tuple(refused),
            contradictions=tuple(apart),
            good_until=from_micros(until) if until is not None else None,
            model=writer.name if writer else None,
            tokens_spent=writer.budget.tokens if writer else 0,
            money_spent=writer.budget.money if writer else 0.0,
        )

    def check(self, draft: Draft, now: int) -> Draft:
        """The draft with the lines alone that their evidence supports, as it stands now."""
        if draft.gathered.unchanged:
            return draft
        scope = Scope(tenant=draft.gathered.tenant, user=draft.gathered.user)
        with self._ledger.read() as connection:
            _, material = self._material(connection, scope, now)
        kept, rejected = Verifier(material, self._ontology).verified(draft.lines)
        return draft.model_copy(update={"lines": tuple(kept), "rejected": (*draft.rejected, *rejected)})

    def commit(self, draft: Draft, now: int, also: Also | None) -> Reflection:
        """Keep the draft as a new version where it differs from the newest one; `also` joins the unit of work.

        What happened since it was checked is checked again under the ledger's lock; committing twice keeps one.
        """
        gathered = draft.gathered
        scope = Scope(tenant=gathered.tenant, user=gathered.user)
        if gathered.unchanged and also is None:
            return _reflection(draft, gathered.version, False, 0, 0)
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            made = self._keep(connection, state, scope, draft, now)
            if also is not None:
                also(connection)
        return made

    def follows(
        self, connection: Connection, state: ScopeState, kept: ProfileRow, now: int, model: str | None = None
    ) -> bool:
        """Whether a version follows from the history as it stands at `now`, made with `model` or its own."""
        fresh = kept.basis == self._basis(connection, state, model or kept.model)
        return fresh and (kept.good_until is None or now < kept.good_until)

    # -- inside --------------------------------------------------------------------------------------------------

    def _keep(self, connection: Connection, state: ScopeState, scope: Scope, draft: Draft, now: int) -> Reflection:
        head = profiles.latest(connection, state.id)
        gathered = draft.gathered
        if gathered.unchanged or (
            head is not None and head.basis == gathered.basis and head.version > gathered.version
        ):
            return _reflection(draft, head.version if head else 0, False, 0, 0)
        lines: Sequence[ProfileLine] = draft.lines
        if self._basis(connection, state, draft.model) != gathered.basis:
            _, material = self._material(connection, scope, now)
            lines, _ = Verifier(material, self._ontology).verified(lines)
        shelf = self._shelves.shelf(connection, state.id)
        rows = to_rows(connection, shelf, state.id, ranked(lines, self._settings.profile_tokens))
        before = {_says(each) for each in (profiles.read_lines(connection, head.id) if head is not None else ())}
        after = {_says(each) for each in rows}
        until = to_micros(draft.good_until) if draft.good_until is not None else None
        if head is not None and before == after:
            same = replace(head, basis=gathered.basis, good_until=until, lines=rows)
            profiles.follow(connection, self._ledger, state.id, same)
            return _reflection(draft, head.version, False, 0, 0)
        version = head.version + 1 if head is not None else 1
        made = ProfileRow(0, version, now, gathered.basis, until, draft.model, rows)
        profiles.add_version(connection, self._ledger, state.id, made)
        counts = {"version": version, "added": len(after - before), "removed": len(before - after)}
        append_event(connection, at=now, kind="reflect", scope_id=state.id, detail=counts)
        return _reflection(draft, version, True, counts["added"], counts["removed"])

    def _basis(self, connection: Connection, state: ScopeState, model: str | None) -> str:
        return basis_of(connection, state, f"{self._settings.profile_tokens}/{self._settings.peers}/{model or ''}")

    def _material(self, connection: Connection, scope: Scope, now: int) -> tuple[ScopeState, Material]:
        state = require_scope(connection, scope)
        # A unit of work sees what it wrote itself; the cached shelf is of what is committed, which here is the same.
        return state, read_material(connection, self._shelves.shelf(connection, state.id), scope, state, now)

    def _lines(
        self, connection: Connection, state: ScopeState, scope: Scope, material: Material
    ) -> tuple[list[ProfileLine], list[Contradiction]]:
        rarity, tastes = dict[str, float](), dict[str, float]()
        peers = peers_of(connection, scope, state.id) if self._settings.peers else []
        if peers:
            rarity = term_rarity(connection, peers, [each.term for each in topics(material.turns)])
            tastes = taste_rarity(connection, peers, material.known)
        groups = grouped(material.known, self._ontology, material.moment)
        believed = [
            line.model_copy(update={"strength": line.strength * weight})
            for line in belief_lines(material, self._ontology, groups)
            if (weight := tastes.get(line.belief_ids[0], 1.0)) > 0
        ]
        questions, apart = question_lines(material)
        found = [
            *believed,
            *topic_lines(material, rarity),
            *style_lines(material),
            *concern_lines(material),
            *questions,
        ]
        return found, apart


def _says(line: LineRow) -> tuple[str, str, str, frozenset[int], frozenset[int], bool]:
    return line.section, line.kind, line.text, frozenset(line.beliefs), frozenset(line.episodes), line.shown


def _reflection(draft: Draft, version: int, changed: bool, added: int, removed: int) -> Reflection:
    return Reflection(
        tenant=draft.gathered.tenant,
        user=draft.gathered.user,
        version=version,
        changed=changed,
        added=added,
        removed=removed,
        insights=tuple(line for line in draft.lines if line.kind == "insight"),
        contradictions=draft.contradictions,
        duplicates=draft.duplicates,
        rejected=draft.rejected,
        tokens_spent=draft.tokens_spent,
        money_spent=draft.money_spent,
    )
