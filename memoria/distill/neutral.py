"""Neutral text: what has nothing to do with anybody, to keep a model from forgetting and to see whether it did.

What enters: the packaged `neutral.yaml`, written for memoria. What leaves: chats to be replayed in training, and, for
the gate alone, others and plain paragraphs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parent / "neutral.yaml"


@dataclass(frozen=True)
class Neutral:
    """Prompts with answers to `replay`; `chat` and `plain` for the gate."""

    replay: tuple[tuple[str, str], ...]
    chat: tuple[tuple[str, str], ...]
    plain: tuple[str, ...]


@lru_cache(maxsize=1)
def load_neutral() -> Neutral:
    """The packaged neutral text."""
    values: Any = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    replay, chat = (tuple((each["ask"], each["answer"]) for each in values[name]) for name in ("replay", "chat"))
    return Neutral(replay, chat, tuple(values["plain"]))
