"""The verbs of reflection."""

from __future__ import annotations

from memoria.believing import Believing


class Reflecting(Believing):
    """The part of `Memory` that reflects."""
