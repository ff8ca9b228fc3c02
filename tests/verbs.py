"""One call of every verb of `Memory`, for the tests that hold every verb to something.

What enters: a small home's Memory. What leaves: for each verb the arguments that it succeeds with there. A new verb is
added here, and is then held to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapting import add
from tiny import make_tiny

from memoria import Memory

SILENT = {"close", "on_event"}  # they neither read nor write what is remembered
TALK = [
    "I live in Porto and I love cashews.",
    "My sister Bea is a nurse.",
    "My dentist is Dr. Lee. Lee works in Braga.",
    "I moved to Lisbon in June.",
]

Call = tuple[tuple[Any, ...], dict[str, Any]]


def verbs() -> list[str]:
    """The names of all public methods of `Memory`."""
    return sorted(name for name in dir(Memory) if not name.startswith("_") and callable(getattr(Memory, name)))


def fill(memory: Memory) -> None:
    """Remember what the calls work on: two sessions, beliefs, a merge made by hand."""
    memory.remember(TALK[:2], user="ana", session="one")
    memory.remember(TALK[2:], user="ana", session="two")
    memory.remember({"role": "assistant", "text": "Lisbon it is."}, user="ana", session="two")
    memory.believe("works on", "teeth", user="ana", subject="Lee")
    memory.believe("works on", "teeth", user="ana", subject="Dr. Lee")
    memory.believe("work", "nurse", user="ana", subject="Beatriz")
    memory.merge("Bea", "Beatriz", user="ana")
    memory.reflect(user="ana")
    memory.believe("hobby", "cello", user="ana")
    memory.reflect(user="ana")
    memory.believe("hobby", "chess", user="ana")
    add(memory, serve=True)
    add(memory, serve=True)


def call_of(verb: str, memory: Memory) -> Call:
    """Arguments for `verb` on the home that `fill` filled. A `KeyError` says: add the new verb here."""
    ana = {"user": "ana"}
    home = next(b for b in memory.beliefs(user="ana") if b.statement.endswith("Lisbon"))
    turn = memory.episodes(user="ana")[0].id
    calls: dict[str, Callable[[], Call]] = {
        "remember": lambda: (("I play the cello.",), ana | {"session": "three"}),
        "recall": lambda: (("Where do I live?",), ana),
        "examine": lambda: (("Where do I live?",), ana),
        "explain_turn": lambda: ((turn,), ana),
        "forget": lambda: ((), ana | {"ids": [turn]}),
        "verify_forgotten": lambda: ((), ana),
        "status": lambda: ((), {}),
        "verify": lambda: ((), {}),
        "reindex": lambda: ((), {}),
        "reembed": lambda: ((), {}),
        "beliefs": lambda: ((), ana),
        "believe": lambda: (("pet", "Bolota"), ana),
        "correct": lambda: ((home.id, "Faro"), ana),
        "retract": lambda: ((home.id,), ana),
        "explain": lambda: ((home.id,), ana),
        "why_not": lambda: (("Where do I live?", turn), ana),
        "learn": lambda: ((), ana),
        "retain": lambda: ((), ana),
        "entities": lambda: ((), ana),
        "merge": lambda: (("Lee", "Dr. Lee"), ana),
        "unmerge": lambda: (("Bea",), ana),
        "merges": lambda: ((), ana),
        "resolve": lambda: ((), ana),
        "graph": lambda: ((), ana),
        "users": lambda: ((), {}),
        "revision": lambda: ((), ana),
        "sessions": lambda: ((), ana),
        "episodes": lambda: ((), ana),
    }
    return (calls | _teaching(memory) | _reflecting(memory) | _distilling(memory))[verb]()


def _teaching(memory: Memory) -> dict[str, Callable[[], Call]]:
    ana = {"user": "ana"}
    answer = next(each.id for each in memory.episodes(user="ana") if each.role == "assistant")
    return {
        "feedback": lambda: ((answer,), ana | {"score": 1}),
        "consent": lambda: ((True,), ana),
        "dataset": lambda: ((), ana),
    }


def _reflecting(memory: Memory) -> dict[str, Callable[[], Call]]:
    ana = {"user": "ana"}
    return {
        "reflect": lambda: ((), ana),
        "gather": lambda: ((), ana),
        "consolidate": lambda: ((memory.gather(**ana),), {}),
        "check": lambda: ((memory.consolidate(memory.gather(**ana)),), {}),
        "commit": lambda: ((memory.check(memory.consolidate(memory.gather(**ana))),), {}),
        "profile": lambda: ((), ana),
        "profiles": lambda: ((), ana),
        "compare_profiles": lambda: ((1, 2), ana),
    }


def with_tiny_model(memory: Memory, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """`given`, for a verb that asks a language model: from now on a tiny one."""
    place = str(make_tiny(memory.home.with_name("tiny-model")))
    distil = memory.settings.distil.model_copy(update={"model": place})
    memory.settings = memory.settings.model_copy(update={"distil": distil})
    return given


def fitted(memory: Memory) -> str:
    """A candidate's id."""
    made = memory.fit("head", user="ana").adapter
    assert made is not None
    return made.id


def _distilling(memory: Memory) -> dict[str, Callable[[], Call]]:
    ana = {"user": "ana"}
    out = memory.home.with_name(f"{memory.home.name}-exported")
    return {
        "adapters": lambda: ((), ana),
        "adapter": lambda: (("lora-1",), ana),
        "may_serve": lambda: (("lora-2",), ana),
        "serving": lambda: (("lora",), ana),
        "head": lambda: ((), ana),
        "promote": lambda: (("lora-1",), ana),
        "reject": lambda: ((fitted(memory),), ana),
        "rollback": lambda: (("lora",), ana),
        "export_adapter": lambda: (("lora-1", out), ana),
        "compare_adapters": lambda: (("lora-1", "lora-2"), ana),
        "owed": lambda: ((), {}),
        "distill": lambda: ((), ana | {"kinds": ("head",)}),
        "fit": lambda: (("head",), ana),
        "judge": lambda: ((fitted(memory),), ana),
        "rebuilt": lambda: ((0,), ana),
        "exposure": lambda: (with_tiny_model(memory, ("My locker code is 741926.",)), ana | {"controls": 31}),
    }
