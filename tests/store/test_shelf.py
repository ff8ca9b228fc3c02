"""A person's columns: what grew piece by piece equals what is read at once."""

from __future__ import annotations

import numpy as np
from conftest import OpenMemory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memoria.records import Scope
from memoria.store.scopes import require_scope
from memoria.store.shelf import Shelf, Shelves

FUNCTION_FIXTURES = [HealthCheck.function_scoped_fixture]
SAID = st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["tea", "sea sea", "tea and sea"]))


def read(shelves: Shelves, memory: object, user: str) -> Shelf:
    with memory._ledger.read() as connection:  # type: ignore[attr-defined]
        state = require_scope(connection, Scope(user=user))
        shelf = shelves.shelf(connection, state)
        shelf.learn(connection, state.id, ["tea", "sea"])
        return shelf


@settings(max_examples=15, deadline=None, suppress_health_check=FUNCTION_FIXTURES)
@given(deliveries=st.lists(st.lists(SAID, min_size=1, max_size=4), min_size=1, max_size=5), run=st.uuids())
def test_a_grown_shelf_equals_a_fresh_one(open_memory: OpenMemory, deliveries: list, run: object) -> None:
    memory, grown = open_memory(), Shelves(10)
    user = str(run)
    for number, delivery in enumerate(deliveries):
        for session, text in delivery:
            memory.remember({"text": text, "id": str(number)}, user=user, session=session)
        old, new = read(grown, memory, user), read(Shelves(10), memory, user)
        assert old.speakers == new.speakers
        for name in ("ids", "speaker", "occurred", "session", "position", "length", "prev", "next", "role", "shape"):
            np.testing.assert_array_equal(getattr(old, name), getattr(new, name), err_msg=name)
        for word in ("tea", "sea"):
            np.testing.assert_array_equal(old.postings(word).docs, new.postings(word).docs)
            np.testing.assert_array_equal(old.postings(word).tf, new.postings(word).tf)
    memory.close()


def test_neighbours_stay_in_their_session(memory: object, open_memory: OpenMemory) -> None:
    memory = open_memory()
    for session in ("a", "b"):
        memory.remember([f"{session} {i}" for i in range(3)], user="ana", session=session)
    shelf = read(Shelves(10), memory, "ana")
    assert shelf.prev.tolist() == [-1, 0, 1, -1, 3, 4]
    assert shelf.next.tolist() == [1, 2, -1, 4, 5, -1]
    assert len(shelf.sessions) == 2


def test_the_cache_keeps_to_its_limit(open_memory: OpenMemory) -> None:
    memory, shelves = open_memory(), Shelves(1)
    for number in range(8):
        memory.remember([f"turn {i}" for i in range(1200)], user=f"user{number}")
        read(shelves, memory, f"user{number}")
    assert shelves.size() <= 1_000_000
