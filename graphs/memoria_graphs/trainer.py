"""memoria's own trainer: the distillation graph's nodes over the memory's verbs.

What enters: an open memory, and what of the settings a run has otherwise. What leaves: candidates in the memory's
registry, of every kind that is wanted; verdicts; what serves. Nothing is kept here: a run that was killed finds what it
made in the registry, by its digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from memoria import Memory, UnknownUser, Withheld
from memoria.distill.base import base_name
from memoria.distill.distillation import Distilled
from memoria.distill.process import Heard, Perform
from memoria.distill.recipes import Recipe, load_recipe
from memoria.distill.records import Adapter
from memoria.distill.registry import Also
from memoria.errors import MemoriaError, ModelUnavailable, TrainingFailed
from memoria.records import Scope
from memoria_graphs.training import Candidate, Sources, Training, Verdict

_WEIGHTS = ("lora", "prompt")


@dataclass(frozen=True)
class MemoriaTrainer:
    """Distils `kinds` by `recipe` (None: the settings').

    `heard` is told of waiting and of each step, and what it raises ends the training; `also` joins each unit of work
    that lets something serve, and what it raises undoes it; `perform` does the work with a language model somewhere
    else than in a process of this machine.
    """

    memory: Memory
    recipe: Recipe | str | None = None
    kinds: Sequence[Distilled] | None = None
    heard: Heard | None = None
    also: Also = None
    perform: Perform | None = None

    @property
    def facts(self) -> bool:
        """Whether facts are learnt, too: by an adapter, where its recipe says so."""
        return "adapter" in self._kinds and self._recipe.facts

    def last(self, tenant: str, user: str) -> Sources | None:
        """What the oldest of that which serves was made of; None where one of the kinds does not serve.

        A card is made of some of the preferences only, so it is asked where there is nothing else.
        """
        serving = {_shown(each): each for each in self._adapters(tenant, user) if each.status == "serving"}
        if not set(self._kinds) <= serving.keys():
            return None
        asked = [serving[kind] for kind in self._kinds if kind != "card"] or [serving[kind] for kind in self._kinds]
        if not asked:
            return None
        oldest = min(asked, key=lambda each: each.made_at)
        origins = self.memory.adapter(oldest.id, user=user, tenant=tenant).origins
        beliefs = tuple(each.id for each in origins if each.kind == "belief")
        return Sources(tenant, user, beliefs, tuple(each.id for each in origins if each.kind == "episode"))

    def owes(self, tenant: str, user: str) -> str:
        """Something that serves was forgotten of, is damaged, was made for another model, or a run was cut short."""
        if Scope(tenant=tenant, user=user) in self.memory.owed():
            return "a rebuild is owed since something was forgotten"
        newest = {_shown(each): each for each in self._adapters(tenant, user) if each.status != "quarantined"}
        for each in newest.values():
            if each.status == "candidate":
                return f"{each.id} is yet to be judged or promoted"
            if each.status == "serving":
                permit = self.memory.may_serve(each.id, user=user, tenant=tenant, base=self._base(each))
                if not permit.may:
                    return f"{each.id} may not serve: {permit.why}"
        return ""

    def train(self, sources: Sources) -> Training:
        """A candidate of each kind, but where nothing changed for it. One that cannot be trained keeps no other from
        being made; where nothing else is new, it raises what the last one did: `ModelUnavailable`, `TrainingFailed`."""
        candidates, without, failed = list[Candidate](), dict[str, str](), list[str]()
        problem: ModelUnavailable | TrainingFailed | None = None
        whose: dict[str, Any] = {"user": sources.user, "tenant": sources.tenant}
        for kind in self._kinds:
            try:
                fitted = self.memory.fit(kind, recipe=self._recipe, heard=self.heard, perform=self.perform, **whose)
            except (ModelUnavailable, TrainingFailed) as error:
                without[kind], problem = str(error), error
                failed.append(kind)
                continue
            if fitted.adapter is not None and fitted.fresh:
                figures = _numbers(fitted.adapter.figures)
                candidates.append(Candidate(fitted.adapter.id, kind, sources=sources.digest, figures=figures, **whose))
            else:
                without[kind] = fitted.why
        if problem is not None and not candidates:
            raise problem
        return Training(tuple(candidates), without, tuple(failed))

    def judge(self, candidate: Candidate) -> Verdict:
        """Ask the gate, unless it serves already: then the gate was asked. Raises `Withheld`, `ModelUnavailable`,
        `TrainingFailed`."""
        whose: dict[str, Any] = {"user": candidate.user, "tenant": candidate.tenant}
        now = self.memory.adapter(candidate.id, **whose).adapter
        if now.status != "serving":
            try:
                now = self.memory.judge(candidate.id, heard=self.heard, perform=self.perform, **whose)
            except MemoriaError as error:  # its files may be gone by now, wherever they are read
                if self.memory.adapter(candidate.id, **whose).adapter.status != "quarantined":
                    raise
                raise Withheld(f"Something that {candidate.id} was made of was forgotten meanwhile.") from error
        if now.verdict is None:  # somebody let it serve by force
            return Verdict(candidate.id, True, "", {})
        return Verdict(candidate.id, now.verdict.passed, now.verdict.why, dict(now.verdict.figures))

    def promote(self, candidate: Candidate, verdict: Verdict) -> None:
        """Let it serve. Raises `Withheld`."""
        self.memory.promote(candidate.id, user=candidate.user, tenant=candidate.tenant, also=self.also)

    def refuse(self, candidate: Candidate) -> None:
        """Let no later run promote it; what was forgotten or serves meanwhile stays as it is."""
        with suppress(MemoriaError):
            self.memory.reject(candidate.id, user=candidate.user, tenant=candidate.tenant)

    def settle(self, sources: Sources) -> None:
        """The rebuild that was owed is made, if all was made that the settings ask for."""
        if set(self.memory.settings.distil.kinds) <= set(self._kinds):
            with suppress(UnknownUser):
                self.memory.rebuilt(sources.at, user=sources.user, tenant=sources.tenant)

    # -- inside --------------------------------------------------------------------------------------------------

    @property
    def _kinds(self) -> Sequence[Distilled]:
        return self.memory.settings.distil.kinds if self.kinds is None else self.kinds

    @property
    def _recipe(self) -> Recipe:
        if isinstance(self.recipe, Recipe):
            return self.recipe
        settings = self.memory.settings
        return load_recipe(self.recipe or settings.distil.recipe, settings.folder)

    def _base(self, adapter: Adapter) -> str | None:
        """What it should have been made for; None where that is all the same."""
        if adapter.kind in _WEIGHTS:
            return base_name(self.memory.settings)
        return self.memory.embedder.identity if adapter.kind == "head" else None

    def _adapters(self, tenant: str, user: str) -> list[Adapter]:
        return self.memory.adapters(user=user, tenant=tenant)


def _shown(adapter: Adapter) -> str:
    return "adapter" if adapter.kind in _WEIGHTS else adapter.kind


def _numbers(figures: dict[str, Any]) -> dict[str, float]:
    return {name: float(each) for name, each in figures.items() if isinstance(each, int | float)}
