"""Batches: every row has its turn, a large part drowns no small one, and a step's batch is always the same."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from memoria.distill.batches import picked, picked_by_turns, rows_to_learn
from memoria.distill.records import Dataset, Example, Pair

SIZES = st.integers(1, 9)


@given(rows=SIZES, size=SIZES, seed=st.text(max_size=3))
def test_each_row_has_its_turn_before_any_has_its_second(rows: int, size: int, seed: str) -> None:
    taken = [each for step in range(rows) for each in picked(range(rows), step, size, seed)]
    assert Counter(taken) == dict.fromkeys(range(rows), size)


@given(parts=st.lists(SIZES, min_size=1, max_size=4), size=SIZES, step=st.integers(0, 30), seed=st.text(max_size=3))
def test_each_part_has_the_same_share(parts: list[int], size: int, step: int, seed: str) -> None:
    rows = [[(part, row) for row in range(count)] for part, count in enumerate(parts)]
    taken = [each for at in range(len(parts)) for each in picked_by_turns(rows, at, size, seed)]
    assert Counter(part for part, _ in taken) == dict.fromkeys(range(len(parts)), size)
    assert picked_by_turns(rows, step, size, seed) == picked_by_turns(rows, step, size, seed)


def test_what_was_chosen_what_was_stated_and_facts_are_parts() -> None:
    def pair(kind: str, split: str = "train") -> Pair:
        given = {"kind": kind, "split": split, "prompt": kind, "chosen": "a", "rejected": "b"}
        return Pair.model_validate(given)

    data = Dataset(
        tenant="default",
        user="ana",
        pairs=(pair("stated"), pair("edit"), pair("vote"), pair("stated", "held_out")),
        examples=(Example(kind="fact", prompt="fact", answer="a"), Example(kind="preference", prompt="up", answer="a")),
    )
    told = [[each.taken.prompt for each in part] for part in rows_to_learn(data, facts=True)]
    chosen = ["edit", "vote", "up"]
    assert told == [chosen, ["fact"], chosen, ["stated"], ["fact"]]
    assert len(rows_to_learn(data, facts=False)) == 3
    assert rows_to_learn(Dataset(tenant="default", user="ana"), facts=True) == []
