"""`local_chat`: the local model as a person's own adapter makes it, for as long as that may serve.

What enters: an open `Memory` and whose it is. What leaves: a `LocalChat` that asks the registry for each answer. What
was forgotten meanwhile is not used for the next one: then the last clean adapter serves, or the model as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from memoria.distill.records import Adapter, Kind
from memoria.errors import UnknownUser
from memoria.memory import Memory
from memoria.models.local import LocalChat
from memoria.models.smollm import HUB_NAME

_KINDS: tuple[Kind, ...] = ("lora", "prompt")  # what the local model takes, the better first


def local_chat(
    memory: Memory, *, user: str, tenant: str = "default", base: str | None = None, **settings: Any
) -> LocalChat:
    """The local model with what serves the person at each answer; somebody unknown gets the model as it is.

    Args:
        base: the name that adapters know the model by (None: its path, of the packaged model its name on the hub). An
            adapter of another base does not serve.
        settings: those of `LocalChat`; `path` is by default the model that the memory's settings distil for.
    """
    settings.setdefault("path", memory.settings.distil.model)
    settings.setdefault("cache_dir", memory.settings.cache_dir)
    settings.setdefault("cache", False)  # an answer must not outlive its adapter
    serving = _Serving(memory, user, tenant, base or settings["path"] or HUB_NAME)
    model = LocalChat(**settings, adapter=serving)
    serving.forget = lambda folder: model.pool().forget(folder)
    return model


class _Serving:
    """Finds the folder of what serves a person now; what served before and is quarantined leaves memory when that is
    asked."""

    def __init__(self, memory: Memory, user: str, tenant: str, base: str) -> None:
        self._memory, self._base = memory, base
        self._person = {"user": user, "tenant": tenant}
        self._last: Adapter | None = None
        self.forget: Callable[[Path], None] = lambda _: None

    def __call__(self) -> Path | None:
        now = self._found()
        if self._last is not None and self._last != now and not self._kept(self._last):
            self.forget(self._memory.home / self._last.folder)
        self._last = now
        return None if now is None else self._memory.home / now.folder

    def _found(self) -> Adapter | None:
        try:
            found = (self._memory.serving(kind, **self._person, base=self._base) for kind in _KINDS)
            return next((each for each in found if each is not None), None)
        except UnknownUser:
            return None

    def _kept(self, adapter: Adapter) -> bool:
        """Whether it is still to be had: retired perhaps, but not quarantined."""
        try:
            now = {each.id: each for each in self._memory.adapters(**self._person)}
        except UnknownUser:
            return False
        return adapter.id in now and now[adapter.id].status != "quarantined"
