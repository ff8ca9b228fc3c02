"""What is asked of items, and what is answered.

What enters: plain values. What leaves: frozen records between LangGraph's store and the ledger. A namespace is a tuple
of labels, none of them empty or with a "." in it; times and lengths of time are whole microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memoria.errors import InvalidInput
from memoria.records import Scope

Namespace = tuple[str, ...]


@dataclass(frozen=True)
class Get:
    """One item. `refresh`: its time to live begins anew."""

    namespace: Namespace
    key: str
    refresh: bool = False


@dataclass(frozen=True)
class Find:
    """Items below a namespace that pass a filter: by a `query` the best first, else in a fixed order."""

    prefix: Namespace
    filter: Mapping[str, Any] | None = None
    limit: int = 10
    offset: int = 0
    query: str | None = None
    refresh: bool = False


@dataclass(frozen=True)
class ListSpaces:
    """All namespaces below one that hold items."""

    prefix: Namespace = ()


@dataclass(frozen=True)
class Put:
    """An item to be written whole (`value` is JSON), or with no `value` removed. `texts` are what is searched of it;
    `scope` is whose it is."""

    namespace: Namespace
    key: str
    value: str | None
    texts: Sequence[str] = ()
    ttl: int | None = None
    scope: Scope | None = None


@dataclass(frozen=True)
class StoredItem:
    """An item as the ledger holds it."""

    id: int
    namespace: Namespace
    key: str
    value: dict[str, Any]
    put_at: int


@dataclass(frozen=True)
class FoundItem:
    """An item found, with its score where a query gave it one."""

    item: StoredItem
    score: float | None = None


Read = Get | Find | ListSpaces
Answer = StoredItem | list[FoundItem] | list[Namespace] | None


def path_of(namespace: Namespace) -> str:
    """The namespace as the ledger holds it. Raises `InvalidInput` for labels that are no text."""
    path = "".join(f"{label}." for label in namespace)
    check_text(path, "A namespace")
    return path


def namespace_of(path: str) -> Namespace:
    """The namespace that `path_of` gave the path of."""
    return tuple(path.split(".")[:-1])


def check_text(text: str, what: str) -> str:
    """`text`, if a ledger can hold it. Raises `InvalidInput`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{what}, {text!r}, holds lone surrogates; remove them.") from None
    return text
