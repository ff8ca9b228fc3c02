"""Adapters of many people on one base, a few of them in memory.

What enters: prompts, each with the folder of an adapter or none. What leaves: answers, of mixed people by one forward
pass. The `AdapterPool` keeps at most so many adapters, and so many bytes of them; the least recently used makes room,
and one of the same layout is copied over it, which takes less than a short forward pass, while loading takes the longer
the more are there (PEFT's `hotswap`; S-LoRA, Sheng et al., 2023, for the idea of a pool).

An adapter is looked up anew for each token: one whose files are gone, or which was forgotten, ends even the answer that
is under way. Whoever names a folder checks first that it may serve and is whole (the registry does).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from memoria.errors import InvalidInput, ModelUnavailable
from memoria.models.adapter_files import Head, head, stamp, weights
from memoria.models.generation import Loaded, Processor, Request, Sampling, answers, load_weights, tokens_of
from memoria.models.slots import BASE, Slots

Said = Sequence[tuple[str, str]]  # (role, text)

_MB = 1_000_000
_SHARING = threading.Lock()


@dataclass(frozen=True)
class _Resident:
    head: Head
    slot: str = ""  # of a LoRA
    prompt: Any = None  # of a soft prompt: (tokens, width)


class AdapterPool:
    """Adapters on the base `model`: loaded already, or a folder or name of one. Safe for use from several threads: one
    forward pass at a time.

    Args:
        slots: at most so many LoRA adapters at once.
        memory_mb: at most so many megabytes of adapters at once.
    """

    def __init__(self, model: Loaded | str | Path, *, slots: int = 8, memory_mb: float = 128.0) -> None:
        if slots < 1:
            raise InvalidInput(f"A pool needs a slot at least; slots={slots} has none.")
        self.loaded = model if isinstance(model, Loaded) else load_weights(str(model), "cpu")
        self._torch: Any = import_module("torch")
        self._limit = int(memory_mb * _MB)
        self._slots, self._free = Slots(self.loaded.model), [f"slot{number:03}" for number in reversed(range(slots))]
        self._count = slots
        self._resident: OrderedDict[Path, _Resident] = OrderedDict()
        self._forgotten: set[Path] = set()
        self._lock = threading.RLock()

    @property
    def resident(self) -> tuple[Path, ...]:
        """The adapters in memory, the least recently used first."""
        with self._lock:
            return tuple(self._resident)

    @property
    def resident_bytes(self) -> int:
        """How large they are."""
        with self._lock:
            return sum(each.head.bytes for each in self._resident.values())

    def generate(
        self,
        asked: Sequence[tuple[Said, Path | None]],
        sampling: Sampling | Sequence[Sampling],
        *,
        stop: Sequence[str] = (),
        processors: Sequence[Processor] = (),
    ) -> list[str]:
        """An answer to each of `asked`: (role, text) messages with the person's adapter, or with none. As many share a
        forward pass as have room in the pool; `sampling` is one for all or one for each."""
        each = [sampling] * len(asked) if isinstance(sampling, Sampling) else sampling
        requests = [
            Request(tokens_of(self.loaded, said), how, stop, processors, adapter)
            for (said, adapter), how in zip(asked, each, strict=True)
        ]
        return [text for text, _ in self.answers(requests)]

    def answers(self, requests: Sequence[Request]) -> list[tuple[str, int]]:
        """The whole answers, each with how many tokens it has; as many by one forward pass as have room."""
        done: dict[int, tuple[str, int]] = {}
        for numbers in self._batches([each.adapter for each in requests]):
            made = answers(self.loaded, [requests[number] for number in numbers], self)
            done.update(zip(numbers, made, strict=True))
        return [done[number] for number in range(len(requests))]

    @contextmanager
    def use(self, adapter: Path | None) -> Generator[Any]:
        """The model with that LoRA adapter (None: the base), for as long as the block runs; others wait."""
        with self._lock:
            if adapter is None:
                yield self.loaded.model
                return
            found = self._admit(adapter.absolute(), set())
            if not found.slot:
                raise InvalidInput(f"{adapter} is a soft prompt, which stands before a prompt; generate with it.")
            yield self._slots.one(found.slot)

    def forget(self, adapter: Path) -> None:
        """Overwrite that adapter in memory and let it go at once, and for ever refuse one of that folder."""
        with self._lock:
            self._forgotten.add(adapter.absolute())
            self._drop(adapter.absolute())

    def prefix(self, adapter: Path | None) -> Any:
        """The embeddings of a soft prompt, the caller's own to keep; None for another adapter, or none."""
        if adapter is None:
            return None
        with self._lock:
            self._sweep()
            prompt = self._admit(adapter.absolute(), set()).prompt
            return None if prompt is None else prompt.clone()  # ours is overwritten when it makes room

    def forward(self, adapters: Sequence[Path | None], inputs: dict[str, Any]) -> Any:
        """The model's output for `inputs`, each row with its adapter."""
        paths = [None if each is None else each.absolute() for each in adapters]
        with self._lock:
            needed = {each for each in paths if each is not None}
            slots = {each: self._admit(each, needed).slot or BASE for each in needed}
            named = [BASE if each is None else slots[each] for each in paths]
            if set(named) == {BASE}:
                return self.loaded.model(**inputs)
            if len(set(named)) == 1:
                return self._slots.one(named[0])(**inputs)
            return self._slots.mixed(named, inputs)

    def _batches(self, adapters: Sequence[Path | None]) -> list[list[int]]:
        """The rows, in batches whose adapters have room at once."""
        batches: list[list[int]] = [[]]
        within: dict[Path, Head] = {}
        for number, adapter in enumerate(adapters):
            if adapter is not None and (path := adapter.absolute()) not in within:
                within[path] = self._head(path)
                loras = sum(each.kind == "lora" for each in within.values())
                if loras > self._count or sum(each.bytes for each in within.values()) > self._limit:
                    within = {path: within[path]}
                    batches.append([])
            batches[-1].append(number)
        return [each for each in batches if each]

    def _head(self, path: Path) -> Head:
        """What that adapter is now; where it is gone, or was forgotten, it is not kept in memory either."""
        with self._lock:
            if path in self._forgotten:
                raise ModelUnavailable(f"The adapter in {path} was forgotten; ask the registry which one serves now.")
            found = self._resident.get(path)
            try:
                return found.head if found is not None and stamp(path) == found.head.stamp else head(path)
            except ModelUnavailable:
                self._drop(path)
                raise

    def _sweep(self) -> None:
        """Let go of what nobody can ask for any more: its files are gone."""
        for path in [each for each in self._resident if not each.exists()]:
            self._drop(path)

    def _admit(self, path: Path, needed: set[Path]) -> _Resident:
        """That adapter, in memory; those in `needed` stay there, too."""
        about = self._head(path)
        found = self._resident.get(path)
        if found is not None and found.head == about:
            self._resident.move_to_end(path)
            return found
        self._drop(path)
        if about.bytes > self._limit:
            raise InvalidInput(
                f"The adapter in {path} takes {about.bytes / _MB:.1f} MB, the pool has {self._limit / _MB:.1f}; "
                "give it more memory."
            )
        with self._torch.inference_mode(False):  # what is made within it could not be changed outside
            made = self._read(path, about, needed)
        self._resident[path] = made
        return made

    def _read(self, path: Path, about: Head, needed: set[Path]) -> _Resident:
        """Read that adapter to where there is room, or make some."""
        if about.kind == "prompt":
            while self.resident_bytes + about.bytes > self._limit:
                self._drop(self._oldest(needed, lambda _: True))
            return _Resident(about, prompt=self._prompt(path))
        while not self._free or self.resident_bytes + about.bytes > self._limit:
            oldest = self._oldest(needed, lambda each: bool(self._free or each.slot))
            there = self._resident[oldest]
            if there.head.layout == about.layout:
                del self._resident[oldest]
                self._fill(there.slot, path, self._slots.swap)
                return _Resident(about, there.slot)
            self._drop(oldest)
        slot = self._free.pop()
        self._fill(slot, path, self._slots.load)
        return _Resident(about, slot)

    def _fill(self, slot: str, path: Path, how: Callable[[str, Path], None]) -> None:
        try:
            how(slot, path)
        except BaseException:  # the slot is empty then
            self._free.append(slot)
            raise

    def _prompt(self, path: Path) -> Any:
        """The embeddings that a soft prompt's file holds."""
        found = list(weights(path, self.loaded.model.device).values())
        width = self.loaded.model.get_input_embeddings().weight.shape[1]
        if len(found) != 1 or found[0].ndim != 2 or found[0].shape[1] != width:
            raise ModelUnavailable(
                f"The soft prompt in {path} cannot be put on this base, whose tokens are {width} numbers wide; was it "
                "made for another?"
            )
        return found[0].to(self.loaded.model.dtype)

    def _oldest(self, needed: set[Path], fits: Callable[[_Resident], bool]) -> Path:
        for path, each in self._resident.items():
            if path not in needed and fits(each):
                return path
        raise InvalidInput("These adapters have no room in the pool at once; ask for fewer in a batch.")

    def _drop(self, path: Path) -> None:
        found = self._resident.pop(path, None)
        if found is None:
            return
        if found.slot:
            self._slots.drop(found.slot)
            self._free.append(found.slot)
        else:
            found.prompt.zero_()


def shared_pool(place: str, device: str, slots: int, memory_mb: float) -> AdapterPool:
    """The process's pool on the base `place`, the same each time. Raises `ModelUnavailable`."""
    with _SHARING:
        return _shared(place, device, slots, memory_mb)


@lru_cache(maxsize=2)
def _shared(place: str, device: str, slots: int, memory_mb: float) -> AdapterPool:
    return AdapterPool(load_weights(place, device), slots=slots, memory_mb=memory_mb)
