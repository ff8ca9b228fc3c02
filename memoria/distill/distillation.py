"""What a distillation came to, as frozen records.

What enters: plain values. What leaves: a `Fitted` of each kind, and the `Distillation` of all.
"""

from __future__ import annotations

from typing import Literal

from memoria.distill.records import Adapter
from memoria.records import Record

Distilled = Literal["head", "card", "adapter"]


class Fitted(Record):
    """A candidate of a kind, `fresh` where it is yet to be judged; or `why` there is none."""

    kind: Distilled
    adapter: Adapter | None = None
    fresh: bool = False
    why: str = ""


class Made(Record):
    """What became of a kind: "promoted", "rejected" by the gate (`why`, in figures), or "nothing" was made."""

    kind: Distilled
    outcome: Literal["promoted", "rejected", "nothing"]
    adapter: Adapter | None = None
    why: str = ""


class Distillation(Record):
    """What a distillation came to, by kind."""

    tenant: str
    user: str
    made: tuple[Made, ...] = ()

    @property
    def promoted(self) -> tuple[str, ...]:
        """The ids of what serves from now on."""
        return tuple(each.adapter.id for each in self.made if each.outcome == "promoted" and each.adapter is not None)
