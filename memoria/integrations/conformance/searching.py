"""Checks of searching without an index: prefixes, filters, pages.

What enters: a trial. What leaves: `Difference`s.
"""

from __future__ import annotations

from typing import Any

from langgraph.store.base import SearchItem

from memoria.integrations.conformance.trial import Trial, equal, expect, facts, keys, refuses

ITEMS: dict[str, dict[str, Any]] = {
    "one": {"n": 1, "kind": "red", "tags": ["a", "b"], "at": {"city": "Porto", "no": 7}},
    "two": {"n": 2, "kind": "blue", "tags": ["b"], "at": {"city": "Lisbon", "no": 7}},
    "half": {"n": 2.5, "kind": "red", "done": True, "at": {"city": "Porto", "no": 8}},
    "less": {"n": -3, "kind": None, "done": False, "at": {"city": 'P"orto', "deep": {"er": 1}}},
}
FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"one", "two", "half", "less"}),
    ({"kind": "red"}, {"one", "half"}),
    ({"kind": "re"}, set()),
    ({"kind": None}, {"less"}),
    ({"n": 2}, {"two"}),
    ({"n": 2.0}, {"two"}),
    ({"n": "2"}, set()),
    ({"done": True}, {"half"}),
    ({"done": None}, {"one", "two"}),
    ({"missing": 1}, set()),
    ({"kind": "red", "n": 1}, {"one"}),
    ({"tags": ["a", "b"]}, {"one"}),
    ({"tags": ["b", "a"]}, set()),
    ({"tags": "b"}, set()),
    ({"at": {"city": "Porto"}}, {"one", "half"}),
    ({"at": {"city": 'P"orto'}}, {"less"}),
    ({"at": {"city": "Porto", "no": 8}}, {"half"}),
    ({"at": {"no": {"$eq": 7}}}, {"one", "two"}),
    ({"at": {"deep": {"er": {"$ne": 1}}}}, set()),
    ({"at.city": "Porto"}, set()),
    ({"kind": {"$eq": "red"}}, {"one", "half"}),
    ({"kind": {"$ne": "red"}}, {"two", "less"}),
    ({"done": {"$ne": True}}, {"one", "two", "less"}),
    ({"n": {"$gt": 2}}, {"half"}),
    ({"n": {"$gte": 2}}, {"two", "half"}),
    ({"n": {"$lt": 1}}, {"less"}),
    ({"n": {"$lte": 1}}, {"one", "less"}),
    ({"n": {"$gt": -3, "$lt": 2.5}}, {"one", "two"}),
    ({"n": {"$gt": 0}, "kind": {"$ne": "red"}}, {"two"}),
]
HOSTILE = [
    "' OR 1=1 --",
    "kind') OR 1=1 OR ('x'='x",
    'kind" OR "1"="1',
    "$.kind",
    "kind'",
    "a.b",
    "a[0]",
    "[*]",
    "%",
    "_",
    "\\",
    ":x",
    "?",
    "é中🌍",
    "",
    "a\nb",
    "a\x00b",
]


def _fill(trial: Trial) -> None:
    for key, value in ITEMS.items():
        trial.store.put(("docs",), key, value)


def prefixes_are_whole_labels(trial: Trial) -> None:
    """A search finds what lies in a namespace and below it, and nothing beside it."""
    spaces = [("a",), ("a", "b"), ("a", "b", "c"), ("ab",), ("b", "a"), ("a", "bc")]
    for number, namespace in enumerate(spaces):
        trial.store.put(namespace, "k", {"n": number})
    for prefix in [(), *spaces, ("c",), ("a", "b", "c", "d")]:
        wanted = sorted(each for each in spaces if each[: len(prefix)] == prefix)
        equal(sorted(item.namespace for item in trial.store.search(prefix)), wanted, f"the namespaces below {prefix}")


def an_item_found_is_the_item(trial: Trial) -> None:
    """A `SearchItem` with all of the item, and no score without a query."""
    trial.store.put(("docs",), "k", {"n": 1})
    (found,), got = trial.store.search(("docs",)), trial.store.get(("docs",), "k")
    equal((type(found), found.score), (SearchItem, None), "what was found")
    equal(facts(found), facts(got), "the item")
    expect(got is not None and found.created_at == got.created_at, "created_at is another one.")


def filters_pass_what_they_say(trial: Trial) -> None:
    """Equality, nested and of lists; the six operators; all conditions together."""
    _fill(trial)
    for given, wanted in FILTERS:
        equal(set(keys(trial.store.search(("docs",), filter=given))), wanted, f"what passes {given}")


def filter_keys_may_hold_anything(trial: Trial) -> None:
    """A key of a filter is a field's name, whatever is in it, and never part of a statement."""
    for number, field in enumerate(HOSTILE):
        trial.store.put(("docs",), str(number), {field: "here", "kind": "red", "in": {field: number}})
    for number, field in enumerate(HOSTILE):
        equal(keys(trial.store.search((), filter={field: "here"})), [str(number)], f"what has the field {field!r}")
        inside = {"in": {field: number}} if not field.startswith("$") else {field: "here"}  # else it is an operator
        equal(keys(trial.store.search((), filter=inside)), [str(number)], f"what has the field {field!r} inside")
        equal(keys(trial.store.search((), filter={field: {"$eq": field}})), [], f"what has {field!r} in it")
        equal(keys(trial.store.search((), filter={"kind": field})), [], f"what is of the kind {field!r}")
    equal(len(trial.store.search((), limit=100)), len(HOSTILE), "the number of items")


def filters_of_deleted_and_replaced_items(trial: Trial) -> None:
    """A filter sees items as they are now."""
    _fill(trial)
    trial.store.put(("docs",), "one", {"kind": "blue"})
    trial.store.delete(("docs",), "half")
    equal(keys(trial.store.search((), filter={"kind": "red"})), [], "what is red")
    equal(set(keys(trial.store.search((), filter={"kind": "blue"}))), {"one", "two"}, "what is blue")


def an_unknown_operator_is_refused(trial: Trial) -> None:
    """Rather than passing nothing, or all."""
    _fill(trial)
    for given in ({"kind": {"$like": "red"}}, {"n": {"$gt": 1, "$regex": "."}}):
        refuses(lambda what=given: trial.store.search(("docs",), filter=what), ValueError, f"the filter {given}")


def pages_tile(trial: Trial) -> None:
    """`limit` is 10 unless given; pages hold each item once, with a filter as without."""
    for number in range(25):
        trial.store.put(("docs", str(number % 3)), f"k{number}", {"n": number, "even": number % 2 == 0})
    equal(len(trial.store.search(("docs",))), 10, "the number of items without a limit")
    for given in (None, {"even": True}):
        whole = keys(trial.store.search(("docs",), filter=given, limit=100))
        equal(sorted(whole), sorted(f"k{n}" for n in range(25) if given is None or n % 2 == 0), "all items")
        pages = [trial.store.search(("docs",), filter=given, limit=4, offset=start) for start in range(0, 28, 4)]
        equal([key for page in pages for key in keys(page)], whole, "the pages together")
        equal(keys(trial.store.search(("docs",), filter=given, limit=0)), [], "no items")
        equal(keys(trial.store.search(("docs",), filter=given, offset=100)), [], "items behind the last")


def a_query_without_an_index_is_passed_over(trial: Trial) -> None:
    """Everything is found, and nothing has a score."""
    _fill(trial)
    found = trial.store.search(("docs",), query="red", filter={"kind": "red"})
    equal((set(keys(found)), {item.score for item in found}), ({"one", "half"}, {None}), "what was found")


CHECKS = (
    prefixes_are_whole_labels,
    an_item_found_is_the_item,
    filters_pass_what_they_say,
    filter_keys_may_hold_anything,
    filters_of_deleted_and_replaced_items,
    an_unknown_operator_is_refused,
    pages_tile,
    a_query_without_an_index_is_passed_over,
)
