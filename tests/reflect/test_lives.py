"""Profiles of random lives: whatever came and went, each line is borne out, and the profile is that of what remains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count

import pytest
from conftest import DIMENSION, START
from hypothesis import HealthCheck, given, settings
from lives import Lived, do, edits, lived, lives, picks, replayed

from memoria import HashEmbeddings, Memory, Profile, UnknownUser
from memoria.reflect.records import Draft
from memoria.settings import Settings, StoreSettings

_numbers = count()


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Lived]]:
    clock = [START]
    folder = tmp_path_factory.mktemp("lives")
    kept = {"embeddings": HashEmbeddings(DIMENSION), "clock": lambda: clock[0]}
    chosen = Settings(cache_dir=folder, store=StoreSettings(index="exact"))
    opened = [Memory(folder / str(number), settings=chosen, **kept) for number in range(2)]  # type: ignore[arg-type]
    yield lambda number: Lived(opened[number], clock, f"person{next(_numbers)}")
    for memory in opened:
        memory.close()


def reflected(life: Lived) -> Profile | None:
    try:
        life.memory.reflect(user=life.user)
        return life.memory.profile(user=life.user)
    except UnknownUser:
        return None


def check(life: Lived, profile: Profile) -> None:
    memory, user = life.memory, life.user
    lines = [*profile.lines, *profile.left_out]
    assert not profile.stale
    assert not profile.outdated
    said = {each.id for each in memory.episodes(user=user)}
    held = {each.id for each in memory.beliefs(user=user, retired=True)}
    for line in lines:
        assert set(line.episode_ids) <= said
        assert set(line.belief_ids) <= held
    draft = Draft(gathered=memory.gather(user=user).model_copy(update={"unchanged": False}), lines=tuple(lines))
    assert memory.check(draft).rejected == ()


def says(profile: Profile | None) -> list[tuple[object, ...]]:
    """All that can be told of it, but for ids and versions."""
    lines = [*profile.lines, *profile.left_out] if profile is not None else []
    return sorted((*line.says, line.support, round(line.strength, 9)) for line in lines)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=lives(edits | picks))
def test_the_profile_is_that_of_what_remains(homes: Callable[[int], Lived], steps: list[object]) -> None:
    life = homes(0)
    for number, step in enumerate(steps):
        do(life, step, START + timedelta(hours=number))
        profile = reflected(life)
        if profile is not None:
            check(life, profile)
    again = replayed(homes(1), life.done)
    life.clock[0] = START + timedelta(hours=len(steps))
    assert says(reflected(life)) == says(reflected(again))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=lives(edits | picks))
def test_what_is_forgotten_is_in_no_version(homes: Callable[[int], Lived], steps: list[object]) -> None:
    life = lived(homes(0), steps)
    if reflected(life) is None:
        return
    memory, user = life.memory, life.user
    turns = memory.episodes(user=user)
    gone = {each.id for each in turns[::2]}
    if gone:
        memory.forget(user=user, ids=sorted(gone))
        for version in memory.profiles(user=user):
            profile = memory.profile(user=user, version=version.version)
            lines = [*profile.lines, *profile.left_out, *profile.outdated]
            assert not [line for line in lines if gone & set(line.episode_ids)]
