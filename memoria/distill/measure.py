"""What a candidate is measured by: held-out pairs of its person, facts in new words, neutral text.

What enters: a data set, and something that finds answers likely, with or without a text before the question. What
leaves: `Measures`, with the margin of each pair, so that two candidates can be compared pair by pair.
"""

from __future__ import annotations

from collections.abc import Sequence

from memoria.distill.neutral import Neutral
from memoria.distill.records import Dataset, Pair
from memoria.models.likelihood import Likelihood, Row
from memoria.records import Record


class Measures(Record):
    """`margins` (n,) are how much likelier each held-out pair's chosen answer is than the rejected one, in nats a token
    (of a head: in its own score); pairs of one of `groups` (n,) are not independent. The others are mean NLLs in nats a
    token, and `facts` the share of held-out questions of fact whose answer is likelier than all false ones; None where
    it was not measured."""

    margins: tuple[float, ...] = ()
    groups: tuple[str, ...] = ()
    chosen: float | None = None
    chat: float | None = None
    plain: float | None = None
    facts: float | None = None

    @property
    def right(self) -> float | None:
        """The share of pairs that it ranks as the person does; a tie counts half."""
        if not self.margins:
            return None
        return sum(1.0 if each > 0 else 0.5 if each == 0 else 0.0 for each in self.margins) / len(self.margins)


def measure(
    likelihood: Likelihood, data: Dataset, neutral: Neutral | None, *, system: str = "", facts: bool = False
) -> Measures:
    """Measure a model on the held-out part of `data` and on neutral text (None: not); `system` stands before every
    question."""
    pairs = data.pairs_of("held_out")
    chosen = likelihood.nll([Row(each.prompt, each.chosen, system) for each in pairs])
    rejected = likelihood.nll([Row(each.prompt, each.rejected, system) for each in pairs])
    chat = [Row(ask, answer, system) for ask, answer in neutral.chat] if neutral is not None else []
    return Measures(
        margins=tuple(float(each) for each in rejected - chosen),
        groups=tuple(each.group for each in pairs),
        chosen=float(chosen.mean()) if len(pairs) else None,
        chat=float(likelihood.nll(chat).mean()) if chat else None,
        plain=float(likelihood.plain(neutral.plain).mean()) if neutral is not None else None,
        facts=_facts(likelihood, data, system) if facts else None,
    )


def ranked(margins: Sequence[float], pairs: Sequence[Pair]) -> Measures:
    """The measures of what only ranks: a margin for each pair."""
    return Measures(margins=tuple(float(each) for each in margins), groups=tuple(each.group for each in pairs))


def _facts(likelihood: Likelihood, data: Dataset, system: str) -> float | None:
    asked = [each for each in data.examples_of("held_out", "fact") if each.alternatives]
    if not asked:
        return None
    rows = [Row(each.prompt, answer, system) for each in asked for answer in (each.answer, *each.alternatives)]
    nll = likelihood.nll(rows)
    right = at = 0
    for each in asked:
        size = 1 + len(each.alternatives)
        right += int(nll[at : at + size].argmin() == 0)
        at += size
    return right / len(asked)
