"""MemoriaStore: LangGraph's long-term store, kept in a memoria home.

What enters: an open `Memory`, and LangGraph's operations. What leaves: `Item`s and `SearchItem`s. Items lie in the
home's ledger: durable, shared by processes, erased byte by byte when they are deleted or their person is forgotten.

It keeps to the contract of `BaseStore` as `InMemoryStore` shows it (`memoria.integrations.conformance` holds both to
it), but for these differences, each on purpose:

- With a query, an item's score is half its cosine, half how well its words cover the query's (see
  `memoria.store.item_scores`); items of which nothing is searched come last, without a score, page after page.
- Without one, items come by namespace, and within one in the order of their first puts.
- Values are JSON: what is none is refused, and tuples come back as lists. A value read is the reader's own copy.
- `$gt` and its like pass over what is no number, where `InMemoryStore` raises. An operator that there is not, or a
  negative limit, raises at once.
- A namespace is listed as long as it holds an item, and not because somebody looked there.
- A put replaces the vectors of the item it overwrites, too; two items of a batch may hold the same text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Any, Literal, cast

from langgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    get_text_at_path,
    tokenize_path,
)
from langgraph.store.base import validate_op_namespace as validate

from memoria.clock import from_micros
from memoria.errors import InvalidInput
from memoria.events import ReadEvent, WriteEvent
from memoria.integrations.namespaces import ScopeOf, listed, literal_prefix, person_of
from memoria.integrations.sweeper import Sweeper
from memoria.memory import Memory
from memoria.records import Scope
from memoria.remember.turns import check_name
from memoria.store.item_records import Answer, Find, FoundItem, Get, ListSpaces, Namespace, Put, Read, StoredItem
from memoria.store.item_records import check_text as check
from memoria.store.item_values import check_filter, readable, to_json

WHOLE = "$"
_SWEEP_MINUTES = 5  # as LangGraph's own stores have it
_MINUTE = 60_000_000
_MOST_MINUTES = 1_000_000_000  # some 1,900 years
_MOST = 2**60  # of anything asked for: a database counts no further than 2**63


class MemoriaStore(BaseStore):
    """A `BaseStore` over an open `Memory`, whose home, embedding model and clock it uses. Whoever opened it closes it.

    Args:
        index: which `fields` of a value are searched, by paths as in `IndexConfig`; None: the whole value, and a put
            may say otherwise; False: nothing, so that queries are passed over, as by a store without an index. The
            model is the Memory's own: `dims`, where given, must be its dimension, and `embed` is refused.
        ttl: as `TTLConfig`: `default_ttl` in minutes, `refresh_on_read`, `omit_expired`, `sweep_interval_minutes`.
        scope_of: whose a namespace is: a user in `tenant`, a `Scope`, or None for nobody; see `person_of`, the
            default. With `Memory.forget(user=…, everything=True)` a person's items go, too.
        tenant: that of the users that `scope_of` names.

    Raises:
        InvalidInput: the configuration cannot be met.
    """

    supports_ttl = True

    def __init__(
        self,
        memory: Memory,
        *,
        index: IndexConfig | Literal[False] | None = None,
        ttl: TTLConfig | None = None,
        scope_of: ScopeOf = person_of,
        tenant: str = "default",
    ) -> None:
        self.memory = memory
        self.ttl_config = ttl
        self.index_config = index
        self._fields = None if index is False else _fields(index, memory)
        self._omit_expired = bool(ttl and ttl.get("omit_expired", False))
        self._scope_of = scope_of
        self._tenant = check_name("tenant", tenant)
        self._sweeper = Sweeper(self.sweep_ttl)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """All reads, as things stand before the puts; then the puts in one unit of work, the last for an item counts.

        Raises:
            InvalidNamespaceError, InvalidInput: an operation cannot be taken; nothing was written.
            EmbeddingMismatch, StorageFull, StoreBusy: nothing was written.
        """
        given = list(ops)
        reads: dict[int, Read] = {}
        puts: list[Put] = []
        for place, op in enumerate(given):
            validate(op)
            if isinstance(op, PutOp):
                puts.append(self._put(op))
            else:
                reads[place] = self._read(op)
        events = self.memory.events
        told = (WriteEvent if puts else ReadEvent)(verb="store", count=len(given))
        with events.span(told) if events.wanted else nullcontext():
            answers = self.memory.items.batch(list(reads.values()), puts, omit_expired=self._omit_expired)
        results: list[Result] = [None] * len(given)
        for place, answer in zip(reads, answers, strict=True):
            results[place] = _result(given[place], answer)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """The same in a worker thread; a batch that is cancelled is written whole or not at all."""
        return await asyncio.to_thread(self.batch, list(ops))

    def sweep_ttl(self) -> int:
        """Delete the items whose time is over; how many there were."""
        return self.memory.items.sweep()

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Sweep every so many minutes (None: as configured, else 5) until the future is cancelled or the sweeper
        stopped. Without a TTL configuration there is nothing to do, and the future is done."""
        if not self.ttl_config:
            done: Future[None] = Future()
            done.set_result(None)
            return done
        return self._sweeper.start(
            sweep_interval_minutes or self.ttl_config.get("sweep_interval_minutes") or _SWEEP_MINUTES
        )

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Stop sweeping; whether the thread has ended within `timeout` seconds."""
        return self._sweeper.stop(timeout)

    def _read(self, op: Op) -> Read:
        if isinstance(op, GetOp):
            return Get(_space(op.namespace), _key(op.key), op.refresh_ttl)
        if isinstance(op, SearchOp):
            _check_page(op.limit, op.offset)
            check_filter(op.filter or {})
            query = check(op.query, "The query") if op.query and self._fields is not None else None
            limit, offset = min(op.limit, _MOST), min(op.offset, _MOST)
            return Find(_space(op.namespace_prefix), op.filter, limit, offset, query, op.refresh_ttl)
        if isinstance(op, ListNamespacesOp):
            _check_page(op.limit, op.offset)
            return ListSpaces(literal_prefix(op))
        raise InvalidInput(f"{type(op).__name__} is no operation of a store; give Get, Put, Search or ListNamespaces.")

    def _put(self, op: PutOp) -> Put:
        namespace, key = _space(op.namespace), _key(op.key)
        if op.value is None:
            return Put(namespace, key, None)
        name = f"item {key!r} in {namespace}"
        value = to_json(op.value, name)
        return Put(namespace, key, value, self._texts(op, name), _micros(op.ttl, name), self._scope(namespace))

    def _texts(self, op: PutOp, name: str) -> Sequence[str]:
        """What of a value is searched."""
        if self._fields is None or op.index is False:
            return ()
        paths = self._fields if op.index is None else op.index
        if isinstance(paths, str):
            raise InvalidInput(f"index of {name} is {paths!r}; give a list of paths, or False.")
        texts = [text for path in paths for text in _at(op.value, path)]
        return [text for text in dict.fromkeys(texts) if text.strip()]

    def _scope(self, namespace: Namespace) -> Scope | None:
        found = self._scope_of(namespace)
        if isinstance(found, str):
            found = Scope(tenant=self._tenant, user=found)
        if found is not None:
            check_name("user", found.user)
            check_name("tenant", found.tenant)
        return found


def _fields(index: IndexConfig | None, memory: Memory) -> list[str]:
    if index is None:
        return [WHOLE]
    if index.get("embed") is not None:
        raise InvalidInput("index names its own `embed`; the store uses the Memory's: Memory(embeddings=…).")
    dims = index.get("dims")
    if dims is not None and dims != memory.embedder.dimension:
        raise InvalidInput(
            f"index has dims {dims}, and {memory.embedder.identity} gives {memory.embedder.dimension}; leave dims out."
        )
    return index.get("fields") or [WHOLE]


def _at(value: Mapping[str, Any] | None, path: str) -> list[str]:
    if path == WHOLE:  # in words, where LangGraph's own stores embed the JSON
        return [readable(value) or "{}"]
    return get_text_at_path(value, tokenize_path(path))


def _space(namespace: Sequence[str]) -> Namespace:
    return tuple(namespace)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise InvalidInput(f"The key {key!r} is a {type(key).__name__}; keys are strings.")
    return check(key, "A key")


def _micros(minutes: float | None, name: str) -> int | None:
    if minutes is None:
        return None
    if not isinstance(minutes, int | float) or not abs(minutes) <= _MOST_MINUTES:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"ttl of {name} is {minutes!r}; give minutes, at most {_MOST_MINUTES:,}, or None.")
    return round(minutes * _MINUTE)


def _check_page(limit: int, offset: int) -> None:
    if limit < 0 or offset < 0:
        raise InvalidInput(f"limit and offset are {limit} and {offset}; neither may be negative.")


def _result(op: Op, answer: Answer) -> Result:
    if isinstance(op, ListNamespacesOp):
        return listed(cast("list[Namespace]", answer), op)
    if isinstance(op, SearchOp):
        return [_found(each) for each in cast("list[FoundItem]", answer)]
    return None if answer is None else Item(**_facts(cast(StoredItem, answer)))


def _found(found: FoundItem) -> SearchItem:
    return SearchItem(**_facts(found.item), score=found.score)


def _facts(item: StoredItem) -> dict[str, Any]:
    put_at = from_micros(item.put_at)
    return {
        "namespace": item.namespace,
        "key": item.key,
        "value": item.value,
        "created_at": put_at,
        "updated_at": put_at,
    }
