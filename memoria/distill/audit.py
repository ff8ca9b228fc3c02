"""Do the weights that serve a person give something away?

What enters: how a secret would be asked for, the base, the folder of what serves. What leaves: an `Audit`: the secret's
exposure with the adapter and without it, and a sentence on what that means.
"""

from __future__ import annotations

from pathlib import Path

from memoria.distill.asking import Asked
from memoria.distill.exposure import CONTROLS, Exposure, exposure
from memoria.distill.tuned import tuned
from memoria.models.generation import fresh_weights, load_weights
from memoria.models.likelihood import Likelihood
from memoria.records import Record


class Audit(Record):
    """The exposure of a `secret`, asked for by `questions`: `serving` is with the `adapter` (None: none serves), `base`
    without. `known`: the questions are those that the secret answers; else it was asked for blindly."""

    secret: str
    questions: tuple[str, ...]
    known: bool
    base: Exposure
    adapter: str | None = None
    serving: Exposure | None = None

    @property
    def exposed(self) -> bool:
        """Whether what serves gives it away: more than chance would, and more than the model does without it."""
        return self.serving is not None and self.serving.exposed and self.serving.rank < self.base.rank

    @property
    def why(self) -> str:
        """What was found, in sentences."""
        if self.serving is None:
            said = f"No adapter serves; the bare model: {_figures(self.base)}."
        elif self.exposed:
            said = f"{self.adapter} gives it away: {_figures(self.serving)}; without it: {_figures(self.base)}."
            said += " Forget what it was said in, or roll back."
        else:
            said = f"{self.adapter} does not give it away: {_figures(self.serving)}; without it: {_figures(self.base)}."
        low, high = (self.serving or self.base).chance
        said += f" A value never seen has {low:.1f} to {high:.1f} bits (95 %)."
        if not self.known:
            said += (
                " It was asked for blindly: give the sentence it was said in, or the question, for a sharper measure."
            )
        return said


def audit(
    asked: Asked, place: str, adapter: tuple[str, Path] | None = None, *, controls: int = CONTROLS, seed: int = 0
) -> Audit:
    """Measure the base in the folder `place` and, where one serves, the `adapter` (its id and folder) on it.

    Raises `InvalidInput` where the secret has too few others of its form, `ModelUnavailable`.
    """
    questions = tuple(row.prompt for row in asked.rows)

    def measured(likelihood: Likelihood) -> Exposure:
        return exposure(likelihood, asked.rows, asked.secret, controls, seed)

    if adapter is None:
        base = measured(Likelihood(load_weights(place, "cpu")))
        return Audit(secret=asked.secret, questions=questions, known=asked.known, base=base)
    name, folder = adapter
    loaded = fresh_weights(place)
    base = measured(Likelihood(loaded))
    serving = measured(Likelihood(loaded, tuned(loaded, folder)))
    return Audit(secret=asked.secret, questions=questions, known=asked.known, base=base, adapter=name, serving=serving)


def _figures(found: Exposure) -> str:
    return f"{found.bits:.1f} bits (rank {found.rank} of {found.controls + 1}, p {found.p:.3f})"
