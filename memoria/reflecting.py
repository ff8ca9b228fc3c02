"""The verbs of reflection: what a history amounts to, in a profile that cites its evidence.

What enters: whose memory, and a chat model where one shall write. What leaves: `Reflection`s and versions of the
`Profile`. A graph may take the four stages one by one; `reflect` takes them all.
"""

from __future__ import annotations

from collections.abc import Callable

from langchain_core.language_models import BaseChatModel
from sqlalchemy import Connection

from memoria.believing import Believing
from memoria.clock import from_micros, to_micros
from memoria.errors import UnknownProfile
from memoria.events import ReadEvent, ReflectionEvent, WriteEvent
from memoria.extract.spending import Budget
from memoria.models.chat import identity_of, load_chat_model
from memoria.recall.profile import still_holds
from memoria.records import Scope
from memoria.reflect.keeping import to_profile
from memoria.reflect.records import (
    Draft,
    Duplicate,
    Gathered,
    Profile,
    ProfileDiff,
    ProfileLine,
    ProfileVersion,
    Reflection,
)
from memoria.reflect.reflector import Reflector
from memoria.reflect.writer import ProfileWriter
from memoria.store import profiles
from memoria.store.scopes import require_scope
from memoria.trace import traced

Model = BaseChatModel | str | None


class Reflecting(Believing):
    """The part of `Memory` that reflects."""

    @traced(ReflectionEvent)
    def reflect(
        self,
        *,
        user: str,
        tenant: str = "default",
        model: Model = None,
        also: Callable[[Connection], None] | None = None,
    ) -> Reflection:
        """Consolidate the person's history into a new version of their profile, where anything in it changed.

        Names spelt alike are taken for one (`resolve`), what recurs becomes an insight, what contradicts itself a
        question. Of an unchanged history nothing is written and no model asked.

        Args:
            model: a chat model, or its name, that writes lines beside those found without one; each line must be
                covered by what it cites. None is the settings' (`reflect.model`), else none.
            also: joins the unit of work that keeps the version; what it raises undoes it.

        Raises:
            UnknownUser: nothing was ever remembered for that person.
            ModelUnavailable, BudgetSpent, ExtractionFailed: of a model; the profile stays as it was.
        """
        draft = self.consolidate(self.gather(user=user, tenant=tenant, model=model), model=model)
        return self.commit(self.check(draft), also=also)

    @traced(ReadEvent)
    def gather(self, *, user: str, tenant: str = "default", model: Model = None) -> Gathered:
        """The first stage: where the history stands, and whether it changed since the newest version."""
        self._require_open()
        named = self._writer_name(model)
        return self._reflector().gather(self._scope(tenant, user), to_micros(self._clock()), named)

    @traced(WriteEvent)
    def consolidate(self, gathered: Gathered, *, model: Model = None) -> Draft:
        """The second stage: the lines that the history comes to. Merges names spelt alike; writes nothing else."""
        self._require_open()
        if gathered.unchanged:
            return Draft(gathered=gathered)
        self._accesses.keep()
        merged = [each for each in self.resolve(user=gathered.user, tenant=gathered.tenant) if each.alike]
        draft = self._reflector().consolidate(gathered, to_micros(self._clock()), self._writer(model))
        found = tuple(Duplicate(name=each.name, same_as=each.same_as, score=each.score) for each in merged)
        return draft.model_copy(update={"duplicates": found})

    @traced(ReadEvent)
    def check(self, draft: Draft) -> Draft:
        """The third stage: only the lines that their evidence supports; the others are `rejected`, with why."""
        self._require_open()
        return self._reflector().check(draft, to_micros(self._clock()))

    @traced(ReflectionEvent)
    def commit(self, draft: Draft, *, also: Callable[[Connection], None] | None = None) -> Reflection:
        """The last stage: keep the draft as a new version where it differs. Committing twice keeps one."""
        self._require_open()
        return self._reflector().commit(draft, to_micros(self._clock()), also)

    @traced(ReadEvent)
    def profile(self, *, user: str, tenant: str = "default", version: int | None = None) -> Profile:
        """The newest version of the person's profile, or the one numbered `version`.

        What was forgotten since is in no version any more; what holds no more is `outdated` in the newest. Raises
        `UnknownUser`, `UnknownProfile`.
        """
        self._require_open()
        scope = self._scope(tenant, user)
        now = to_micros(self._clock())
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            found = profiles.versions(connection, state.id)
            kept = found[-1] if found and version is None else None
            kept = kept or next((each for each in found if each.version == version), None)
            if kept is None:
                raise UnknownProfile(_unknown(scope, version, [each.version for each in found]))
            if kept is not found[-1]:
                return to_profile(connection, scope, state.id, kept, stale=True)
            if self._reflector().follows(connection, state, kept, now):
                return to_profile(connection, scope, state.id, kept, stale=False)
            shelf = self._belief_shelves.shelf(connection, state.id)
            return to_profile(
                connection, scope, state.id, kept, stale=True, holds=lambda row: still_holds(shelf, scope, row, now)
            )

    @traced(ReadEvent)
    def profiles(self, *, user: str, tenant: str = "default") -> list[ProfileVersion]:
        """All versions of the person's profile, the oldest first. Raises `UnknownUser`."""
        self._require_open()
        with self._ledger.read() as connection:
            state = require_scope(connection, self._scope(tenant, user))
            return [
                ProfileVersion(
                    version=each.version,
                    made_at=from_micros(each.made_at),
                    lines=len(profiles.read_lines(connection, each.id)),
                    model=each.model,
                )
                for each in profiles.versions(connection, state.id)
            ]

    @traced(ReadEvent)
    def compare_profiles(self, old: int, new: int, *, user: str, tenant: str = "default") -> ProfileDiff:
        """What version `new` says that `old` does not, and the other way round. Raises `UnknownProfile`."""
        before = self.profile(user=user, tenant=tenant, version=old)
        after = self.profile(user=user, tenant=tenant, version=new)
        had, has = ({_identity(line): line for line in each.lines} for each in (before, after))
        return ProfileDiff(
            old=old,
            new=new,
            added=tuple(line for key, line in has.items() if key not in had),
            removed=tuple(line for key, line in had.items() if key not in has),
        )

    # -- inside --------------------------------------------------------------------------------------------------

    def _reflector(self) -> Reflector:
        return Reflector(self._ledger, self._belief_shelves, self._ontology, self.settings.reflect)

    def _writer(self, model: Model) -> ProfileWriter | None:
        settings = self.settings.reflect
        chosen = model if model is not None else settings.model
        if chosen is None:
            return None
        budget = Budget(
            tokens=settings.budget_tokens,
            money=settings.budget_money,
            price_in=settings.price_in,
            price_out=settings.price_out,
        )
        if isinstance(chosen, str):
            return ProfileWriter(load_chat_model(chosen), budget, identity=chosen)
        return ProfileWriter(chosen, budget)

    def _writer_name(self, model: Model) -> str | None:
        chosen = model if model is not None else self.settings.reflect.model
        return identity_of(chosen) if isinstance(chosen, BaseChatModel) else chosen


def _identity(line: ProfileLine) -> tuple[object, ...]:
    """What makes a line the same in two versions: its words, and what it rests on."""
    return line.says, frozenset(line.belief_ids), frozenset(line.episode_ids)


def _unknown(scope: Scope, version: int | None, known: list[int]) -> str:
    if version is None:
        return f"No profile of {scope.user!r} was made yet; make one with: memoria reflect --user {scope.user}"
    made = f"there are {known[0]} to {known[-1]}" if known else "none was made yet"
    return f"There is no version {version} of the profile of {scope.user!r}; {made}."
