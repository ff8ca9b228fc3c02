"""Checks of times to live, for stores that have them.

What enters: a trial of a store made with a `TTLConfig`, whose clock the trial moves on. What leaves: `Difference`s.
"""

from __future__ import annotations

from typing import Any

from langgraph.store.base import TTLConfig

from memoria.integrations.conformance.trial import Trial, equal, expect, keys


def _sweep(trial: Trial) -> int:
    store: Any = trial.store
    return store.sweep_ttl()


def _there(trial: Trial) -> list[str]:
    return sorted(keys(trial.store.search((), refresh_ttl=False)))


def what_is_over_is_swept(trial: Trial) -> None:
    """Items whose minutes are over, and no others; the sweep tells how many."""
    expect(trial.store.supports_ttl, "supports_ttl is false.")
    trial.store.put(("docs",), "short", {}, ttl=1)
    trial.store.put(("docs",), "long", {}, ttl=10.5)
    trial.store.put(("docs",), "ever", {})
    equal((_sweep(trial), _there(trial)), (0, ["ever", "long", "short"]), "what is there at once")
    trial.pass_minutes(2)
    equal((_sweep(trial), _there(trial)), (1, ["ever", "long"]), "what is there after two minutes")
    trial.pass_minutes(20)
    equal((_sweep(trial), _there(trial)), (1, ["ever"]), "what is there at last")


def a_default_holds_unless_another_is_given(trial: Trial) -> None:
    """`default_ttl`; an explicit None is no end."""
    trial.store.put(("docs",), "default", {})
    trial.store.put(("docs",), "longer", {}, ttl=60)
    trial.store.put(("docs",), "ever", {}, ttl=None)
    trial.pass_minutes(6)
    _sweep(trial)
    equal(_there(trial), ["ever", "longer"], "what is there after six minutes")


def a_put_begins_anew(trial: Trial) -> None:
    """A put replaces the time to live, too."""
    trial.store.put(("docs",), "renewed", {}, ttl=5)
    trial.store.put(("docs",), "freed", {}, ttl=5)
    trial.pass_minutes(4)
    trial.store.put(("docs",), "renewed", {}, ttl=5)
    trial.store.put(("docs",), "freed", {})
    trial.pass_minutes(4)
    equal((_sweep(trial), _there(trial)), (0, ["freed", "renewed"]), "what is there")


def reading_begins_anew(trial: Trial) -> None:
    """By get and by search, unless refresh_ttl says otherwise."""
    for key in ("got", "searched", "looked", "left"):
        trial.store.put((key,), key, {}, ttl=5)
    trial.pass_minutes(4)
    trial.store.get(("got",), "got")
    trial.store.search(("searched",))
    trial.store.get(("looked",), "looked", refresh_ttl=False)
    trial.store.search(("looked",), refresh_ttl=False)
    trial.pass_minutes(4)
    equal((_sweep(trial), _there(trial)), (2, ["got", "searched"]), "what is there")


def reading_may_be_told_not_to(trial: Trial) -> None:
    """`refresh_on_read` false: only where refresh_ttl asks for it."""
    for key in ("got", "asked"):
        trial.store.put((key,), key, {}, ttl=5)
    trial.pass_minutes(4)
    trial.store.get(("got",), "got")
    trial.store.search(("got",))
    trial.store.get(("asked",), "asked", refresh_ttl=True)
    trial.pass_minutes(4)
    equal((_sweep(trial), _there(trial)), (1, ["asked"]), "what is there")


def what_is_over_may_be_left_out(trial: Trial) -> None:
    """`omit_expired`: not got, not found, not listed, and not brought back by reading, before any sweep."""
    trial.store.put(("docs",), "short", {"n": 1}, ttl=1)
    trial.store.put(("docs",), "ever", {"n": 1})
    trial.store.put(("gone",), "short", {"n": 1}, ttl=1)
    trial.pass_minutes(2)
    for _ in range(2):
        equal(trial.store.get(("docs",), "short"), None, "an item whose time is over")
        found = [trial.store.search(()), trial.store.search((), filter={"n": 1}), trial.store.search((), query="n")]
        equal([keys(each) for each in found], [["ever"]] * 3, "what is found")
        equal(trial.store.list_namespaces(), [("docs",)], "the namespaces")
    equal(_sweep(trial), 2, "how many were swept")


PLAIN: TTLConfig = {"refresh_on_read": True}
CHECKS = (
    (PLAIN, what_is_over_is_swept),
    (TTLConfig(default_ttl=5.0), a_default_holds_unless_another_is_given),
    (PLAIN, a_put_begins_anew),
    (PLAIN, reading_begins_anew),
    (TTLConfig(refresh_on_read=False), reading_may_be_told_not_to),
    (TTLConfig(omit_expired=True), what_is_over_may_be_left_out),
)
