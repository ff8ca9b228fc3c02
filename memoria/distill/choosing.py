"""Which candidate card is put to the gate: the one that ranks pairs best.

What enters: cards, pairs that the gate does not see, and a way to rank. What leaves: the best card, with the figures of
all and of having none. A local model ranks by how likely it finds the answers with the card in its prompt; where a
model gives no likelihoods, sentence embeddings stand in, each rule believed as far as the preference head agrees with
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memoria.distill.card import Card
from memoria.distill.head import PreferenceHead, embedded
from memoria.distill.records import Pair
from memoria.distill.rules import Rule
from memoria.errors import InvalidInput

Numbers = NDArray[np.float64]
_SHARPNESS = 20.0  # of how much the rule nearest to the prompt counts before others; set on PrefEval's development half
Rank = Callable[[Card | None, Sequence[Pair]], Numbers]
"""How much better than its rejected answer a card makes each pair's chosen one: (n,), right where above 0."""


@dataclass(frozen=True)
class Choice:
    """The card, and what share of the pairs each candidate ranks right by name ("none": without a card)."""

    card: Card
    figures: dict[str, float]


def choose(cards: Sequence[Card], pairs: Sequence[Pair], rank: Rank) -> Choice:
    """The card that ranks most pairs right; of equals that with the greater margins, then the shorter, then the first.

    Without pairs the first. Raises `InvalidInput` without cards.
    """
    if not cards:
        raise InvalidInput("There is no preference card to choose: no preference is believed yet; tell some first.")
    if not pairs:
        return Choice(cards[0], {})
    margins = {card.name: rank(card, pairs) for card in cards}
    figures = {name: float((each > 0).mean()) for name, each in margins.items()}

    def worth(card: Card) -> tuple[float, float, int]:
        return figures[card.name], round(float(margins[card.name].mean()), 9), -card.tokens

    best = max(cards, key=worth)
    return Choice(best, {"none": float((rank(None, pairs) > 0).mean())} | figures)


def by_head(head: PreferenceHead) -> Rank:
    """By embeddings: how much nearer the chosen answer is to the rules that bear on the prompt (farther, for what is to
    be avoided), each rule believed as far as the head agrees with it."""

    def rank(card: Card | None, pairs: Sequence[Pair]) -> Numbers:
        rules = [each for rule in (card.shown if card is not None else ()) for each in (rule, *rule.exceptions)]
        if not rules or not pairs:
            return np.zeros(len(pairs))
        prompts, differences = embedded(pairs, head.embedder)
        texts = [_text(rule) for rule in rules]
        vectors = head.embedder.embed(texts).astype(np.float64)
        ways = np.array([float(rule.polarity) for rule in rules])
        believed = ways / (1 + np.exp(-ways * head.score("", texts)))
        near = np.exp(_SHARPNESS * (prompts @ vectors.T))
        return ((differences @ vectors.T) * (near / near.sum(axis=1, keepdims=True)) * believed).sum(axis=1)

    return rank


def _text(rule: Rule) -> str:
    return rule.said or (f"{rule.topic} {rule.context}" if rule.context else rule.topic)
