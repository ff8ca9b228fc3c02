"""Namespaces of LangGraph's store: whose they are, and which match a listing.

What enters: tuples of labels. What leaves: a person or None, and whether a namespace meets LangGraph's conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from langgraph.store.base import ListNamespacesOp, MatchCondition

from memoria.errors import InvalidInput
from memoria.records import Scope
from memoria.store.item_records import Namespace

ScopeOf = Callable[[Namespace], Scope | str | None]

BEFORE = ("memories", "users", "user")
BEHIND = "memories"


def person_of(namespace: Namespace) -> str | None:
    """Whose a namespace is, by the two forms in which people write it; None of any other:

    1. ("memories", PERSON, …), ("users", PERSON, …), ("user", PERSON, …): LangMem's own, and the server's,
    2. (PERSON, "memories", …): that of LangGraph's documentation.

    The first that fits holds, so ("users", "memories") is of a person called memories.
    """
    if len(namespace) < 2:
        return None
    if namespace[0] in BEFORE:
        return namespace[1]
    return namespace[0] if namespace[1] == BEHIND else None


def listed(spaces: Iterable[Namespace], op: ListNamespacesOp) -> list[Namespace]:
    """The page of namespaces that a listing asks for: those that match, cut to a depth, each once, in order."""
    found = {
        space[: op.max_depth] if op.max_depth is not None else space
        for space in spaces
        if all(_matches(condition, space) for condition in op.match_conditions or ())
    }
    return sorted(found)[op.offset : op.offset + op.limit]


def literal_prefix(op: ListNamespacesOp) -> Namespace:
    """The longest run of labels, none of them a wildcard, that all namespaces of a listing begin with."""
    found: list[Namespace] = [()]
    for condition in op.match_conditions or ():
        if condition.match_type == "prefix":
            path = tuple(condition.path)
            found.append(path[: path.index("*")] if "*" in path else path)
    return max(found, key=len)


def _matches(condition: MatchCondition, space: Namespace) -> bool:
    path = tuple(condition.path)
    if condition.match_type == "prefix":
        part = space[: len(path)]
    elif condition.match_type == "suffix":
        part = space[len(space) - len(path) :] if len(path) <= len(space) else ()
    else:
        raise InvalidInput(f"There is no match type {condition.match_type!r}; use prefix or suffix.")
    return len(part) == len(path) and all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))
