"""The verbs of distillation: what a memory becomes outside of itself.

What enters: whose memory, and by which recipe. What leaves: adapters that the gate let through.
"""

from __future__ import annotations

from memoria.reflecting import Reflecting


class Distilling(Reflecting):
    """The part of `Memory` that distils."""
