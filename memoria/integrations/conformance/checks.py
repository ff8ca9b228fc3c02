"""The checks, by name, and what runs them.

What enters: a factory of stores. What leaves: nothing, or a `Difference` that says what a store does otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from langgraph.store.base import BaseStore, TTLConfig

from memoria.integrations.conformance import expiring, indexing, keeping, listing, searching
from memoria.integrations.conformance.trial import Awaited, Difference, Factory, Trial

Ways = Literal["sync", "async"]
WAYS: tuple[Ways, ...] = ("sync", "async")


def _no_clock(minutes: float) -> None:
    raise Difference(f"This check needs pass_minutes, which moves the store's clock on ({minutes} minutes).")


@dataclass(frozen=True)
class Check:
    """One thing that the contract says. Calling it makes a store, tries it, and raises `Difference` where it fails."""

    name: str
    about: str
    run: Callable[[Trial], None] = field(repr=False)
    fields: list[str] | None = None
    ttl: TTLConfig | None = None

    def __str__(self) -> str:
        return self.name

    def __call__(self, make: Factory, *, way: Ways = "sync", pass_minutes: Callable[[float], None] = _no_clock) -> None:
        """Try the store's sync methods, or its async ones."""
        with _opened(make(self.fields, self.ttl)) as store, asyncio.Runner() as runner:
            self.run(Trial(store if way == "sync" else Awaited(store, runner), pass_minutes))


def checks(*, index: bool = False, ttl: bool = False) -> list[Check]:
    """All checks: of every store, with `index` also those of a search by meaning, with `ttl` those of expiry."""
    found = [_check(run) for module in (keeping, searching, listing) for run in module.CHECKS]
    if index:
        found += [_check(run, fields=fields) for fields, run in indexing.CHECKS]
    if ttl:
        found += [_check(run, ttl=config) for config, run in expiring.CHECKS]
    return found


def check_store(
    make: Factory, *, index: bool = False, ttl: bool = False, pass_minutes: Callable[[float], None] = _no_clock
) -> int:
    """Run all checks both ways; how many passed. Raises one `Difference` that names all that do not hold."""
    passed, failed = 0, list[str]()
    for check in checks(index=index, ttl=ttl):
        for way in WAYS:
            try:
                check(make, way=way, pass_minutes=pass_minutes)
                passed += 1
            except Exception as error:  # whatever a store raises where it should not
                failed.append(f"{check.name} ({way}): {type(error).__name__}: {error}")
    if failed:
        raise Difference("\n".join([f"{len(failed)} of {passed + len(failed)} checks do not hold:", *failed]))
    return passed


@contextmanager
def _opened(made: BaseStore | AbstractContextManager[BaseStore]) -> Generator[BaseStore]:
    if isinstance(made, BaseStore):
        yield made
    else:
        with made as store:
            yield store


def _check(run: Callable[[Trial], None], *, fields: list[str] | None = None, ttl: TTLConfig | None = None) -> Check:
    return Check(run.__name__, (run.__doc__ or "").strip(), run, fields, ttl)
