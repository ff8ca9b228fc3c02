"""Distilling a person's memory: fit, judge, promote.

What enters: a data set, and what serves now. What leaves: candidates in the registry, their verdicts, and what serves
then. What was made of just the same, in just the same way, is not made again. The language model works in a process
apart; the head is fitted here, in milliseconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from memoria.distill import gate
from memoria.distill.base import Base, base_name, base_of, can_measure
from memoria.distill.card import Card, compile_cards
from memoria.distill.choosing import by_head, choose
from memoria.distill.distillation import Distilled, Fitted, Made
from memoria.distill.head import PreferenceHead
from memoria.distill.measure import Measures, ranked
from memoria.distill.process import Heard, Perform, perform_apart
from memoria.distill.recipes import Recipe
from memoria.distill.records import Adapter, Dataset, Kind, Manifest, Pair, Verdict
from memoria.distill.registry import Also, Registry
from memoria.distill.task import Arm, Result, Task
from memoria.distill.train import VERSION
from memoria.errors import InvalidInput, Withheld
from memoria.models.embeddings import Embedder
from memoria.records import Scope
from memoria.settings import Settings

ANY = "any"  # the base of a card
_CHOSEN_BY = 24  # pairs that the candidate cards are compared on


class Knowledge(Protocol):
    """What the distiller asks of a memory."""

    def data(self, scope: Scope, *, facts: bool) -> Dataset:
        """What can be learnt of the person. Raises `UnknownUser`, and `InvalidInput` without consent."""
        ...

    def embedder(self) -> Embedder:
        """What embeds sentences."""
        ...

    def others(self, scope: Scope) -> Iterable[Scope]:
        """The other people of the tenant."""
        ...


@dataclass(frozen=True)
class Distiller:
    """Distils by the settings; `heard` is told of waiting and of each step of a training. `perform` does the work with
    a language model; None: in a process apart."""

    registry: Registry
    knowledge: Knowledge
    settings: Settings
    heard: Heard | None = None
    perform: Perform | None = None

    def fit(self, scope: Scope, kind: Distilled, recipe: Recipe) -> Fitted:
        """A candidate of a kind ("head", "card", "adapter"), or why there is none. Raises `UnknownUser`,
        `InvalidInput`, `TrainingFailed`, `ModelUnavailable`; `Withheld` where something was forgotten meanwhile."""
        fits = {"head": self._fit_head, "card": self._fit_card, "adapter": self._fit_weights}
        if kind not in fits:
            raise InvalidInput(f"There is no kind {kind!r} to distil; there are {', '.join(fits)}.")
        data = self.knowledge.data(scope, facts=recipe.facts and kind == "adapter")
        told = kind == "card" and data.stated.preferences
        if not told and not data.pairs_of("train") and not data.examples_of("train", "preference", "fact"):
            return Fitted(kind=kind, why="nothing to learn from yet: no preference is stated, no answer rated")
        return fits[kind](scope, data, recipe)

    def judge(self, scope: Scope, adapter_id: str) -> Adapter:
        """Ask the gate about a candidate, on the person's held-out data as it is now. What serves, or served, is not
        asked about again."""
        adapter = self.registry.get(scope, adapter_id)
        if adapter.status in ("serving", "retired") and adapter.verdict is not None:
            return adapter
        if adapter.status == "quarantined":
            raise Withheld(f"Something that {adapter.id} was made of was forgotten; distil again.")
        facts = bool(adapter.figures.get("facts"))
        data = self.knowledge.data(scope, facts=facts)
        now = self.registry.serving(scope, adapter.kind)
        now = None if now is not None and now.id == adapter.id else now
        if len(data.pairs_of("held_out")) < self.settings.distil.gate.pairs:  # then no model need be asked
            compared = gate.Compared(ranked([0.0] * len(data.pairs_of("held_out")), data.pairs_of("held_out")))
        elif adapter.kind == "head":
            compared = self._compare_heads(adapter, now, data)
        else:
            compared = self._compare_models(scope, adapter, now, data, facts=facts)
        verdict = gate.judge(compared, self.settings.distil.gate, seed=self.settings.distil.seed)
        try:
            return self.registry.judge(scope, adapter.id, verdict)
        except InvalidInput:
            judged = self.registry.get(scope, adapter.id)
            if judged.verdict is None:
                raise
            return judged  # another process, which distilled the same, let it serve meanwhile

    def settle(self, scope: Scope, fitted: Fitted, also: Also = None) -> Made:
        """Judge what was fitted, and let it serve if it passes; `also` joins the unit of work that does."""
        if fitted.adapter is None or not fitted.fresh:
            return Made(kind=fitted.kind, outcome="nothing", adapter=fitted.adapter, why=fitted.why)
        judged = self.judge(scope, fitted.adapter.id)
        verdict = judged.verdict or Verdict(passed=False, why="not judged")
        if not verdict.passed:
            return Made(kind=fitted.kind, outcome="rejected", adapter=judged, why=verdict.why)
        promoted = self.registry.promote(scope, judged.id, also=also)
        return Made(kind=fitted.kind, outcome="promoted", adapter=promoted)

    # -- fitting -------------------------------------------------------------------------------------------------

    def _fit_head(self, scope: Scope, data: Dataset, recipe: Recipe) -> Fitted:
        pairs, embedder = data.pairs_of("train"), self.knowledge.embedder()
        if not pairs:
            return Fitted(kind="head", why="no pair of answers to learn from yet")
        digest = _digest("head", data.manifest.digest, _content(data), embedder.identity)
        if (before := self._before(scope, "head", digest)) is not None:
            return before
        with self.registry.making(data.manifest) as place:
            head = PreferenceHead.fit(pairs, embedder)
            head.save(place.folder)
            return self._added(
                scope, place.folder, "head", embedder.identity, "bradley-terry", data.manifest, digest, head.figures
            )

    def _fit_card(self, scope: Scope, data: Dataset, recipe: Recipe) -> Fitted:
        stated = data.stated
        cards = compile_cards(stated.preferences, data.pairs, self.settings.distil.card_tokens, stated.episodes)
        if not cards:
            return Fitted(kind="card", why="no preference is stated yet that a card could tell")
        manifest = cards[0].manifest(data.manifest.joined(stated.manifest))
        digest = _digest("card", manifest.digest, cards[0].model_dump_json(), str(len(cards)), base_name(self.settings))
        if (before := self._before(scope, "card", digest)) is not None:
            return before
        with self.registry.making(manifest) as place:
            card, figures = self._chosen(cards, data)
            card.save(place.folder)
            figures = {"tokens": card.tokens, "rules": len(card.shown), "candidates": figures, "card": card.name}
            return self._added(scope, place.folder, "card", ANY, "card", manifest, digest, figures)

    def _fit_weights(self, scope: Scope, data: Dataset, recipe: Recipe) -> Fitted:
        kind: Kind = "lora" if recipe.kind == "lora" else "prompt"
        name = base_name(self.settings)
        digest = _digest(kind, data.manifest.digest, _content(data), recipe.digest, name, str(VERSION))
        if (before := self._before(scope, kind, digest)) is not None:
            return before
        base = base_of(self.settings)
        with self.registry.making(data.manifest, resume=(scope, kind, digest)) as place:
            task = self._task("train", data, base, recipe=recipe, folder=str(place.folder))
            trained = self._perform(task, place.check).trained
            assert trained is not None
            size = sum(each.stat().st_size for each in place.folder.rglob("*") if each.is_file())
            figures = {"facts": recipe.facts, "bytes": size, "seed": recipe.seed, "trained": trained.model_dump()}
            figures |= {"recipe": recipe.model_dump(mode="json"), "counts": data.manifest.counts}
            return self._added(scope, place.folder, kind, name, recipe.name, data.manifest, digest, figures)

    def _before(self, scope: Scope, kind: Kind, digest: str) -> Fitted | None:
        """What was made in just this way of just this, where it is there, and whole."""
        for each in reversed(self.registry.list(scope)):
            same = each.kind == kind and each.digest == digest and each.status != "quarantined"
            if same and not self.registry.files.damage(each.folder, each.files):
                shown: Any = "adapter" if kind in ("lora", "prompt") else kind
                unwanted = each.status == "retired" and self.registry.rolled_back(scope, each.id)
                # A killed run's candidate is yet to be judged or promoted; a retired one is of a memory come back.
                fresh = each.status in ("candidate", "retired") and not unwanted
                why = f"nothing changed since {each.id}, which {'was rolled back' if unwanted else f'is {each.status}'}"
                return Fitted(kind=shown, adapter=each, fresh=fresh, why="" if fresh else why)
        return None

    def _added(
        self,
        scope: Scope,
        folder: Path,
        kind: Kind,
        base: str,
        recipe: str,
        manifest: Manifest,
        digest: str,
        figures: dict[str, Any],
    ) -> Fitted:
        added = self.registry.add(
            scope, folder, kind=kind, base=base, recipe=recipe, manifest=manifest, digest=digest, figures=figures
        )
        return Fitted(kind="adapter" if kind in ("lora", "prompt") else kind, adapter=added, fresh=True)

    def _chosen(self, cards: Sequence[Card], data: Dataset) -> tuple[Card, dict[str, float]]:
        """The best of the candidates, on pairs that the gate does not see, by the model that is configured."""
        pairs = data.pairs_of("train")[:: max(1, len(data.pairs_of("train")) // _CHOSEN_BY)][:_CHOSEN_BY]
        if len(cards) == 1 or not pairs:
            return cards[0], {}
        if not can_measure(self.settings):
            head = PreferenceHead.fit(data.pairs_of("train"), self.knowledge.embedder())
            choice = choose(cards, pairs, by_head(head))
            return choice.card, choice.figures
        shown = data.model_copy(update={"pairs": tuple(_held_out(each) for each in pairs), "examples": ()})
        arms = [Arm(name="none"), *(Arm(name=card.name, system=card.text) for card in cards)]
        task = self._task("measure", shown, base_of(self.settings), arms=tuple(arms), neutral=False)
        measured = self._perform(task).measures
        choice = choose(cards, pairs, lambda card, _: _margins(measured[card.name if card is not None else "none"]))
        return choice.card, choice.figures

    # -- judging -------------------------------------------------------------------------------------------------

    def _compare_heads(self, adapter: Adapter, now: Adapter | None, data: Dataset) -> gate.Compared:
        pairs, embedder = data.pairs_of("held_out"), self.knowledge.embedder()

        def measured(each: Adapter) -> Measures:
            return ranked(list(PreferenceHead.load(self.registry.path(each), embedder).margins(pairs)), pairs)

        before = measured(now) if now is not None and now.base == embedder.identity else None
        return gate.Compared(measured(adapter), now=before)

    def _compare_models(
        self, scope: Scope, adapter: Adapter, now: Adapter | None, data: Dataset, *, facts: bool
    ) -> gate.Compared:
        if adapter.kind == "card" and not can_measure(self.settings):
            pairs = data.pairs_of("held_out")
            rank = by_head(PreferenceHead.fit(data.pairs_of("train"), self.knowledge.embedder()))
            card = Card.load(self.registry.path(adapter))
            return gate.Compared(ranked(list(rank(card, pairs)), pairs))
        base = base_of(self.settings)
        arms = [Arm(name="base"), self._arm("candidate", adapter)]
        if now is not None and now.base == adapter.base:
            arms.append(self._arm("now", now))
        if adapter.kind != "card" and (other := self._another(scope, adapter)) is not None:
            arms.append(self._arm("swapped", other))
        found = self._perform(self._task("measure", data, base, arms=tuple(arms), facts=facts)).measures
        return gate.Compared(found["candidate"], found["base"], found.get("now"), found.get("swapped"), facts)

    def _another(self, scope: Scope, adapter: Adapter) -> Adapter | None:
        """What of the same kind serves somebody else, for the same model."""
        for other in self.knowledge.others(scope):
            found = self.registry.serving(other, adapter.kind, base=adapter.base)
            if found is not None:
                return found
        return None

    def _arm(self, name: str, adapter: Adapter) -> Arm:
        path = self.registry.path(adapter)
        if adapter.kind == "card":
            return Arm(name=name, system=Card.load(path).text)
        return Arm(name=name, adapter=str(path))

    # -- the process apart ---------------------------------------------------------------------------------------

    def _task(self, does: Any, data: Dataset, base: Base, **more: Any) -> Task:
        threads = self.settings.distil.threads
        return Task(does=does, data=data, place=base.place, base=base.name, threads=threads, **more)

    def _perform(self, task: Task, check: Callable[[], None] = lambda: None) -> Result:
        """Do the task; what `check` raises at any of its steps ends it."""

        def heard(facts: dict[str, Any]) -> None:
            check()
            if self.heard is not None:
                self.heard(facts)

        settings = self.settings
        if self.perform is not None:
            return self.perform(task, heard)
        return perform_apart(task, memory_mb=settings.distil.memory_mb, cache_dir=settings.cache_dir, heard=heard)


def _content(data: Dataset) -> str:
    """A name for what is learnt: the same sources may come to other examples by a newer memoria."""
    return hashlib.sha256(data.model_dump_json(include={"examples", "pairs"}).encode()).hexdigest()


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _held_out(pair: Pair) -> Pair:
    return pair.model_copy(update={"split": "held_out"})


def _margins(measures: Measures) -> NDArray[np.float64]:
    return np.array(measures.margins, dtype=np.float64)
