"""LoRA adapters side by side on one base, in named slots, by PEFT.

What enters: a base, and adapters' folders. What leaves: the base's outputs with one of them, or with one for each row
of a batch. PEFT puts its layers into a twin of the base, which has modules of its own and the very same weights; these
are never merged, which would not come undone to the bit, and the base itself runs as if there were no adapters.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from memoria.errors import MemoriaError, ModelUnavailable, first_line
from memoria.models.adapter_files import weights

INSTALL = 'install it with: pip install "memoria-lifelong[distil]"'
BASE = "__base__"  # PEFT's name for a row without an adapter


def require_peft() -> Any:
    """PEFT. Raises `ModelUnavailable` where it is missing."""
    try:
        return import_module("peft")
    except ImportError as error:
        raise ModelUnavailable(f"An adapter needs {error.name}; {INSTALL}") from error


@contextmanager
def quiet() -> Generator[None]:
    """Keeps back PEFT's use of what transformers gives up, which nobody here can mend; missing weights are an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`is_gradient_checkpointing` is deprecated", category=FutureWarning)
        warnings.filterwarnings("error", message=r"Found missing adapter keys")  # it would serve half an adapter
        yield


def twin(model: Any) -> Any:
    """A model of the same weights, the same memory, in modules of its own."""
    weights: dict[int, Any] = {id(each): each for each in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, weights)


class Slots:
    """Adapters of one base by slot. Not safe to use from several threads at once."""

    def __init__(self, model: Any) -> None:
        self._base = model
        self._peft: Any = None
        self._layers: list[Any] = []
        self._active: str | None = None

    def load(self, slot: str, folder: Path) -> None:
        """Put the adapter of `folder` into a new slot. Raises `ModelUnavailable` where it does not fit the base.

        The tensors are read into memory: PEFT's own loading would map the file, and die where it is cut short later.
        """
        peft = require_peft()
        with self._filling(slot, folder), quiet():
            config = peft.LoraConfig.from_pretrained(str(folder))
            config.inference_mode = True
            tensors = {name: each.float() for name, each in weights(folder, self._base.device).items()}
            if self._peft is None:
                self._peft = peft.PeftModelForCausalLM(twin(self._base), config, slot, low_cpu_mem_usage=True)
            else:
                self._peft.add_adapter(slot, config, low_cpu_mem_usage=True)
            put = peft.set_peft_model_state_dict(self._peft, tensors, slot, low_cpu_mem_usage=True)
            if missing := [name for name in put.missing_keys if f".{slot}." in name]:
                raise ValueError(f"missing adapter keys, {min(missing)} the first of {len(missing)}")
            if put.unexpected_keys:  # of a larger base: PEFT would leave them out
                raise ValueError(f"it has {min(put.unexpected_keys)}, which the base has not")
        self._peft.eval()
        self._know()

    def swap(self, slot: str, folder: Path) -> None:
        """Copy the adapter of `folder`, of the same layout, over the one in `slot`."""
        peft, hotswap = require_peft(), import_module("peft.utils.hotswap")
        with self._filling(slot, folder):
            config = peft.LoraConfig.from_pretrained(str(folder))
            tensors = weights(folder, self._base.device)
            named = {f"{name.removesuffix('.weight')}.{slot}.weight": each for name, each in tensors.items()}
            hotswap.hotswap_adapter_from_state_dict(self._peft, named, slot, config)
        config.inference_mode = True
        self._peft.peft_config[slot] = config

    def drop(self, slot: str) -> None:
        """Overwrite the adapter in `slot` with nothing and let it go."""
        others = [name for name in self._peft.peft_config if name != slot]
        for layer in self._layers:
            for matrices in (layer.lora_A, layer.lora_B):
                if slot in matrices:
                    matrices[slot].weight.data.zero_()
        if not others:
            self._peft = None
        else:
            self._peft.set_adapter(others[0], inference_mode=True)  # PEFT warns when the one that goes is active
            self._peft.delete_adapter(slot)
        self._know()

    def one(self, slot: str) -> Any:
        """The model with the adapter of `slot`."""
        if self._active != slot:
            for layer in self._layers:
                layer.set_adapter([slot], inference_mode=True)
            self._active = slot
        return self._peft

    def mixed(self, slots: Sequence[str], inputs: dict[str, Any]) -> Any:
        """The output for `inputs`, each row with the adapter of its slot, or of `BASE` with none."""
        return self._peft(**inputs, adapter_names=list(slots))

    @contextmanager
    def _filling(self, slot: str, folder: Path) -> Generator[None]:
        """Leaves nothing in the slot, neither the new nor the old, where the block fails."""
        try:
            yield
        except BaseException as error:  # PEFT, torch and safetensors each raise errors of their own
            if self._peft is not None and slot in self._peft.peft_config:
                self._know()
                self.drop(slot)
            if isinstance(error, MemoriaError) or not isinstance(error, Exception):
                raise
            raise _unfit(folder, error) from error

    def _know(self) -> None:
        self._active = None
        kind: Any = import_module("peft.tuners.lora").LoraLayer
        modules = () if self._peft is None else self._peft.modules()
        self._layers = [each for each in modules if isinstance(each, kind)]


def _unfit(folder: Path, error: Exception) -> ModelUnavailable:
    first = first_line(error)
    return ModelUnavailable(f"The adapter in {folder} cannot be put on this base ({first}); was it made for another?")
