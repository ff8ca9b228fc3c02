"""A conformance suite for LangGraph stores: does a `BaseStore` do what LangGraph's contract says?

What enters: a factory of stores. What leaves: named checks that each passes or raises, and a hypothesis state machine
that takes a store and `InMemoryStore` through the same life and compares all they answer. Neither needs pytest; the
machine needs hypothesis. A store of your own is checked so:

    from memoria.integrations.conformance import check_store, checks, store_machine

    def make(fields, ttl):          # fields: what is searched (None: the store has no index); ttl: a TTLConfig or None
        return MyStore(...)         # or a context manager that gives one

    check_store(make)                                          # all at once, or one by one under pytest:

    @pytest.mark.parametrize("check", checks(index=True), ids=str)
    def test_store(check):
        check(make)

    TestMyStore = store_machine(make).TestCase

The contract is that of langgraph-checkpoint 4.3: `InMemoryStore` passes every check (it has no TTL). Where it does
otherwise than the contract's words, or the contract is silent, nothing is asked of a store:

- in which order items come without a query (but pages must tile, and a search must not change its mind);
- whether `$gt` and its like raise, or find nothing, where an item holds no number;
- whether a namespace is listed that was only looked at, or that holds nothing any more;
- how scores are made: they fall, and an item with the very words of the query comes first;
- where items of which nothing is searched come on the second page and after it;
- raw batches with invalid namespaces, negative limits, and values that are not JSON.
"""

from memoria.integrations.conformance.checks import Check, Difference, Factory, check_store, checks
from memoria.integrations.conformance.machine import store_machine

__all__ = ["Check", "Difference", "Factory", "check_store", "checks", "store_machine"]
