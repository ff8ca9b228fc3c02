"""Truth maintenance: what is left of the evidence decides, whatever was there before."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from memoria.store.truth import Piece, SlotState, derive, live

DAY = 86_400_000_000
TIMES = st.integers(0, 30).map(lambda day: day * DAY)


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    """Evidence for three beliefs of one slot, some of it retracted, recorded in the order of its numbers."""
    found: list[Piece] = []
    recorded = 0
    for number in range(1, draw(st.integers(0, 9)) + 1):
        recorded += draw(st.integers(0, 3)) * DAY
        act = draw(st.sampled_from(["affirm", "affirm", "change", "end", "deny"]))
        start = draw(st.none() | TIMES) if act in ("affirm", "change") else None
        end = draw(st.none() | TIMES) if act == "affirm" and start is None else None
        whole = act in ("end", "deny") and draw(st.booleans())
        gone = draw(st.none() | st.integers(0, 5).map(lambda d, at=recorded: at + d * DAY))
        belief = 0 if whole else draw(st.integers(1, 3))
        said = draw(TIMES)
        found.append(Piece(number, belief, act, start, end, said, recorded, gone, whole, None))  # pyright: ignore
    return found


def seen(state: SlotState) -> object:
    """What can be told of a state: the beliefs that have periods, and the moments of change."""
    return {n: s.periods for n, s in state.standings.items() if s.periods}, state.changes


@given(pieces(), st.booleans())
def test_a_retracted_piece_is_as_if_it_had_never_been(given_: list[Piece], single: bool) -> None:
    never = [piece for piece in given_ if piece.retracted is None]
    assert seen(derive(live(given_), single=single)) == seen(derive(live(never), single=single))


@given(pieces(), st.booleans(), st.integers(0, 40).map(lambda day: day * DAY))
def test_the_past_is_told_as_it_was_told_then(given_: list[Piece], single: bool, then: int) -> None:
    known = [
        replace(p, retracted=p.retracted if p.retracted is not None and p.retracted <= then else None)
        for p in given_
        if p.recorded <= then
    ]
    assert seen(derive(live(given_, then), single=single)) == seen(derive(live(known), single=single))


@given(pieces())
def test_a_single_slot_has_one_answer_at_a_time(given_: list[Piece]) -> None:
    state = derive(live(given_), single=True)
    open_ = [n for n, standing in state.standings.items() if standing.holds]
    assert len(open_) <= 1
    for moment in range(0, 31 * DAY, DAY // 2):
        asserted = [
            n
            for n, standing in state.standings.items()
            for p in standing.periods
            if p.start is not None and p.covers(moment)
        ]
        assert len(asserted) <= 1


@given(pieces(), st.booleans(), st.randoms())
def test_the_order_of_reading_does_not_matter(given_: list[Piece], single: bool, random: object) -> None:
    shuffled = list(given_)
    random.shuffle(shuffled)  # pyright: ignore
    assert seen(derive(live(shuffled), single=single)) == seen(derive(live(given_), single=single))


def piece(number: int, belief: int, act: str = "affirm", **more: int | bool | None) -> Piece:
    day = number * DAY
    return replace(Piece(number, belief, act, None, None, day, day), **more)  # pyright: ignore


def test_a_newer_value_ends_the_older_and_returns_it_when_retracted() -> None:
    paris, tokyo = piece(1, 1), piece(2, 2)
    state = derive([paris, tokyo], single=True)
    assert not state.standings[1].holds
    assert state.standings[1].periods[0].superseded_by == 2
    assert state.standings[2].holds
    assert seen(derive(live([paris, replace(tokyo, retracted=3 * DAY)]), single=True)) == seen(
        derive([paris], single=True)
    )


def test_an_older_value_learnt_late_does_not_end_the_newer() -> None:
    now, before = piece(5, 1), piece(6, 2, said=2 * DAY)
    state = derive([now, before], single=True)
    assert state.standings[1].holds
    assert state.standings[2].periods[0].end == 5 * DAY


def test_who_says_today_what_is_so_since_long_says_that_it_is_so_today() -> None:
    paris, tokyo = piece(10, 1), piece(20, 2, start=5 * DAY)
    state = derive([paris, tokyo], single=True)
    assert state.standings[2].holds
    assert not state.standings[1].holds


def test_several_values_stand_side_by_side_until_each_ends() -> None:
    state = derive([piece(1, 1), piece(2, 2), piece(3, 1, "end")], single=False)
    assert not state.standings[1].holds
    assert state.standings[2].holds


def test_what_was_denied_never_was_until_it_is_said_again() -> None:
    assert derive([piece(1, 1), piece(2, 1, "deny")], single=True).standings[1].periods == []
    again = derive([piece(1, 1), piece(2, 1, "deny"), piece(3, 1)], single=True).standings[1]
    assert [period.start for period in again.periods] == [3 * DAY]


def test_what_used_to_be_leaves_what_is_alone() -> None:
    state = derive([piece(1, 1), piece(2, 2, end=2 * DAY)], single=True)
    assert state.standings[1].holds
    assert state.standings[2].periods[0].end == 2 * DAY
