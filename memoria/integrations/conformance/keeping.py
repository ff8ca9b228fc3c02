"""Checks of putting, getting and deleting, alone and in batches.

What enters: a trial. What leaves: `Difference`s.
"""

from __future__ import annotations

from typing import Any

from langgraph.store.base import GetOp, InvalidNamespaceError, Item, ListNamespacesOp, PutOp, SearchOp

from memoria.integrations.conformance.trial import Trial, equal, expect, facts, keys, refuses

AWKWARD = ["a b", "%", "_", "*", "'", '"', "'; DROP TABLE item; --", "é中🌍", "\\", "a/b", "$.x", "{x}", "a\nb", ""]
VALUES: list[dict[str, Any]] = [
    {},
    {"text": "é中🌍\n\t\"quoted\" \\ 'single' \u0000"},
    {"n": 2**53 + 1, "big": 10**30, "f": 0.1, "neg": -1.5e-300, "zero": 0},
    {"yes": True, "no": False, "none": None},
    {"deep": {"list": [1, "two", {"three": [None, [], {}]}]}},
    {"": "empty key", "a.b": 1, "$eq": 2, "0": 3},
]


def what_was_put_is_got(trial: Trial) -> None:
    """A put is read back the same, with its namespace, its key and its times."""
    trial.store.put(("docs", "one"), "k", {"text": "hello"})
    item = trial.store.get(("docs", "one"), "k")
    equal(facts(item), (("docs", "one"), "k", {"text": "hello"}), "the item")
    assert isinstance(item, Item)
    expect(item.created_at.tzinfo is not None, "created_at has no time zone.")
    expect(item.updated_at >= item.created_at, "updated_at lies before created_at.")


def what_is_not_there_is_none(trial: Trial) -> None:
    """Another key, another namespace, and what was never put."""
    trial.store.put(("a", "b"), "k", {"n": 1})
    for namespace, key in ((("a", "b"), "other"), (("a",), "k"), (("a", "b", "c"), "k"), (("ab",), "k")):
        equal(trial.store.get(namespace, key), None, f"the item {key!r} of {namespace}")


def values_come_back_the_same(trial: Trial) -> None:
    """Any JSON: nested, in every script, numbers of any size."""
    for number, value in enumerate(VALUES):
        trial.store.put(("values",), str(number), value)
    for number, value in enumerate(VALUES):
        item = trial.store.get(("values",), str(number))
        equal(item and item.value, value, "the value")
        expect(repr(item and item.value) == repr(value), f"{value!r} came back with other types.")


def keys_and_labels_may_hold_anything(trial: Trial) -> None:
    """Quotes, wildcards and the like are nothing special in a key or a label."""
    labels = [label for label in AWKWARD if label and "." not in label]
    for key in AWKWARD:
        trial.store.put(("keys",), key, {"is": key})
    for label in labels:
        trial.store.put(("labels", label), "k", {"is": label})
    for key in AWKWARD:
        equal(facts(trial.store.get(("keys",), key)), (("keys",), key, {"is": key}), "the item")
    for label in labels:
        equal([item.value for item in trial.store.search(("labels", label))], [{"is": label}], "the items")


def labels_are_apart(trial: Trial) -> None:
    """("a", "bc") is not ("ab", "c")."""
    trial.store.put(("a", "bc"), "k", {"n": 1})
    trial.store.put(("ab", "c"), "k", {"n": 2})
    trial.store.put(("a", "bc", "k"), "k", {"n": 3})
    for namespace, n in ((("a", "bc"), 1), (("ab", "c"), 2), (("a", "bc", "k"), 3)):
        equal(facts(trial.store.get(namespace, "k")), (namespace, "k", {"n": n}), "the item")


def a_put_replaces_the_whole_item(trial: Trial) -> None:
    """No field of the old value stays, and created_at is new."""
    trial.store.put(("docs",), "k", {"old": 1, "both": 1})
    first = trial.store.get(("docs",), "k")
    trial.store.put(("docs",), "k", {"both": 2})
    second = trial.store.get(("docs",), "k")
    assert first is not None
    assert second is not None
    equal(second.value, {"both": 2}, "the value")
    expect(second.created_at > first.created_at, "created_at is that of the item which was replaced.")
    equal(keys(trial.store.search(("docs",))), ["k"], "the keys")


def what_was_given_may_change(trial: Trial) -> None:
    """A dict that is changed after it was put changes no item."""
    value = {"n": 1}
    trial.store.put(("docs",), "k", value)
    value["n"] = 2
    equal(facts(trial.store.get(("docs",), "k")), (("docs",), "k", {"n": 1}), "the item")


def what_was_deleted_is_gone(trial: Trial) -> None:
    """From get, search and the namespace; deleting what is not there is no error."""
    trial.store.put(("docs",), "a", {"n": 1})
    trial.store.put(("docs",), "b", {"n": 2})
    trial.store.delete(("docs",), "a")
    trial.store.delete(("docs",), "never there")
    trial.store.delete(("nowhere",), "a")
    equal(trial.store.get(("docs",), "a"), None, "the deleted item")
    equal(keys(trial.store.search(("docs",))), ["b"], "the keys")
    trial.store.put(("docs",), "a", {"n": 3})
    equal(facts(trial.store.get(("docs",), "a")), (("docs",), "a", {"n": 3}), "the item put again")


def a_batch_answers_in_order(trial: Trial) -> None:
    """One answer to each operation, whatever the order; puts answer None. Any iterable is a batch."""
    equal(trial.store.batch([]), [], "the answers to nothing")
    trial.store.put(("docs",), "a", {"n": 1})
    ops = [
        SearchOp(("docs",)),
        PutOp(("docs",), "b", {"n": 2}),
        GetOp(("docs",), "a"),
        ListNamespacesOp(),
        GetOp(("docs",), "missing"),
    ]
    found: Any = trial.store.batch(op for op in ops)
    equal(len(found), 5, "the number of answers")
    equal((keys(found[0]), found[1], facts(found[2])), (["a"], None, (("docs",), "a", {"n": 1})), "the answers")
    equal((found[3], found[4]), ([("docs",)], None), "the answers")


def a_batch_reads_before_it_writes(trial: Trial) -> None:
    """Reads see what was there before the batch, wherever they stand in it."""
    trial.store.put(("docs",), "a", {"n": 1})
    found: Any = trial.store.batch(
        [
            PutOp(("docs",), "a", {"n": 2}),
            PutOp(("docs",), "b", {"n": 3}),
            GetOp(("docs",), "a"),
            GetOp(("docs",), "b"),
            SearchOp(("docs",)),
            PutOp(("docs",), "a", None),
        ]
    )
    equal((facts(found[2]), found[3]), ((("docs",), "a", {"n": 1}), None), "what was got")
    equal([facts(item) for item in found[4]], [(("docs",), "a", {"n": 1})], "what was found")
    equal(trial.store.get(("docs",), "a"), None, "the deleted item")
    equal(facts(trial.store.get(("docs",), "b")), (("docs",), "b", {"n": 3}), "the item put")


def the_last_put_of_a_batch_counts(trial: Trial) -> None:
    """Of several for one item; a deletion is a put, too."""
    put, deleted = {"n": 1}, None
    orders: dict[str, list[Any]] = {
        "twice": [put, {"n": 2}],
        "deleted": [put, deleted],
        "put again": [put, deleted, {"n": 3}],
    }
    trial.store.batch([PutOp(("docs",), key, value) for key, values in orders.items() for value in values])
    equal(facts(trial.store.get(("docs",), "twice")), (("docs",), "twice", {"n": 2}), "the item")
    equal(trial.store.get(("docs",), "deleted"), None, "the item deleted last")
    equal(facts(trial.store.get(("docs",), "put again")), (("docs",), "put again", {"n": 3}), "the item")


def what_is_no_namespace_is_refused(trial: Trial) -> None:
    """Empty, with an empty label, a period, a NUL, no string, or LangGraph's own: nothing is written."""
    bad: list[Any] = [(), ("",), ("a", ""), ("a.b",), ("a", "b.c"), ("a\x00b",), ("a", 1), ("langgraph",)]
    for namespace in bad:
        refuses(lambda where=namespace: trial.store.put(where, "k", {}), InvalidNamespaceError, f"a put to {namespace}")
    for namespace in bad[1:-1]:
        asked = f"{namespace}"
        refuses(lambda where=namespace: trial.store.get(where, "k"), InvalidNamespaceError, f"a get from {asked}")
        refuses(lambda where=namespace: trial.store.delete(where, "k"), InvalidNamespaceError, f"a delete in {asked}")
        refuses(lambda where=namespace: trial.store.search(where), InvalidNamespaceError, f"a search below {asked}")
    equal(trial.store.search(()), [], "the items")


def what_is_no_operation_is_refused(trial: Trial) -> None:
    """And nothing of its batch is written."""
    ops: Any = [PutOp(("docs",), "a", {"n": 1}), "get me something"]
    refuses(lambda: trial.store.batch(ops), ValueError, "a string in a batch")
    equal(trial.store.get(("docs",), "a"), None, "an item of the batch")


CHECKS = (
    what_was_put_is_got,
    what_is_not_there_is_none,
    values_come_back_the_same,
    keys_and_labels_may_hold_anything,
    labels_are_apart,
    a_put_replaces_the_whole_item,
    what_was_given_may_change,
    what_was_deleted_is_gone,
    a_batch_answers_in_order,
    a_batch_reads_before_it_writes,
    the_last_put_of_a_batch_counts,
    what_is_no_namespace_is_refused,
    what_is_no_operation_is_refused,
)
