"""How mirrored users are scored: by the likelihood of answers, with nothing before the question or with memory.

What enters: a model that finds answers likely, one person's held-out questions and facts. What leaves: `Scores`. The
self-check refuses to report where a model that knows nobody came to anything but a half over two twins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from memoria.distill.head import PreferenceHead
from memoria.distill.neutral import Neutral
from memoria.errors import MemoriaError
from memoria.evaluate.metrics import mean
from memoria.evaluate.mirrored_data import MirroredPair, Side, held_out_pairs
from memoria.evaluate.mirrored_report import Scores
from memoria.models.likelihood import Numbers, Row

KNOWN = "What you remember of the person you talk with:\n- {}"
_EXACT = 1e-9


class Scorer(Protocol):
    """What finds answers likely: `memoria.models.likelihood.Likelihood`, or a test's."""

    def nll(self, rows: Sequence[Row]) -> Numbers:
        """The NLL of each answer, in nats a token."""
        ...

    def plain(self, texts: Sequence[str]) -> Numbers:
        """The NLL of each text, in nats a token."""
        ...


class Biased(MemoriaError):
    """A measure that was to be blind to persons was not: its figures mean nothing."""


def nothing(asked: str, stated: str) -> str:
    """No memory before a question."""
    return ""


def oracle(asked: str, stated: str) -> str:
    """Just the memory that helps, as nobody could find it better."""
    return KNOWN.format(stated)


def score(
    scorer: Scorer,
    pair: MirroredPair,
    side: Side,
    neutral: Neutral | None = None,
    system: Callable[[str, str], str] = nothing,
) -> Scores:
    """Score a model on one person; `system` makes the text before a question of it and of what the person stated.
    `neutral` text is scored as well where it is given."""
    asked = held_out_pairs(pair, side)
    before = [system(each.prompt, each.memory) for each in asked]
    fitting = scorer.nll([Row(each.prompt, each.chosen, text) for each, text in zip(asked, before, strict=True)])
    other = scorer.nll([Row(each.prompt, each.rejected, text) for each, text in zip(asked, before, strict=True)])
    return Scores(
        margins=tuple(float(each) for each in other - fitting),
        groups=tuple(each.group for each in asked),
        facts=_facts(scorer, pair, side, system),
        chosen=float(fitting.mean()),
        chat=float(scorer.nll([Row(*each) for each in neutral.chat]).mean()) if neutral else None,
        plain=float(scorer.plain(neutral.plain).mean()) if neutral else None,
    )


def score_head(head: PreferenceHead, pair: MirroredPair, side: Side) -> Scores:
    """Score a preference head on one person."""
    asked = held_out_pairs(pair, side)
    return Scores(
        margins=tuple(float(each) for each in head.margins(asked)), groups=tuple(each.group for each in asked)
    )


def check_blind(name: str, one: Scores, other: Scores) -> None:
    """Raise `Biased` unless an arm that knows nobody ranks exactly half of both twins' questions right."""
    both = mean([*one.credits, *other.credits])
    if abs(both - 0.5) > _EXACT:
        raise Biased(
            f"{name} knows nobody and is right on {both:.4f} of two mirrored people's questions instead of 0.5; "
            "the answers are not mirrored, or the measure is not the same for both. Report it."
        )


def _facts(scorer: Scorer, pair: MirroredPair, side: Side, system: Callable[[str, str], str]) -> tuple[bool, ...]:
    if not pair.facts:
        return ()
    rows: list[Row] = []
    for each in pair.facts:
        text = system(each.held_out, each.statement(side))
        rows += [Row(each.held_out, answer, text) for answer in each.answers(side)]
    nll = scorer.nll(rows).reshape(len(pair.facts), -1)
    return tuple(bool(each[0] < each[1:].min()) for each in nll)  # a tie is no knowledge
