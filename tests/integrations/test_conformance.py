"""The conformance suite: LangGraph's own store passes, memoria's passes, and stores that break a promise do not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from conftest import Clock
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from langgraph.store.base import BaseStore, Op, PutOp, Result, SearchOp
from langgraph.store.memory import InMemoryStore
from stores import Made, in_memory, index_of, make_empty, of_memoria, pass_minutes

from memoria import InvalidInput
from memoria.integrations.conformance import Check, Difference, check_store, checks, store_machine

WAYS = ("sync", "async")
STEPS = 50
# No shrinking: a difference is a bug to be looked into, and its steps are printed as they were.
MACHINE = settings(
    max_examples=125,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_empty(tmp_path_factory.mktemp("empty") / "home")


@pytest.fixture
def memorias(empty: Path, clock: Clock) -> Made:
    return of_memoria(empty, clock)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("check", checks(index=True), ids=str)
def test_langgraphs_own_store_passes(check: Check, way: Any) -> None:
    check(in_memory, way=way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("check", checks(index=True, ttl=True), ids=str)
def test_memorias_store_passes(check: Check, way: Any, memorias: Made, clock: Clock) -> None:
    check(memorias, way=way, pass_minutes=pass_minutes(clock))


@pytest.mark.slow
@pytest.mark.parametrize("fields", [None, ["$"]])
def test_ten_thousand_steps_show_no_difference(
    memorias: Made, fields: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = store_machine(memorias, index=index_of(fields))
    taken = count_steps(machine, monkeypatch)
    run_state_machine_as_test(machine, settings=MACHINE)
    assert sum(taken) >= 5000, "half of ten thousand; the other half is the other case"


def test_the_oracle_searches_below_a_path_beside_one_that_is_not_there(memorias: Made) -> None:
    machine = store_machine(memorias, index=index_of(["$"]))()
    machine.put(namespace=("a",), key="k", value={"at": {"n": True}}, index=["kind", "at.n"])
    machine.put(namespace=("a",), key="K", value={"kind": "x", "at": {"n": "x"}}, index=["kind", "at.n"])
    machine.ask(prefix=("a",), query="bees", page=(4, 1))
    machine.teardown()


def count_steps(machine: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number a call: what is checked after each step counts up, and at the beginning of each life does not."""
    taken: list[int] = []
    check, begin = machine.check_invariants, machine.__init__

    def checked(self: Any, *given: Any, **more: Any) -> None:
        taken.append(1)
        check(self, *given, **more)

    def begun(self: Any) -> None:
        taken.append(-1)
        begin(self)

    monkeypatch.setattr(machine, "check_invariants", checked)
    monkeypatch.setattr(machine, "__init__", begun)
    return taken


class Broken(InMemoryStore):
    """A store that breaks one promise; each test says which."""

    def __init__(self, change: Callable[[list[Op]], list[Op]]) -> None:
        super().__init__()
        self.change = change

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        return super().batch(self.change(list(ops)))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        return self.batch(ops)


def each(kind: type, **changes: Callable[[Any], Any]) -> Callable[[list[Op]], list[Op]]:
    def change(ops: list[Op]) -> list[Op]:
        return [
            op._replace(**{name: made(op) for name, made in changes.items()}) if isinstance(op, kind) else op
            for op in ops
        ]

    return change


@pytest.mark.parametrize(
    ("change", "caught"),
    [
        (each(SearchOp, filter=lambda _: None), "filters_pass_what_they_say"),
        (each(SearchOp, offset=lambda _: 0), "pages_tile"),
        (each(SearchOp, namespace_prefix=lambda op: op.namespace_prefix[:1]), "prefixes_are_whole_labels"),
        (each(PutOp, key=lambda op: op.key.lower()[:1]), "keys_and_labels_may_hold_anything"),
        (lambda ops: [op for op in ops if not isinstance(op, PutOp) or op.value is not None], "what_was_deleted"),
        (lambda ops: sorted(ops, key=lambda op: not isinstance(op, PutOp)), "a_batch_answers_in_order"),
    ],
)
def test_a_store_that_breaks_a_promise_is_caught(change: Callable[[list[Op]], list[Op]], caught: str) -> None:
    with pytest.raises(Difference, match=caught):
        check_store(lambda fields, ttl: Broken(change))
    with pytest.raises(Exception, match=r"expected|distinct failures"):
        run_state_machine_as_test(store_machine(lambda f, t: Broken(change), lists_empty=True), settings=MACHINE)


def test_all_at_once_and_what_is_counted() -> None:
    made: list[BaseStore] = []

    def make(fields: Any, ttl: Any) -> BaseStore:
        made.append(in_memory(fields, ttl))
        return made[-1]

    assert check_store(make, index=True) == 2 * len(checks(index=True)) == len(made)


def test_a_ttl_needs_a_clock(memorias: Made) -> None:
    with pytest.raises(Difference, match="pass_minutes"):
        check_store(memorias, ttl=True)


def test_it_needs_neither_pytest_nor_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import sys, memoria.integrations.conformance; print({'pytest', 'hypothesis'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    monkeypatch.setitem(sys.modules, "hypothesis.stateful", None)
    with pytest.raises(InvalidInput, match="pip install hypothesis"):
        store_machine(in_memory)
