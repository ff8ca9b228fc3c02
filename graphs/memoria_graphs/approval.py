"""Asking a human, by LangGraph's `interrupt`.

What enters: what is to be judged, as plain values. What leaves: yes or no, and which lines to leave out. A run that
asks stops; `Command(resume=True)`, `Command(resume=False)` or `Command(resume={"approve": True, "drop": [texts]})` on
its thread goes on. An answer that cannot be taken is asked for again, with the `problem`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from langgraph.types import interrupt

HOW = 'Resume with True, False, or {"approve": true or false, "drop": [texts of added lines to leave out]}.'
HOW_PLAIN = "Resume with True or False."


@dataclass(frozen=True)
class Approval:
    """What the human said."""

    approve: bool
    drop: tuple[str, ...] = ()


def ask(payload: dict[str, Any], droppable: Collection[str] = ()) -> Approval:
    """Stop the run until a human answers; `droppable` are the texts that may be left out."""
    asked = payload | {"answer": HOW if droppable else HOW_PLAIN}
    answer = interrupt(asked)
    while True:
        try:
            return _read(answer, droppable)
        except ValueError as problem:
            answer = interrupt(asked | {"problem": str(problem)})


def _read(answer: Any, droppable: Collection[str]) -> Approval:
    if isinstance(answer, bool):
        return Approval(answer)
    if not isinstance(answer, dict):
        raise ValueError(f"{answer!r} is no answer.")
    said = cast(dict[str, Any], answer)
    approve, drop = said.get("approve"), said.get("drop", [])
    unknown = [each for each in said if each not in ("approve", "drop")]
    if unknown or not isinstance(approve, bool) or not isinstance(drop, list):
        raise ValueError(f"{answer!r} is no answer.")
    for text in cast(list[Any], drop):
        if text not in droppable:
            raise ValueError(f"There is no added line {text!r}.")
    return Approval(approve, tuple(cast(list[str], drop)))
