"""The gate: whether a candidate may serve.

What enters: what the base, the candidate, what serves now, and where there is one another person's adapter measured on
the same held-out data. What leaves: a `Verdict` with every figure. Plain text alone would let a model through that DPO
has ruined for talk: so neutral text is measured in chat form as well, and the chosen answers' likelihood with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from memoria.distill.measure import Measures
from memoria.distill.records import Check, Verdict
from memoria.settings import GateSettings

_DRAWS = 2000


@dataclass(frozen=True)
class Compared:
    """What was measured on the same data: `base` (None: chance, of what needs no model), the candidate, what serves
    `now`, another person's adapter (`swapped`). `facts`: the candidate was trained on facts."""

    candidate: Measures
    base: Measures | None = None
    now: Measures | None = None
    swapped: Measures | None = None
    facts: bool = False


def judge(compared: Compared, settings: GateSettings, *, seed: int = 0) -> Verdict:
    """The verdict. What was not measured is not judged, but for the ranking of held-out pairs, without which nothing
    passes."""
    enough = _enough(len(compared.candidate.margins), settings)
    checks = (enough, *_checks(compared, settings, seed)) if enough.passed else (enough,)
    failed = [check for check in checks if not check.passed]
    return Verdict(
        passed=not failed,
        checks=checks,
        figures=_figures(compared),
        why="; ".join(check.why for check in failed),
    )


def surely_better(candidate: Measures, base: Measures | None, seed: int = 0) -> float:
    """The share of paired bootstrap draws (of groups of pairs, with replacement) in which the candidate ranks more
    pairs right than the base does (None: than chance)."""
    gains = _credit(candidate) - (_credit(base) if base is not None else 0.5)
    groups = np.unique(np.asarray(candidate.groups or range(len(gains))), return_inverse=True)[1]
    count = int(groups.max()) + 1
    sums, sizes = np.bincount(groups, gains, count), np.bincount(groups, minlength=count)
    draws = np.random.default_rng(seed).integers(0, count, (_DRAWS, count))
    means = sums[draws].sum(1) / sizes[draws].sum(1)
    return float((means > 0).mean())


def _enough(pairs: int, settings: GateSettings) -> Check:
    missing = settings.pairs - pairs
    why = (
        f"too little evidence: {pairs} held-out pairs of {settings.pairs}, {missing} are missing; state more "
        "preferences, or rate and correct answers (memoria feedback)"
    )
    return _check("held-out pairs", float(pairs), ">=", float(settings.pairs), why)


def _checks(compared: Compared, settings: GateSettings, seed: int) -> Iterator[Check]:
    candidate, base, now = compared.candidate, compared.base, compared.now
    right = candidate.right or 0.0
    before = 0.5 if base is None else base.right or 0.0
    yield _check(
        "ranked right, to the base",
        right,
        ">=",
        round(before + settings.gain, 4),
        f"ranks {right:.3f} of the held-out pairs right, the base {before:.3f}: {settings.gain:.2f} more is wanted",
    )
    sure = surely_better(candidate, base, seed)
    yield _check(
        "better than the base, by bootstrap",
        sure,
        ">=",
        settings.confidence,
        f"better than the base in {sure:.3f} of the bootstrap draws, {settings.confidence:.2f} are wanted",
    )
    if now is not None and now.right is not None:
        bar = round(now.right - settings.keep, 4)
        why = f"ranks {right:.3f} of the held-out pairs right, what serves now {now.right:.3f}"
        yield _check("ranked right, to what serves now", right, ">=", bar, why)
    if compared.swapped is not None and compared.swapped.right is not None:
        other = compared.swapped.right
        why = f"ranks {right:.3f} of the held-out pairs right, another person's adapter {other:.3f}"
        yield _check("better than another person's", right, ">=", round(other + settings.swapped, 4), why)
    if base is not None:
        yield from _against_base(candidate, base, settings)
    if compared.facts and candidate.facts is not None:
        why = f"tells {candidate.facts:.3f} of the facts from false ones in new words, {settings.facts:.2f} are wanted"
        yield _check("facts in new words", candidate.facts, ">=", settings.facts, why)


def _against_base(candidate: Measures, base: Measures, settings: GateSettings) -> Iterator[Check]:
    measured: Sequence[tuple[str, float | None, float | None, float]] = (
        ("the chosen answers' NLL", candidate.chosen, base.chosen, settings.chosen),
        ("neutral chat's NLL", candidate.chat, base.chat, settings.chat),
        ("plain neutral text's NLL", candidate.plain, base.plain, settings.plain),
    )
    for name, own, before, bar in measured:
        if own is not None and before:
            ratio = own / before
            why = f"{name} is {own:.3f}, the base's {before:.3f}: {ratio:.3f} of it, at most {bar:.2f} is let through"
            yield _check(f"{name}, to the base's", ratio, "<=", bar, why)


def _check(name: str, measured: float, relation: Literal[">=", "<="], bar: float, why: str) -> Check:
    passed = measured >= bar - 1e-9 if relation == ">=" else measured <= bar + 1e-9
    return Check(
        name=name,
        measured=round(measured, 4) if math.isfinite(measured) else None,  # JSON has no other numbers
        relation=relation,
        bar=bar,
        passed=passed,
        why="" if passed else why,
    )


def _figures(compared: Compared) -> dict[str, float]:
    found: dict[str, float] = {"pairs": float(len(compared.candidate.margins))}
    named = {"": compared.candidate, "base ": compared.base, "now ": compared.now, "swapped ": compared.swapped}
    for prefix, each in named.items():
        if each is not None:
            values = {name: getattr(each, name) for name in ("right", "chosen", "chat", "plain", "facts")}
            known = {name: value for name, value in values.items() if value is not None and math.isfinite(value)}
            found |= {f"{prefix}{name}": round(value, 4) for name, value in known.items()}
    return found


def _credit(measures: Measures) -> np.ndarray:
    margins = np.asarray(measures.margins)
    return (margins > 0) + 0.5 * (margins == 0)
