"""What a check is given, and how it says what is wrong.

What enters: a store. What leaves: the store, sync or through its async methods alone, and `Difference`s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from langgraph.store.base import BaseStore, Item, Op, Result, SearchItem, TTLConfig


class Difference(AssertionError):
    """A store does otherwise than LangGraph's contract says."""


class Factory(Protocol):
    """Makes an empty store each time. `fields` are what is searched, as in `IndexConfig`; None: it has no index."""

    def __call__(
        self, fields: list[str] | None, ttl: TTLConfig | None
    ) -> BaseStore | AbstractContextManager[BaseStore]: ...


@dataclass(frozen=True)
class Trial:
    """A store under test, empty; `pass_minutes` moves its clock on."""

    store: BaseStore
    pass_minutes: Callable[[float], None]


def expect(holds: bool, what: str) -> None:
    """Raise `Difference` unless it `holds`."""
    if not holds:
        raise Difference(what)


def equal(found: object, wanted: object, what: str) -> None:
    """Raise `Difference` unless both are equal."""
    if found != wanted:
        raise Difference(f"{what}: {wanted!r} was expected, {found!r} was found.")


def refuses(act: Callable[[], object], error: type[Exception], what: str) -> None:
    """Raise `Difference` unless `act` raises `error`."""
    try:
        act()
    except error:
        return
    raise Difference(f"{what} was taken; {error.__name__} was expected.")


def keys(found: Iterable[Item]) -> list[str]:
    """The keys of items, in their order."""
    return [item.key for item in found]


def facts(item: Item | None) -> tuple[Any, ...] | None:
    """What an item says, without its times."""
    return None if item is None else (item.namespace, item.key, item.value)


class Awaited(BaseStore):
    """A store's async methods behind the sync ones, so that every check tries both."""

    def __init__(self, store: BaseStore, runner: asyncio.Runner) -> None:
        self._store, self._run = store, runner.run
        self.supports_ttl, self.ttl_config = store.supports_ttl, store.ttl_config

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """By `abatch`."""
        return self._run(self._store.abatch(ops))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """By `abatch`."""
        return await self._store.abatch(ops)

    def get(self, *args: Any, **more: Any) -> Item | None:
        """By `aget`."""
        return self._run(self._store.aget(*args, **more))

    def search(self, *args: Any, **more: Any) -> list[SearchItem]:
        """By `asearch`."""
        return self._run(self._store.asearch(*args, **more))

    def put(self, *args: Any, **more: Any) -> None:
        """By `aput`."""
        self._run(self._store.aput(*args, **more))

    def delete(self, *args: Any, **more: Any) -> None:
        """By `adelete`."""
        self._run(self._store.adelete(*args, **more))

    def list_namespaces(self, **more: Any) -> list[tuple[str, ...]]:
        """By `alist_namespaces`."""
        return self._run(self._store.alist_namespaces(**more))

    def sweep_ttl(self) -> int:
        """The store's own, which may be a coroutine."""
        swept: Any = getattr(self._store, "sweep_ttl")()  # noqa: B009  # no part of BaseStore
        return swept if isinstance(swept, int) else self._run(swept)
