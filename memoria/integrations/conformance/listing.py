"""Checks of listing namespaces.

What enters: a trial. What leaves: `Difference`s.
"""

from __future__ import annotations

from typing import Any

from memoria.integrations.conformance.trial import Trial, equal

SPACES = [
    ("a",),
    ("a", "b"),
    ("a", "b", "c"),
    ("a", "b", "d", "e"),
    ("a", "b", "d", "i"),
    ("a", "c", "f"),
    ("ab", "c"),
    ("b", "a", "f"),
    ("x", "b", "c"),
]
LISTINGS: list[tuple[dict[str, Any], list[tuple[str, ...]]]] = [
    ({}, SPACES),
    ({"prefix": ("a",)}, SPACES[:6]),
    ({"prefix": ("a", "b")}, SPACES[1:5]),
    ({"prefix": ("c",)}, []),
    ({"prefix": ("a", "b", "c", "d")}, []),
    ({"prefix": ("*", "b")}, [*SPACES[1:5], ("x", "b", "c")]),
    ({"prefix": ("a", "*", "d")}, SPACES[3:5]),
    ({"suffix": ("c",)}, [("a", "b", "c"), ("ab", "c"), ("x", "b", "c")]),
    ({"suffix": ("b", "*")}, [("a", "b", "c"), ("x", "b", "c")]),
    ({"suffix": ("f",)}, [("a", "c", "f"), ("b", "a", "f")]),
    ({"suffix": ("a", "b", "c", "d", "e")}, []),
    ({"prefix": ("a",), "suffix": ("c",)}, [("a", "b", "c")]),
    ({"prefix": ("a", "b", "c"), "suffix": ("b", "c")}, [("a", "b", "c")]),
    ({"max_depth": 1}, [("a",), ("ab",), ("b",), ("x",)]),
    ({"prefix": ("a", "b"), "max_depth": 3}, [("a", "b"), ("a", "b", "c"), ("a", "b", "d")]),
    ({"suffix": ("f",), "max_depth": 2}, [("a", "c"), ("b", "a")]),
]


def _fill(trial: Trial) -> None:
    for number, namespace in enumerate(reversed(SPACES)):
        trial.store.put(namespace, "k", {"n": number})
        trial.store.put(namespace, "l", {"n": number})


def namespaces_are_listed(trial: Trial) -> None:
    """Each once, in order; by prefix, by suffix, with wildcards, cut to a depth."""
    equal(trial.store.list_namespaces(), [], "the namespaces of an empty store")
    _fill(trial)
    for given, wanted in LISTINGS:
        equal(trial.store.list_namespaces(**given), wanted, f"the namespaces by {given}")


def listings_come_in_pages(trial: Trial) -> None:
    """At most 100 unless a limit is given; pages tile, after the cut to a depth."""
    _fill(trial)
    pages = [trial.store.list_namespaces(limit=2, offset=start) for start in range(0, 12, 2)]
    equal([space for page in pages for space in page], SPACES, "the pages together")
    equal(trial.store.list_namespaces(max_depth=1, limit=2, offset=1), [("ab",), ("b",)], "the second page")
    for number in range(120):
        trial.store.put(("many", f"{number:03}"), "k", {})
    equal(len(trial.store.list_namespaces(prefix=("many",))), 100, "the number of namespaces without a limit")


CHECKS = (namespaces_are_listed, listings_come_in_pages)
