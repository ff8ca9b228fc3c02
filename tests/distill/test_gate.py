"""The gate: every bar refuses by itself, says why in figures, and moves only one way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memoria.distill.gate import Compared, judge, surely_better
from memoria.distill.measure import Measures
from memoria.distill.records import Verdict
from memoria.settings import GateSettings

GATE = GateSettings()
PAIRS = 30


def measures(right: int, *, pairs: int = PAIRS, **more: Any) -> Measures:
    """So many of the pairs ranked right, each a group of its own."""
    margins = tuple(1.0 if at < right else -1.0 for at in range(pairs))
    given: dict[str, Any] = {"chosen": 3.0, "chat": 2.0, "plain": 4.0} | more
    return Measures(margins=margins, groups=tuple(str(at) for at in range(pairs)), **given)


BASE = measures(15)
GOOD = measures(24, chosen=2.5, chat=1.5, plain=4.1)


def test_what_is_better_and_harms_nothing_passes() -> None:
    verdict = judge(Compared(GOOD, BASE, now=measures(24), swapped=measures(12)), GATE)
    assert verdict.passed, verdict.why
    assert verdict.why == ""
    assert verdict.figures["right"] == 0.8
    assert verdict.figures["base right"] == 0.5
    assert verdict.figures["swapped right"] == 0.4
    assert len(verdict.checks) == 8


@pytest.mark.parametrize(
    ("compared", "said"),
    [
        (Compared(measures(17), BASE), "ranks 0.567 of the held-out pairs right, the base 0.500"),
        (Compared(measures(16, pairs=20), measures(10, pairs=20), now=measures(19, pairs=20)), "what serves now 0.950"),
        (Compared(GOOD, BASE, swapped=measures(27)), "another person's adapter 0.900"),
        (Compared(measures(24, chosen=4.33), BASE), "the chosen answers' NLL is 4.330, the base's 3.000: 1.443 of it"),
        (Compared(measures(24, chat=3.7), BASE), "neutral chat's NLL is 3.700, the base's 2.000: 1.850 of it"),
        (Compared(measures(24, plain=7.6), BASE), "plain neutral text's NLL is 7.600, the base's 4.000: 1.900 of it"),
        (Compared(measures(24, facts=0.6), BASE, facts=True), "tells 0.600 of the facts"),
        (Compared(measures(19, pairs=19), measures(9, pairs=19)), "19 held-out pairs of 20, 1 are missing"),
        (Compared(measures(0, pairs=0)), "0 held-out pairs of 20, 20 are missing"),
    ],
)
def test_each_bar_refuses_and_says_why_in_figures(compared: Compared, said: str) -> None:
    verdict = judge(compared, GATE)
    assert not verdict.passed
    assert said in verdict.why
    failed = [check for check in verdict.checks if not check.passed]
    assert all(check.why for check in failed)
    assert not any(check.why for check in verdict.checks if check.passed)


def test_a_ruined_model_is_refused_in_a_verdict_that_can_be_kept() -> None:
    ruined = Measures(margins=(math.nan,) * PAIRS, groups=BASE.groups, chosen=math.nan, chat=math.inf, plain=math.nan)
    verdict = judge(Compared(ruined, BASE), GATE)
    assert not verdict.passed
    assert "the chosen answers' NLL is nan" in verdict.why
    assert "neutral chat's NLL is inf" in verdict.why
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_a_gain_within_chance_is_no_gain() -> None:
    lax = GATE.model_copy(update={"gain": 0.0})
    assert "bootstrap" in str(judge(Compared(measures(16), BASE), lax).why)
    assert judge(Compared(measures(24), BASE), lax).passed


def test_pairs_of_one_group_count_as_one() -> None:
    """Twenty pairs of two questions are two pieces of evidence."""
    right = measures(12, pairs=20)
    apart = surely_better(right, measures(5, pairs=20))
    together = right.model_copy(update={"groups": tuple("one" if at < 12 else "two" for at in range(20))})
    assert apart > 0.95 > surely_better(together, measures(5, pairs=20))


def test_what_needs_no_model_is_held_against_chance() -> None:
    assert judge(Compared(measures(24)), GATE).passed
    assert not judge(Compared(measures(17)), GATE).passed


CREDITS = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=20, max_size=40)


@given(margins=CREDITS, chosen=st.floats(0.5, 6), chat=st.floats(0.5, 6), plain=st.floats(0.5, 6), data=st.data())
@settings(max_examples=60, deadline=None)
def test_worse_in_one_thing_never_turns_a_refusal_into_a_pass(
    margins: list[float], chosen: float, chat: float, plain: float, data: st.DataObject
) -> None:
    groups = tuple(str(at) for at in range(len(margins)))
    base = Measures(margins=tuple([-1.0, 1.0] * 20)[: len(margins)], groups=groups, chosen=3, chat=3, plain=3)
    one = Measures(margins=tuple(margins), groups=groups, chosen=chosen, chat=chat, plain=plain)
    at = data.draw(st.integers(0, len(margins) - 1))
    worse = one.model_copy(
        update={
            "margins": tuple(-1.0 if place == at else each for place, each in enumerate(margins)),
            "chosen": chosen * 1.2,
            "chat": chat * 1.2,
            "plain": plain * 1.2,
        }
    )
    if not judge(Compared(one, base), GATE).passed:
        assert not judge(Compared(worse, base), GATE).passed


def test_a_tie_counts_half() -> None:
    assert Measures(margins=(0.0, 0.0), groups=("a", "b")).right == 0.5
    assert Measures().right is None
    assert np.isclose(surely_better(measures(15), BASE), 0.0)
