"""The verbs on whom and what beliefs are about: list, merge, take apart, resolve, draw.

What enters: whose memory, and names. What leaves: entities under all their names, merges, the graph. A merge is a row
that can be undone; nothing that was believed is rewritten.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from memoria.clock import from_micros, to_micros
from memoria.errors import InvalidInput, UnknownBelief
from memoria.events import ReadEvent, WriteEvent
from memoria.extract.consequences import subject_key
from memoria.extract.resolve import Resolver
from memoria.reading import Reading
from memoria.recall.explain import entities_of
from memoria.records import Entity, Likeness, Merged, Scope
from memoria.store.belief_shelf import BeliefShelf, names_of
from memoria.store.events import append_event
from memoria.store.merges import RESOLVE, Merge, add_merge, undo_merge
from memoria.store.scopes import require_scope
from memoria.trace import traced

if TYPE_CHECKING:
    import networkx as nx


class Entities(Reading):
    """The part of `Memory` that deals in names."""

    @traced(ReadEvent)
    def entities(self, *, user: str, tenant: str = "default") -> list[Entity]:
        """Everybody and everything that beliefs are about, with all names. Raises `UnknownUser`."""
        return entities_of(self._beliefs_of(self._scope(tenant, user), None))

    @traced(WriteEvent)
    def merge(self, name: str, same_as: str, *, user: str, tenant: str = "default") -> None:
        """Take two names for one entity's, until `unmerge`. Raises `UnknownBelief` for a name that nothing speaks
        of."""
        scope = self._scope(tenant, user)
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            shelf = self._belief_shelves.shelf(connection, state.id)
            keys = [subject_key(each) for each in (name, same_as)]
            known = _keys(shelf)
            for given, key in zip((name, same_as), keys, strict=True):
                if key not in known:
                    raise UnknownBelief(f"No belief speaks of {given!r}; list the names with: memoria entities")
            if keys[0] == keys[1]:
                raise InvalidInput(f"{name!r} and {same_as!r} are one name already.")
            add_merge(connection, state.id, Merge(keys[0], keys[1], to_micros(self._clock())))

    @traced(WriteEvent)
    def unmerge(self, name: str, *, user: str, tenant: str = "default") -> None:
        """Undo the merges of `name`, made by hand or by `resolve`, which will not make them again. Raises
        `UnknownBelief` where there is none."""
        with self._ledger.write() as connection:
            state = require_scope(connection, self._scope(tenant, user))
            if not undo_merge(connection, state.id, subject_key(name), to_micros(self._clock())):
                raise UnknownBelief(f"{name!r} is merged with nothing; list the names with: memoria entities")

    @traced(ReadEvent)
    def merges(self, *, user: str, tenant: str = "default") -> list[Merged]:
        """All merges of names, undone ones too, in the order they were made. Raises `UnknownUser`."""
        shelf = self._beliefs_of(self._scope(tenant, user), None)
        names = names_of(shelf)
        return [
            Merged(
                name=names.get(each.entity, each.entity),
                same_as=names.get(each.same_as, each.same_as),
                made_by="resolve" if each.made_by == RESOLVE else "user",
                score=each.score,
                made_at=from_micros(each.recorded),
                undone_at=from_micros(each.undone) if each.undone is not None else None,
            )
            for each in shelf.merges
        ]

    @traced(WriteEvent)
    def resolve(self, *, user: str, tenant: str = "default", dry_run: bool = False) -> list[Likeness]:
        """Take names for one entity's that are spelt alike and near in meaning, where nothing speaks against it.

        Returns every pair spelt alike, the most alike first: merged (with `dry_run`: to be merged) where `alike`, else
        with why not. The settings' `resolve` says from when on. Undo one with `unmerge(name)`. Raises `UnknownUser`,
        `ModelUnavailable`.
        """
        scope = self._scope(tenant, user)
        found = Resolver(self._beliefs_of(scope, None), self._ontology, self.settings.resolve).likenesses(
            self.embedder.embed
        )
        alike = [(a, b, each.score) for a, b, each in found if each.alike]
        if alike and not dry_run:
            self._merge_alike(scope, alike)
        return [each for _, _, each in found]

    @traced(ReadEvent)
    def graph(self, *, user: str, tenant: str = "default") -> nx.MultiDiGraph[str]:
        """The person's knowledge graph: entities, and an edge for each belief (see `recall.graph.to_networkx`)."""
        from memoria.recall.graph import to_networkx  # noqa: PLC0415  # networkx loads with it

        return to_networkx(self._beliefs_of(self._scope(tenant, user), None))

    # -- inside --------------------------------------------------------------------------------------------------

    def _merge_alike(self, scope: Scope, alike: list[tuple[str, str, float]]) -> None:
        """Merge by score, but what somebody merged, took apart or forgot since they were compared."""
        now = to_micros(self._clock())
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            shelf = self._belief_shelves.shelf(connection, state.id)
            known, apart = _keys(shelf), {frozenset((m.entity, m.same_as)) for m in shelf.merges}
            made = 0
            for one, other, score in alike:
                if {one, other} <= known and frozenset((one, other)) not in apart:
                    add_merge(connection, state.id, Merge(one, other, now, made_by=RESOLVE, score=score))
                    made += 1
            append_event(connection, at=now, kind="resolve", scope_id=state.id, detail={"count": made})

    def _beliefs_of(self, scope: Scope, as_of: datetime | None) -> BeliefShelf:
        self._require_open()
        with self._ledger.read() as connection:
            shelf = self._belief_shelves.shelf(connection, require_scope(connection, scope).id)
        return shelf if as_of is None else shelf.as_of(self._moment(as_of, "as_of"))

    def _moment(self, moment: datetime | None, name: str) -> int:
        if moment is None:
            return to_micros(self._clock())
        if moment.tzinfo is None:
            raise InvalidInput(f"{name} {moment.isoformat()} has no time zone; give an aware datetime.")
        return to_micros(moment)


def _keys(shelf: BeliefShelf) -> set[str]:
    return {key for row in shelf.rows.values() for key in (row.subject, row.object)}
