"""What is believed is what the words and edits that are left say, whatever came and went before.

Random lives are lived through `Memory`: turns about random days, edits by hand, retractions, forgetting. Then only what
remains is lived again, in another home, and both must believe the same, now and as of every moment in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count

import pytest
from conftest import DIMENSION, START
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lives import (
    POOLS,
    Lived,
    Said,
    check_past,
    edits,
    keeping,
    lived,
    lives,
    name_of,
    now_believed,
    picks,
    replayed,
    said,
    state,
)

from memoria import HashEmbeddings, Memory
from memoria.settings import Settings, StoreSettings

_numbers = count()


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Lived]]:
    """Lives to live, in as many homes as asked for; every life is another person's."""
    clock = [START]
    folder = tmp_path_factory.mktemp("lives")
    opened: dict[int, Memory] = {}

    def live(home: int) -> Lived:
        if home not in opened:
            opened[home] = Memory(
                folder / str(home),
                embeddings=HashEmbeddings(DIMENSION),
                settings=Settings(cache_dir=folder, store=StoreSettings(index="exact")),
                clock=lambda: clock[0],
            )
        return Lived(opened[home], clock, f"person{next(_numbers)}")

    yield live
    for memory in opened.values():
        memory.close()


few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(steps=lives(edits | picks))
def test_the_state_is_that_of_what_remains(homes: Callable[[int], Lived], steps: list[object]) -> None:
    life = lived(homes(0), steps)
    again = replayed(homes(1), life.done)
    last = START + timedelta(hours=len(steps))
    life.clock[0] = last
    assert state(now_believed(life)) == state(now_believed(again))
    check_past(life, again, sorted(life.told))


@few
@given(steps=lives(edits | keeping))
def test_the_past_is_told_as_it_was_answered(homes: Callable[[int], Lived], steps: list[object]) -> None:
    life = lived(homes(0), steps)
    life.clock[0] = START + timedelta(days=400)
    for moment, told in life.told.items():
        then = [belief.model_copy(update={"revision": 0}) for belief in now_believed(life, moment)]
        assert then == [belief.model_copy(update={"revision": 0}) for belief in told]


def taken_back(homes: Callable[[int], Lived], steps: list[object], stated: tuple[str, str, int], at: int) -> bool:
    """Check that stating something before step `at`, and taking it back in the end, is like never having stated it;
    False where the rest says the same, so that there is nothing to check."""
    ids = {name_of(belief) for belief in now_believed(lived(homes(0), [Said((stated,))]))}
    without = lived(homes(0), steps)
    if ids & {name_of(belief) for belief in now_believed(without)}:
        return False
    around = [(START + timedelta(hours=n), step) for n, step in enumerate(steps)]
    around.insert(at, (START + timedelta(hours=at) - timedelta(minutes=30), Said((stated,))))
    life = replayed(homes(0), around)
    life.clock[0] = START + timedelta(days=50)
    for belief in now_believed(life):
        if name_of(belief) in ids:
            life.memory.retract(belief.id, user=life.user)
    assert state(now_believed(life)) == state(now_believed(without))
    return True


@few
@given(about=st.sampled_from(sorted(POOLS)), data=st.data())
def test_what_was_taken_back_was_never_said(homes: Callable[[int], Lived], about: str, data: st.DataObject) -> None:
    steps = data.draw(st.lists(said(about) | edits, min_size=1, max_size=6))
    stated = (data.draw(st.sampled_from(POOLS[about][0])), "s1", data.draw(st.integers(-40, 3)))
    assume(taken_back(homes, steps, stated, data.draw(st.integers(0, len(steps)))))


HANGING: list[tuple[str, str, str | None]] = [
    ("I live in Paris.", "I live in Lyon.", None),  # what it superseded returns
    ("I love black coffee.", "I can't stand coffee.", None),  # what it overruled
    ("I am single.", "I am married to Anna.", None),  # what it ended, and what it implied
    ("I live in Lyon.", "Actually, I live in Oslo.", None),  # what it corrected
    ("I love tea.", "I love black coffee.", "I gave up black coffee."),  # what was said of it
    ("I live in Lyon.", "I live in Paris.", "I moved from Paris to Oslo."),
    ("My sister lives in Rome.", "My sister's name is Anna.", "Anna lives in Lyon."),  # who it made one
]


@pytest.mark.parametrize(("before", "stated", "after"), HANGING)
def test_all_that_hung_on_it_goes_with_it(
    homes: Callable[[int], Lived], before: str, stated: str, after: str | None
) -> None:
    steps: list[object] = [Said(((text, "s0", day),)) for day, text in ((0, before), (9, after)) if text]
    assert taken_back(homes, steps, (stated, "s1", 1), 1)


@pytest.mark.parametrize(("before", "stated", "after"), HANGING)
def test_what_was_forgotten_was_never_said(
    homes: Callable[[int], Lived], before: str, stated: str, after: str | None
) -> None:
    texts = [(before, "s0", 0), (stated, "s1", 1), (after or "I visited Oslo.", "s0", 9)]
    life = lived(homes(0), [Said((each,)) for each in texts])
    life.memory.forget(user=life.user, session="s1")
    moments = sorted(life.told)
    without = replayed(homes(1), [(moments[0], Said((texts[0],))), (moments[2], Said((texts[2],)))])
    life.clock[0] = START + timedelta(days=50)
    assert state(now_believed(life)) == state(now_believed(without))
    check_past(life, without, moments)
