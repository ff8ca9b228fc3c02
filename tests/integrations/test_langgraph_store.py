"""MemoriaStore beyond the contract: what it refuses, how it ranks, whose items are whose, and what expires."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from conftest import DIMENSION, Clock, OpenMemory
from langgraph.store.base import GetOp, InvalidNamespaceError, ListNamespacesOp, MatchCondition, Op, PutOp, SearchOp
from stores import pass_minutes

from memoria import HashEmbeddings, InvalidInput, MemoriaError, Memory, Scope
from memoria.errors import EmbeddingMismatch
from memoria.integrations.langgraph_store import MemoriaStore
from memoria.integrations.namespaces import person_of

HERE = ("memories", "ana")


@pytest.fixture
def store(memory: Memory) -> MemoriaStore:
    return MemoriaStore(memory)


@pytest.mark.parametrize("bad", [("",), ("a.b",), ("a\x00",), (1,)])
@pytest.mark.parametrize(
    "op",
    [
        lambda bad: PutOp(bad, "k", {"n": 1}),
        lambda bad: GetOp(bad, "k"),
        lambda bad: SearchOp(bad),
        lambda bad: ListNamespacesOp((MatchCondition("suffix", bad),)),
    ],
)
def test_a_raw_batch_is_checked_before_anything_is_written(
    store: MemoriaStore, bad: Any, op: Callable[[Any], Op]
) -> None:
    with pytest.raises(InvalidNamespaceError):
        store.batch([PutOp(HERE, "k", {"n": 1}), op(bad)])
    assert store.search(()) == []


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"a": [1, {"at": datetime(2026, 1, 1)}]}, r"it\['a'\]\[1\]\['at'\] is a datetime"),
        ({"a": {1: "one"}}, r"it\['a'\] has the key 1, a int"),
        ({"a": float("nan")}, "which JSON has no number for"),
        ({"a": float("inf")}, "which JSON has no number for"),
        ({"a": {"b"}}, "is a set"),
        ({"a": "\ud800"}, "lone surrogates"),
        ({"\ud800": 1}, "lone surrogates"),
        ({"a": b"bytes"}, "is a bytes"),
        (["no", "dict"], "an item's value is a dict"),
    ],
)
def test_what_is_no_json_is_refused_and_nothing_is_written(store: MemoriaStore, value: Any, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        store.batch([PutOp(HERE, "fine", {"n": 1}), PutOp(HERE, "bad", value)])
    assert store.search(()) == []


def test_a_value_that_holds_itself_is_refused(store: MemoriaStore) -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(InvalidInput, match="holds itself"):
        store.put(HERE, "k", value)


def test_tuples_come_back_as_lists_and_a_value_read_is_a_copy(store: MemoriaStore) -> None:
    store.put(HERE, "k", {"pair": (1, ("two",))})
    item = store.get(HERE, "k")
    assert item is not None
    assert item.value == {"pair": [1, ["two"]]}
    item.value["pair"] = "changed"
    again = store.get(HERE, "k")
    assert again is not None
    assert again.value == {"pair": [1, ["two"]]}


@pytest.mark.parametrize(
    "ops",
    [
        [SearchOp((), limit=-1)],
        [SearchOp((), offset=-1)],
        [ListNamespacesOp(limit=-1)],
        [SearchOp((), {"a": {"$in": [1]}})],
        [SearchOp((), {"a": {"$gt": "x"}})],
        [PutOp(HERE, 7, {})],  # type: ignore[arg-type]
        [PutOp(HERE, "\ud800", {})],
        [PutOp(("\ud800",), "k", {})],
        [SearchOp((), query="\ud800")],
        [PutOp(HERE, "k", {}, ttl=float("nan"))],
        [PutOp(HERE, "k", {}, ttl=1e300)],
        [PutOp(HERE, "k", {}, index="text")],  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_taken_is_refused_at_once(store: MemoriaStore, ops: list[Op]) -> None:
    with pytest.raises(InvalidInput):
        store.batch(ops)


def test_a_limit_beyond_all_numbers_is_all(store: MemoriaStore) -> None:
    store.put(HERE, "k", {"n": 1})
    assert len(store.search((), limit=10**30)) == len(store.search((), query="n", limit=10**30)) == 1
    assert store.search((), limit=10**30, offset=10**30) == []


def test_comparisons_pass_over_what_is_no_number(store: MemoriaStore) -> None:
    for key, n in {"number": 3, "text": "three", "spelt": "3", "none": None, "list": [3], "huge": 10**400}.items():
        store.put(HERE, key, {"n": n} if n is not None else {})
    assert {item.key for item in store.search((), filter={"n": {"$gte": 2}})} == {"number", "spelt"}


def test_an_item_is_found_by_meaning_and_by_words(store: MemoriaStore) -> None:
    store.put(HERE, "bees", {"content": "Ana keeps honeybees behind the house", "kind": "hobby"})
    store.put(HERE, "code", {"content": "the alarm code is 7741-Q"})
    store.put(HERE, "long", {"content": " ".join(f"word{n} alarm" for n in range(40))})
    by_spelling = store.search(HERE, query="honeybee hives")
    assert by_spelling[0].key == "bees", "no word in common: the vector finds it"
    by_word = store.search(HERE, query="7741")
    assert by_word[0].key == "code"
    scores = [item.score for item in by_word]
    assert all(score is not None and 0 <= score <= 1 for score in scores)
    exact = store.search(HERE, query="content: the alarm code is 7741-Q")[0]
    assert exact.score == pytest.approx(1, abs=0.02)
    assert [item.key for item in store.search(HERE, query="honeybees", filter={"kind": "hobby"})] == ["bees"]


def test_other_namespaces_change_no_score(store: MemoriaStore) -> None:
    for number in range(5):
        store.put(HERE, f"k{number}", {"content": f"note {number} on tea and the sea"})
    before = [(item.key, item.score) for item in store.search(HERE, query="tea by the sea")]
    for number in range(50):
        store.put(("memories", "bob"), f"k{number}", {"content": "tea tea tea and more tea"})
        store.put(("memories", "anabel"), f"k{number}", {"content": "tea"})
    assert [(item.key, item.score) for item in store.search(HERE, query="tea by the sea")] == before
    assert {item.namespace for item in store.search(HERE, query="tea", limit=100)} == {HERE}


def test_a_search_sees_every_change(store: MemoriaStore, open_memory: OpenMemory) -> None:
    other = MemoriaStore(open_memory())
    steps: list[tuple[MemoriaStore, str, dict[str, Any] | None]] = [
        (store, "a", {"content": "apples"}),
        (other, "b", {"content": "apples and pears"}),
        (store, "a", {"content": "plums"}),
        (other, "c", {"content": "apples"}),
        (other, "b", None),
        (store, "d", {"content": "apples"}),
        (store, "c", None),
        (other, "a", None),
        (other, "d", None),
    ]
    held: dict[str, dict[str, Any]] = {}
    for writer, key, value in steps:
        writer.batch([PutOp(HERE, key, value)])
        held.pop(key, None)
        held |= {} if value is None else {key: value}
        for reader in (store, other, MemoriaStore(open_memory())):
            for prefix in ((), ("memories",), HERE):
                found = reader.search(prefix, query="apples")
                assert {item.key: item.value for item in found} == held
                fit = {item.key for item in found if (item.score or 0) > 0.4}
                assert fit == {key for key in held if "apples" in str(held[key])}


def test_the_index_that_it_is_given(memory: Memory) -> None:
    store = MemoriaStore(memory, index={"dims": DIMENSION, "fields": ["title"]})
    store.put(HERE, "k", {"title": "bees", "body": "tax"})
    assert (store.search(HERE, query="bees")[0].score or 0) > 0.5
    assert store.search(HERE, query="tax")[0].score == pytest.approx(0, abs=0.2)
    with pytest.raises(InvalidInput, match="leave dims out"):
        MemoriaStore(memory, index={"dims": 7})
    with pytest.raises(InvalidInput, match=r"Memory\(embeddings"):
        MemoriaStore(memory, index={"dims": DIMENSION, "embed": HashEmbeddings(DIMENSION)})


def test_another_model_is_refused_until_reembedded(store: MemoriaStore, open_memory: OpenMemory) -> None:
    store.put(HERE, "k", {"content": "Ana keeps bees"})
    store.put(HERE, "l", {"content": "Ana sails"}, index=False)
    store.search((), query="bees")
    memory = open_memory(embeddings=HashEmbeddings(32))
    other = MemoriaStore(memory)
    for act in (lambda: other.search((), query="bees"), lambda: other.put(HERE, "m", {"content": "x"})):
        with pytest.raises(EmbeddingMismatch, match="memoria reembed"):
            act()
    assert other.get(HERE, "m") is None
    store.memory.close()
    assert memory.reembed() == 0
    assert [(i.key, i.score is None) for i in other.search((), query="bees")] == [("k", False), ("l", True)]
    other.put(HERE, "m", {"content": "more bees"})
    assert len(other.search((), query="bees")) == 3
    assert memory.verify() == []


def test_a_search_meets_a_home_embedded_again_meanwhile(memory: Memory, open_memory: OpenMemory) -> None:
    store = MemoriaStore(open_memory(embeddings=HashEmbeddings(32)))
    store.put(HERE, "k", {"content": "Ana keeps bees"})
    store.search((), query="bees")
    memory.reembed()
    with pytest.raises(EmbeddingMismatch):
        store.search((), query="bees")
    assert MemoriaStore(memory).search((), query="bees")[0].key == "k"


@pytest.mark.parametrize(
    ("namespace", "person"),
    [
        (("memories", "ana"), "ana"),
        (("memories", "ana", "recipes"), "ana"),
        (("users", "ana", "profile"), "ana"),
        (("user", "ana"), "ana"),
        (("ana", "memories"), "ana"),
        (("ana", "memories", "2026"), "ana"),
        (("memories",), None),
        (("docs", "guide"), None),
        (("ana", "recipes", "memories"), None),
        ((), None),
    ],
)
def test_whose_a_namespace_is(namespace: tuple[str, ...], person: str | None) -> None:
    assert person_of(namespace) == person


def test_whose_it_is_may_be_said_otherwise(memory: Memory) -> None:
    store = MemoriaStore(memory, tenant="acme", scope_of=lambda n: n[-1] if n[0] == "notes" else None)
    store.put(("notes", "2026", "ana"), "k", {"n": 1})
    store.put(("memories", "bob"), "k", {"n": 1})
    MemoriaStore(memory, scope_of=lambda _: Scope(tenant="t", user="eve")).put(("x",), "k", {"n": 1})
    assert memory.users() == [Scope(tenant="acme", user="ana"), Scope(tenant="t", user="eve")]
    with pytest.raises(InvalidInput, match="user is empty"):
        MemoriaStore(memory, scope_of=lambda _: " ").put(("y",), "k", {"n": 1})
    assert store.get(("y",), "k") is None


def test_a_person_with_items_alone_is_like_any_other(store: MemoriaStore, memory: Memory) -> None:
    store.put(HERE, "k", {"content": "Ana keeps bees"})
    assert [scope.user for scope in memory.users()] == ["ana"]
    assert not memory.recall("bees", user="ana").hits
    assert memory.beliefs(user="ana") == []
    assert memory.episodes(user="ana") == []
    assert memory.status()["items"] == 1
    assert memory.verify() == []


def test_the_sweeper_sweeps_until_it_is_stopped(memory: Memory, clock: Clock) -> None:
    store = MemoriaStore(memory, ttl={"default_ttl": 1.0, "sweep_interval_minutes": 1})
    store.put(HERE, "k", {"n": 1})
    pass_minutes(clock)(2)
    gone = threading.Event()

    class Watched(MemoriaStore):
        def sweep_ttl(self) -> int:
            count = super().sweep_ttl()
            if count:
                gone.set()
            return count

    watched = Watched(memory, ttl=store.ttl_config)
    future = watched.start_ttl_sweeper(0.0005)
    assert gone.wait(20)
    assert watched.start_ttl_sweeper(0.0005) is not future
    assert watched.stop_ttl_sweeper(20)
    assert future.result(20) is None
    assert store.get(HERE, "k") is None
    again = watched.start_ttl_sweeper(1000)
    again.cancel()
    assert watched.stop_ttl_sweeper(20)
    assert MemoriaStore(memory).start_ttl_sweeper().done(), "there is nothing to sweep for"
    assert MemoriaStore(memory).stop_ttl_sweeper()


def test_it_tells_what_it_does_and_nobodys_words(store: MemoriaStore, memory: Memory) -> None:
    told: list[Any] = []
    memory.on_event(told.append)
    store.put(HERE, "k", {"content": "secret"})
    store.search(HERE, query="secret")
    assert [(type(event).__name__, event.verb, event.count) for event in told] == [
        ("WriteEvent", "store", 1),
        ("ReadEvent", "store", 1),
    ]
    assert "secret" not in repr(told)


def test_a_closed_memory_is_named(store: MemoriaStore, memory: Memory) -> None:
    memory.close()
    with pytest.raises(MemoriaError, match="is closed; open a new one"):
        store.get(HERE, "k")
