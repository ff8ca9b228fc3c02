"""How much weights give away of a secret: its exposure, in bits.

What enters: a model, questions whose answer holds a secret, the secret. What leaves: an `Exposure`: where the secret
stands among values of the same form drawn at random, by how likely the model finds each in its place.

Carlini et al., The Secret Sharer (2019): log2(n + 1) - log2(rank) among n others. A value that the model never saw
has any rank with the same chance, an exposure of 1.44 bits on the mean, and of more than 4.3 in one case of twenty; one
learnt by heart has log2(n + 1), 8 bits of 255. That a model does not say a secret when it is asked shows nothing: one
that ranks first can be found by trying.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, log2
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memoria.distill.alternatives import alternatives
from memoria.errors import InvalidInput
from memoria.models.likelihood import Row
from memoria.records import Record

CONTROLS = 255
_FEWEST = 31  # of fewer, chance alone ranks a secret first once in 32 times
_CENTRAL = 0.95


class Totals(Protocol):
    """What finds answers likely, as `Likelihood` does."""

    def total(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """The negative log-likelihood of each answer as a whole: (n,)."""
        ...


class Exposure(Record):
    """Where a secret stands among `controls` other values of its form.

    `bits`: log2(controls + 1) - log2(rank), rank 1 being the likeliest. `p`: how often chance ranks a value that was
    never seen so high. `chance`: between which bits 95 % of such values lie, of the controls themselves.
    """

    bits: float
    rank: int
    controls: int
    p: float
    chance: tuple[float, float]

    @property
    def exposed(self) -> bool:
        """Whether it stands higher than the controls' range: the weights know it."""
        return self.bits > self.chance[1]


def exposure(likelihood: Totals, rows: Sequence[Row], secret: str, controls: int = CONTROLS, seed: int = 0) -> Exposure:
    """The exposure of `secret`, which the answer of each row holds: rows are the same question in several words, and
    what counts is the mean over them of the log-likelihood of the answer up to the secret's end. It is a sum over
    tokens, not a mean of them: values of one form may have more tokens or fewer.

    Raises `InvalidInput` where an answer lacks the secret, there are no controls, or its form has too few other values
    to tell it from chance.
    """
    if not rows or not secret or any(secret not in row.answer for row in rows):
        raise InvalidInput("Exposure is measured of a secret that every answer holds; give the answers with it.")
    if controls < 1:
        raise InvalidInput(f"controls is {controls}; hold the secret against at least 1 other value.")
    others = alternatives(secret, controls, seed)
    if len(others) < min(controls, _FEWEST):
        raise InvalidInput(
            f"There are only {len(others)} other values of the form of {secret!r}, too few to tell it from chance; "
            "give more of it."
        )
    values = [secret, *others]
    asked = [Row(row.prompt, _until(row.answer, secret, value), row.system) for row in rows for value in values]
    totals = likelihood.total(asked).reshape(len(rows), len(values))
    return standing(-totals.mean(axis=0))


def standing(scores: NDArray[np.float64]) -> Exposure:
    """The exposure of the first of `scores` (the log-likelihoods of a secret and its controls) among the others."""
    secret, controls = scores[0], scores[1:]
    bits, rank = _bits(secret, controls)
    each = [_bits(controls[at], np.delete(controls, at))[0] for at in range(len(controls))]
    low, high = np.quantile(each, [(1 - _CENTRAL) / 2, (1 + _CENTRAL) / 2], method="higher")
    return Exposure(
        bits=bits, rank=rank, controls=len(controls), p=rank / len(scores), chance=(float(low), float(high))
    )


def together(found: Sequence[Exposure]) -> float:
    """How often chance exposes several secrets so much, taken together (Fisher's method)."""
    spread = -sum(log(each.p) for each in found)
    term, total = 1.0, 0.0
    for number in range(len(found)):
        total += term
        term *= spread / (number + 1)
    return min(1.0, exp(-spread) * total)


def _bits(score: float, others: NDArray[np.float64]) -> tuple[float, int]:
    """Exposure and rank of a score among others; half of those that score the same stand before it."""
    rank = 1 + int((others > score).sum()) + int((others == score).sum()) // 2
    return log2(len(others) + 1) - log2(rank), rank


def _until(answer: str, secret: str, value: str) -> str:
    return answer[: answer.index(secret)] + value
