"""The language model that adapters are made for.

What enters: the settings. What leaves: where it lies, and the name that servers know it by, which an adapter's config
carries: vLLM serves an adapter only upon the model of that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from memoria.models.smollm import HUB_NAME, converted, is_installed
from memoria.settings import Settings


@dataclass(frozen=True)
class Base:
    """A causal language model: `place` is a folder or a name on the hub, `name` the one that servers know."""

    place: str
    name: str


def base_name(settings: Settings) -> str:
    """The name of the settings' model, without making it ready."""
    return settings.distil.model or HUB_NAME


def base_of(settings: Settings) -> Base:
    """The settings' model, the packaged one made ready if need be. Raises `ModelUnavailable`."""
    place = settings.distil.model or str(converted(settings.cache_dir))
    return Base(place, base_name(settings))


def can_measure(settings: Settings) -> bool:
    """Whether a card is measured by a local language model: one is there, and the settings want it; nothing is
    loaded."""
    return (
        settings.distil.card_by == "model"
        and find_spec("torch") is not None
        and (settings.distil.model is not None or is_installed())
    )
