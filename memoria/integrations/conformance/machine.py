"""A store and `InMemoryStore` through the same life, step by step, and all they answer compared.

What enters: a factory of stores. What leaves: a hypothesis `RuleBasedStateMachine`; its `TestCase` is a unittest.
`InMemoryStore` is the oracle; where it differs from the contract on purpose or not (see `conformance`), a fresh one,
filled with what should be there, is asked in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from importlib import import_module
from typing import Any, cast

from langgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    Item,
    ListNamespacesOp,
    PutOp,
    SearchOp,
    get_text_at_path,
)
from langgraph.store.memory import InMemoryStore

from memoria.errors import InvalidInput
from memoria.integrations.conformance.trial import Difference, Factory, equal, expect, facts

NAMESPACES = [("a",), ("a", "b"), ("a", "bc"), ("ab",), ("b", "a", "c"), ("a", "b", "c")]
KEYS = ["k", "K", "k'", "k%"]
FIELDS = ["n", "kind", "at", "it's", 'a"b', "n"]
WORDS = "bees honey sail wind bread oven moon tide".split()
ALL = 1000


def store_machine(make: Factory, *, index: IndexConfig | None = None, lists_empty: bool = False) -> Any:
    """A `RuleBasedStateMachine` class for the stores that `make` gives.

    Args:
        make: called once an example, with the fields of `index` (None: without an index) and no TTL.
        index: the oracle's, with the embedding model that the store under test uses, too.
        lists_empty: the store also lists namespaces that hold nothing, as `InMemoryStore` does.

    Raises:
        InvalidInput: hypothesis is not installed.
    """
    try:
        stateful, strategies = import_module("hypothesis.stateful"), import_module("hypothesis.strategies")
    except ImportError as error:
        raise InvalidInput("The state machine needs hypothesis: pip install hypothesis") from error
    fields = None if index is None else list(index.get("fields") or ["$"])
    return _machine(stateful, _Strategies(strategies), lambda: _Pair(make(fields, None), index, lists_empty))


class _Strategies:
    """What a step may be given."""

    def __init__(self, st: Any) -> None:
        leaf = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "x", "é'", *WORDS])
        self.namespace = st.sampled_from(NAMESPACES)
        self.prefix = st.sampled_from([(), ("b",), ("c",), *NAMESPACES])
        self.key = st.sampled_from(KEYS)
        text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
        self.query = text
        part = leaf | st.lists(leaf, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), leaf, max_size=2)
        value = st.dictionaries(st.sampled_from(FIELDS), part, max_size=3)
        self.value = st.builds(_with_text, value, st.none() | text)
        self.value_or_none = st.none() | self.value
        self.index = st.sampled_from([None, None, False, ["text"], ["kind", "at.n"]])
        ordered = st.sampled_from(["$gt", "$gte", "$lt", "$lte"])
        operators = st.dictionaries(ordered, st.integers(-2, 2), min_size=1, max_size=2) | st.dictionaries(
            st.sampled_from(["$eq", "$ne"]), leaf, min_size=1, max_size=1
        )
        condition = leaf | operators | st.dictionaries(st.sampled_from(FIELDS), leaf | operators, max_size=2)
        self.filter = st.none() | st.dictionaries(st.sampled_from(FIELDS), condition, max_size=2)
        self.page = st.tuples(st.integers(0, 6), st.integers(0, 4))
        path = st.none() | st.lists(st.sampled_from(["a", "b", "c", "bc", "*"]), min_size=1, max_size=3).map(tuple)
        self.listing = st.fixed_dictionaries(
            {"prefix": path, "suffix": path, "max_depth": st.none() | st.integers(1, 3)},
            optional={"limit": st.integers(0, 4), "offset": st.integers(0, 3)},
        )
        # Plain functions: of a named tuple, hypothesis would make up the fields that it is not given.
        put = st.builds(_put, self.namespace, self.key, self.value, self.index)
        delete = st.builds(_put, self.namespace, self.key, st.none(), st.none())
        get = st.builds(_get, self.namespace, self.key)
        search = st.builds(_search, self.prefix)
        listing = st.just(ListNamespacesOp(limit=ALL))
        self.batch = st.lists(put | put | delete | get | search | listing, max_size=6)


class _Pair:
    """The store under test, and what it should hold."""

    def __init__(
        self, made: BaseStore | AbstractContextManager[BaseStore], index: IndexConfig | None, lists_empty: bool
    ) -> None:
        self.stack = ExitStack()
        self.store = made if isinstance(made, BaseStore) else self.stack.enter_context(made)
        self.index, self.lists_empty = index, lists_empty
        self.oracle = InMemoryStore()
        self.held: dict[tuple[tuple[str, ...], str], tuple[Any, Any]] = {}

    def put(self, op: PutOp) -> None:
        """Remember what a put, or a deletion, leaves."""
        if op.value is None:
            self.held.pop((op.namespace, op.key), None)
        else:
            self.held[op.namespace, op.key] = (op.value, op.index)

    def put_one(self, namespace: tuple[str, ...], key: str, value: Any, index: Any) -> None:
        """A put, or without a value a deletion, each by its own method."""
        for store in (self.store, self.oracle):
            if value is None:
                store.delete(namespace, key)
            else:
                store.put(namespace, key, value, index=None if store is self.oracle else index)
        self.put(PutOp(namespace, key, value, index))

    def get(self, namespace: tuple[str, ...], key: str) -> None:
        """The same item, or none."""
        equal(facts(self.store.get(namespace, key)), facts(self.oracle.get(namespace, key)), "what was got")

    def list(self, listing: dict[str, Any]) -> None:
        """The same namespaces."""
        if self.lists_empty:  # its pages are others
            listing = {name: value for name, value in listing.items() if name not in ("limit", "offset")}
        wanted = self.fresh().list_namespaces(**listing)
        self.listed(self.store.list_namespaces(**listing), wanted, f"the namespaces by {listing}")

    def fresh(self) -> InMemoryStore:
        """A store that holds just what should be there, and never held anything else."""
        store = InMemoryStore(index=self.index)
        for (namespace, key), (value, index) in self.held.items():
            store.put(namespace, key, value, index=_first_of_each_text(value, index) if index else index)
        return store

    def batch(self, ops: list[Any]) -> None:
        """The same answers to a whole batch."""
        namespaces = self.fresh().list_namespaces(limit=ALL)
        found, wanted = self.store.batch(ops), self.oracle.batch(ops)
        equal(len(found), len(ops), "the number of answers")
        for op, one, other in zip(ops, found, wanted, strict=True):
            if isinstance(op, ListNamespacesOp):  # the oracle lists what was only looked at
                self.listed(one, namespaces, "the namespaces")
            elif isinstance(op, SearchOp):
                equal(_as_set(one), _as_set(other), f"what was found by {op}")
            else:
                equal(facts(cast("Item | None", one)), facts(cast("Item | None", other)), f"the answer to {op}")
        for op in ops:
            if isinstance(op, PutOp):
                self.put(op)

    def search(self, prefix: tuple[str, ...], given: Any, page: tuple[int, int]) -> None:
        """The same items, and pages that are cuts of the whole."""
        limit, offset = page
        try:
            wanted = self.oracle.search(prefix, filter=given, limit=ALL)
        except (TypeError, ValueError):  # it compares numbers with what is none
            with suppress(TypeError, ValueError):
                self.store.search(prefix, filter=given, limit=ALL)
            return
        whole = self.store.search(prefix, filter=given, limit=ALL)
        equal(_as_set(whole), _as_set(wanted), f"what is found below {prefix} by {given}")
        cut = self.store.search(prefix, filter=given, limit=limit, offset=offset)
        equal([facts(i) for i in cut], [facts(i) for i in whole[offset : offset + limit]], f"the page {page}")

    def ask(self, prefix: tuple[str, ...], query: str, page: tuple[int, int]) -> None:
        """The same items by a query, those with a score first, as they fall."""
        limit, offset = page
        whole = self.store.search(prefix, query=query, limit=ALL)
        wanted = self.fresh().search(prefix, query=query, limit=ALL)
        scored = {(item.namespace, item.key) for item in wanted if item.score is not None}
        equal(_as_set(whole), _as_set(wanted), f"what is found below {prefix} by {query!r}")
        equal({(i.namespace, i.key) for i in whole if i.score is not None}, scored, "what has a score")
        scores = [item.score for item in whole if item.score is not None]
        expect(scores == sorted(scores, reverse=True), f"the scores do not fall: {scores}")
        expect(all(item.score is None for item in whole[len(scores) :]), "what has no score stands among what has.")
        cut = self.store.search(prefix, query=query, limit=limit, offset=offset)
        if offset + limit <= len(scores):  # behind them, stores differ
            equal([facts(i) for i in cut], [facts(i) for i in whole[offset : offset + limit]], f"the page {page}")

    def end(self) -> None:
        """All items, and all namespaces; then the store is let go of."""
        with self.stack:
            self._everything()

    def _everything(self) -> None:
        wanted = {(namespace, key, repr(value)) for (namespace, key), (value, _) in self.held.items()}
        equal(_as_set(self.store.search((), limit=ALL)), wanted, "everything")
        self.listed(self.store.list_namespaces(limit=ALL), sorted({space for space, _ in self.held}), "all namespaces")

    def listed(self, found: Any, wanted: list[tuple[str, ...]], what: str) -> None:
        """The same namespaces; of a store that also lists empty ones, those that hold something."""
        equal([each for each in found if each in wanted] if self.lists_empty else found, wanted, what)


def _first_of_each_text(value: Any, paths: list[str]) -> list[str]:
    # The oracle cannot embed one text twice at once: it counts them wrongly, and raises.
    texts = {path: tuple(get_text_at_path(value, path)) for path in paths}
    return [path for at, path in enumerate(paths) if texts[path] not in [texts[other] for other in paths[:at]]]


def _put(namespace: tuple[str, ...], key: str, value: Any, index: Any) -> PutOp:
    return PutOp(namespace, key, value, index)


def _get(namespace: tuple[str, ...], key: str) -> GetOp:
    return GetOp(namespace, key)


def _search(prefix: tuple[str, ...]) -> SearchOp:
    return SearchOp(prefix, limit=ALL)


def _with_text(value: dict[str, Any], text: str | None) -> dict[str, Any]:
    return value if text is None else value | {"text": text}


def _as_set(found: Any) -> set[tuple[Any, ...]]:
    items = [(item.namespace, item.key, repr(item.value)) for item in found]
    if len(items) != len(set(items)):
        raise Difference(f"an item was found twice: {items}")
    return set(items)


def _machine(stateful: Any, given: _Strategies, made: Callable[[], _Pair]) -> Any:
    rule = stateful.rule

    class StoreMachine(stateful.RuleBasedStateMachine):
        """The steps."""

        def __init__(self) -> None:
            super().__init__()
            self.pair = made()

        @rule(namespace=given.namespace, key=given.key, value=given.value_or_none, index=given.index)
        def put(self, namespace: Any, key: Any, value: Any, index: Any) -> None:
            self.pair.put_one(namespace, key, value, index)

        @rule(namespace=given.namespace, key=given.key)
        def get(self, namespace: Any, key: Any) -> None:
            self.pair.get(namespace, key)

        @rule(ops=given.batch)
        def batch(self, ops: Any) -> None:
            self.pair.batch(ops)

        @rule(prefix=given.prefix, filter=given.filter, page=given.page)
        def search(self, prefix: Any, filter: Any, page: Any) -> None:
            self.pair.search(prefix, filter, page)

        @rule(prefix=given.prefix, query=given.query, page=given.page)
        def ask(self, prefix: Any, query: Any, page: Any) -> None:
            self.pair.ask(prefix, query, page)

        @rule(listing=given.listing)
        def list(self, listing: Any) -> None:
            self.pair.list(listing)

        def teardown(self) -> None:
            self.pair.end()

    return StoreMachine
