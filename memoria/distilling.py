"""The verbs of distillation: what a memory becomes outside of itself.

What enters: whose memory, and by which recipe. What leaves: adapters that the gate let through.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from memoria.clock import to_micros
from memoria.distill.asking import asked_of
from memoria.distill.audit import Audit, audit
from memoria.distill.base import base_name, base_of
from memoria.distill.details import AdapterDetail, Comparison
from memoria.distill.distillation import Distillation, Distilled, Fitted
from memoria.distill.distiller import Distiller
from memoria.distill.exposure import CONTROLS
from memoria.distill.head import PreferenceHead
from memoria.distill.process import Heard, Perform
from memoria.distill.recipes import Recipe, load_recipe
from memoria.distill.records import Adapter, Dataset, Kind, Permit
from memoria.distill.registry import Also
from memoria.errors import MemoriaError
from memoria.events import ReadEvent, WriteEvent
from memoria.models.embeddings import Embedder
from memoria.records import Scope
from memoria.teaching import Teaching
from memoria.trace import traced


class Distilling(Teaching):
    """The part of `Memory` that distils."""

    @traced(ReadEvent)
    def adapters(self, *, user: str, tenant: str = "default") -> list[Adapter]:
        """Everything that was distilled of the person, in the order it was made. Raises `UnknownUser`."""
        self._require_open()
        return [*self._registry.list(self._scope(tenant, user))]

    @traced(ReadEvent)
    def adapter(self, adapter_id: str, *, user: str, tenant: str = "default") -> AdapterDetail:
        """One of the person's adapters: each belief and turn that it was made of as it stands now, and whether it may
        serve. Raises `UnknownUser`, `UnknownAdapter`."""
        self._require_open()
        return self._registry.detail(self._scope(tenant, user), adapter_id, self._belief_shelves.shelf)

    @traced(ReadEvent)
    def may_serve(self, adapter_id: str, *, user: str, tenant: str = "default", base: str | None = None) -> Permit:
        """May it serve now (with `base`: upon that model)? Found anew at each ask: it must be what serves, all that it
        was made of be remembered as it was said then, its files be whole. Raises `UnknownUser`, `UnknownAdapter`."""
        self._require_open()
        return self._registry.may_serve(self._scope(tenant, user), adapter_id, base=base)

    @traced(ReadEvent)
    def serving(self, kind: Kind, *, user: str, tenant: str = "default", base: str | None = None) -> Adapter | None:
        """What of a kind serves the person now (with `base`: upon that model); None where nothing does, or may. Its
        files are in `home / adapter.folder`. Raises `UnknownUser`."""
        self._require_open()
        return self._registry.serving(self._scope(tenant, user), kind, base=base)

    @traced(ReadEvent)
    def head(self, *, user: str, tenant: str = "default") -> PreferenceHead | None:
        """The preference head that serves the person, for answers of any language model: `best_of` ranks candidates,
        `rerank` texts beside their relevance. None where none serves, or may. Raises `UnknownUser`."""
        found = self.serving("head", user=user, tenant=tenant, base=self.embedder.identity)
        return PreferenceHead.load(self.home / found.folder, self.embedder) if found is not None else None

    @traced(WriteEvent)
    def promote(
        self, adapter_id: str, *, user: str, tenant: str = "default", force: bool = False, also: Also = None
    ) -> Adapter:
        """Let an adapter serve; what served in its place retires. With `force`, whatever the gate said of it; `also`
        joins the unit of work, and what it raises undoes it.

        Raises `Withheld` (then what served goes on), `UnknownUser`, `UnknownAdapter`.
        """
        self._require_open()
        return self._registry.promote(self._scope(tenant, user), adapter_id, force=force, also=also)

    @traced(WriteEvent)
    def reject(
        self, adapter_id: str, *, user: str, tenant: str = "default", why: str = "a human refused it"
    ) -> Adapter:
        """Keep what does not serve from serving, whatever the gate said: no job lets it serve, `promote` only by force.
        Raises `InvalidInput` where it serves, `UnknownUser`, `UnknownAdapter`."""
        self._require_open()
        return self._registry.reject(self._scope(tenant, user), adapter_id, why)

    @traced(WriteEvent)
    def rollback(self, kind: Kind, *, user: str, tenant: str = "default") -> Adapter | None:
        """Take what serves out of service, for the newest older one of the same base that served and still may; None
        where there is none. What is taken out serves again only where it is promoted by its name. Raises
        `UnknownUser`."""
        self._require_open()
        return self._registry.rollback(self._scope(tenant, user), kind)

    @traced(WriteEvent)
    def export_adapter(
        self, adapter_id: str, target: str | Path, *, user: str, tenant: str = "default", password: str | None = None
    ) -> Adapter:
        """Copy an adapter with its manifest into the new folder `target`, in PEFT's layout; with a password, encrypted
        into one new file. Forgetting cannot reach the copy: receipts say that there is one.

        Raises `Withheld` where what it was made of is forgotten, `InvalidInput`, `UnknownUser`, `UnknownAdapter`,
        `ModelUnavailable` (the package that encrypts is missing).
        """
        self._require_open()
        return self._registry.export(self._scope(tenant, user), adapter_id, Path(target), password=password)

    @traced(ReadEvent)
    def compare_adapters(self, one: str, other: str, *, user: str, tenant: str = "default") -> Comparison:
        """How two of the person's adapters differ, in figures and in what they were made of. Raises `UnknownUser`,
        `UnknownAdapter`."""
        self._require_open()
        return self._registry.compare(self._scope(tenant, user), one, other)

    @traced(ReadEvent)
    def owed(self) -> list[Scope]:
        """Everybody to whom a rebuild is owed, since something that an adapter was made of was forgotten; the longest
        owed first. Who withholds consent is owed none."""
        self._require_open()
        return [*self._registry.owed()]

    @traced(WriteEvent)
    def distill(
        self,
        *,
        user: str,
        tenant: str = "default",
        recipe: Recipe | str | None = None,
        kinds: Sequence[Distilled] | None = None,
        heard: Heard | None = None,
        also: Also = None,
    ) -> Distillation:
        """Make of the person's memory what a model can carry, and let serve what the gate lets through.

        Args:
            recipe: how an adapter is trained: a name, or a `Recipe`; None is the settings' (`distil.recipe`).
            kinds: "head", "card", "adapter"; None is the settings'.
            heard: told of waiting for the machine, and of each step of a training; what it raises ends it.
            also: joins each unit of work in which something is promoted; what it raises undoes it.

        Raises:
            UnknownUser; InvalidInput: without consent, or of an unknown recipe.
            ModelUnavailable, TrainingFailed: what serves goes on; what was made before it stays.
            Withheld: something that it was made of was forgotten meanwhile.
        """
        distiller, scope = self._distiller(heard), self._scope(tenant, user)
        chosen, begun = self._recipe(recipe), to_micros(self._clock())
        wanted = self.settings.distil.kinds if kinds is None else kinds
        with self._finishing():
            made = [distiller.settle(scope, distiller.fit(scope, kind, chosen), also) for kind in wanted]
        if set(self.settings.distil.kinds) <= set(wanted):
            self._registry.rebuilt(scope, begun)
        return Distillation(tenant=tenant, user=user, made=tuple(made))

    @traced(WriteEvent)
    def fit(
        self,
        kind: Distilled,
        *,
        user: str,
        tenant: str = "default",
        recipe: Recipe | str | None = None,
        heard: Heard | None = None,
        perform: Perform | None = None,
    ) -> Fitted:
        """The first stage of `distill`: a candidate of a kind, or why there is none. Nothing serves of it yet.
        `perform` does the work with a language model somewhere else than in a process of this machine."""
        distiller = self._distiller(heard, perform)
        with self._finishing():
            return distiller.fit(self._scope(tenant, user), kind, self._recipe(recipe))

    @traced(WriteEvent)
    def judge(
        self,
        adapter_id: str,
        *,
        user: str,
        tenant: str = "default",
        heard: Heard | None = None,
        perform: Perform | None = None,
    ) -> Adapter:
        """The second stage: ask the gate about a candidate. The third is `promote`, the last `rebuilt`. Raises
        `UnknownAdapter`."""
        distiller = self._distiller(heard, perform)
        with self._finishing():
            return distiller.judge(self._scope(tenant, user), adapter_id)

    @traced(WriteEvent)
    def rebuilt(self, begun: int, *, user: str, tenant: str = "default") -> None:
        """The rebuild that was owed to the person when it was `begun` (microseconds) is made. Raises `UnknownUser`."""
        self._require_open()
        self._registry.rebuilt(self._scope(tenant, user), begun)

    @traced(ReadEvent)
    def exposure(
        self, text: str, *, user: str, tenant: str = "default", ask: str | None = None, controls: int = CONTROLS
    ) -> Audit:
        """Whether the weights that serve the person give away what `text` holds: its rank, by likelihood, among
        `controls` values of the same form drawn by chance, with what serves and without it.

        Give the sentence as it was said ("My locker code is 741926"), or with `ask` the question that it answers: of a
        bare number nobody knows what to ask for. It need not be remembered any more.

        Raises `UnknownUser`; `InvalidInput` where there are too few values of that form; `ModelUnavailable`.
        """
        self._require_open()
        scope, name = self._scope(tenant, user), base_name(self.settings)
        kinds: tuple[Kind, Kind] = ("lora", "prompt")
        serving = [found for kind in kinds if (found := self._registry.serving(scope, kind, base=name)) is not None]
        asked, place = asked_of(text, self._ontology, ask), base_of(self.settings).place
        if not serving:
            return audit(asked, place, controls=controls)
        found = [audit(asked, place, (each.id, self._registry.path(each)), controls=controls) for each in serving]
        return max(found, key=lambda each: each.serving.bits if each.serving is not None else 0.0)

    # -- inside --------------------------------------------------------------------------------------------------

    @contextmanager
    def _finishing(self) -> Generator[None]:
        """Finish an erasure that had to wait for a training of what it erased, however that ended."""
        try:
            yield
        except Exception:
            with suppress(MemoriaError):  # else whoever opens the home next does
                self._eraser.finish(to_micros(self._clock()))
            raise

    def _recipe(self, recipe: Recipe | str | None) -> Recipe:
        if isinstance(recipe, Recipe):
            return recipe
        return load_recipe(recipe or self.settings.distil.recipe, self.settings.folder)

    def _distiller(self, heard: Heard | None, perform: Perform | None = None) -> Distiller:
        self._require_open()
        return Distiller(self._registry, _Known(self), self.settings, heard, perform)


class _Known:
    """What the distiller asks of a memory."""

    def __init__(self, memory: Distilling) -> None:
        self._memory = memory

    def data(self, scope: Scope, *, facts: bool) -> Dataset:
        return self._memory.dataset(user=scope.user, tenant=scope.tenant, facts=facts)

    def embedder(self) -> Embedder:
        return self._memory.embedder

    def others(self, scope: Scope) -> list[Scope]:
        return [each for each in self._memory.users(tenant=scope.tenant) if each != scope]
