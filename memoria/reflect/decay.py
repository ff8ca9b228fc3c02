"""How strong a belief is: how often and how lately it came up.

What enters: when a belief was affirmed, and how often it was asked for. What leaves: a strength from 0 to 1. It only
ranks; nothing is ever deleted for being weak. The base-level activation of ACT-R (Anderson and Schooler, 1991): each
use adds its age to a negative power, so that a thing said often or lately stays, and fading slows with age.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p

from memoria.reflect.material import Known, days_between

_HALF = 1.0  # the activation that counts as half strong: one mention, today


def strength(ages: Sequence[float], fades: float, asked: int = 0, asked_age: float = 0.0) -> float:
    """The strength of what was said `ages` days ago, each once, and asked for `asked` times, last `asked_age` days ago.

    `fades` is the exponent of the power law: 0 never fades.
    """
    activation = sum((1.0 + age) ** -fades for age in ages)
    if asked:
        activation += log1p(asked) * (1.0 + asked_age) ** -fades
    return activation / (activation + _HALF)


def strength_of(known: Known, fades: float, moment: int) -> float:
    """The strength of a belief at `moment` (microseconds); what is affirmed by hand counts as said just then."""
    ages = [days_between(said, moment) for _, said in known.said]
    ages += [days_between(said, moment) for said in known.by_hand]
    count, last = known.asked
    value = strength(ages, fades, count, days_between(last, moment))
    return value * known.belief.strength if known.belief.kind == "preference" else value
