"""What edits and votes say of how a person likes answers, as rules.

What enters: pairs that came of feedback. What leaves: rules on the style of answers, where the same difference between
the chosen and the rejected one shows time and again, and short examples of what they chose. That a person likes short
answers is in no single pair; it is in what nearly all of them have in common.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Literal

from memoria.distill.records import Pair
from memoria.distill.rules import Rule, clean
from memoria.remember.trust import gives_orders
from memoria.store.text import count_tokens

_LEAST = 5  # pairs that differ in a feature
_CHANCE = 0.05  # of so one-sided a count without any preference: the sign test's
_SHORT = 60  # tokens of an example
_MOST = 8  # examples
_LIST = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s", re.MULTILINE)
_PICTURE = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")


@dataclass(frozen=True)
class _Feature:
    """Something of an answer that can be counted; `least`: the smallest difference that counts as one, as a share."""

    of: Callable[[str], float]
    more: str
    less: str
    least: float = 0.0


_FEATURES = (
    _Feature(
        lambda text: len(text.split()), "full answers, about {words} words", "short answers, about {words} words", 0.2
    ),
    _Feature(
        lambda text: len(_LIST.findall(text)), "answers as lists, a point a line", "answers as running text, no lists"
    ),
    _Feature(lambda text: text.count("!"), "an enthusiastic tone", "a sober tone, without exclamation marks"),
    _Feature(lambda text: len(_PICTURE.findall(text)), "answers with emoji", "answers without emoji"),
    _Feature(lambda text: text.count("?"), "to be asked back", "answers without questions back"),
)


def rules_of_pairs(pairs: Sequence[Pair]) -> list[Rule]:
    """The rules that edits, votes and dialogue come to; what is stated is a belief's to say."""
    told = [pair for pair in pairs if pair.kind != "stated"]
    styles = [rule for feature in _FEATURES if (rule := _style(feature, told)) is not None]
    return styles + [rule for pair in told if (rule := _example(pair)) is not None][-_MOST:]


def _style(feature: _Feature, pairs: Sequence[Pair]) -> Rule | None:
    more: list[Pair] = []
    less: list[Pair] = []
    for pair in pairs:
        chosen, rejected = feature.of(pair.chosen), feature.of(pair.rejected)
        if abs(chosen - rejected) > feature.least * max(chosen, rejected):
            (more if chosen > rejected else less).append(pair)
    bearing, against = (more, less) if len(more) >= len(less) else (less, more)
    if len(more) + len(less) < _LEAST or _by_chance(len(bearing), len(against)) > _CHANCE:
        return None
    wording = feature.more if bearing is more else feature.less
    words = round(median(len(pair.chosen.split()) for pair in bearing))
    share = len(bearing) / (len(bearing) + len(against))
    return _from(bearing, "style", wording.format(words=words), share)


def _example(pair: Pair) -> Rule | None:
    texts = [clean(text) for text in (pair.prompt, pair.chosen, pair.rejected)]
    if not all(texts) or gives_orders(" ".join(texts), "tool"):  # nobody knows whose words an answer quotes
        return None
    topic = f'asked "{texts[0]}", chose "{texts[1]}" over "{texts[2]}"'
    return _from([pair], "example", topic, 0.3) if count_tokens(topic) <= _SHORT else None


def _from(pairs: Sequence[Pair], kind: Literal["style", "example"], topic: str, strength: float) -> Rule:
    return Rule(
        kind=kind,
        topic=topic,
        strength=strength,
        evidence=len(pairs),
        belief_ids=tuple(dict.fromkeys(each for pair in pairs for each in pair.belief_ids)),
        episode_ids=tuple(dict.fromkeys(each for pair in pairs for each in pair.episode_ids)),
    )


def _by_chance(bearing: int, against: int) -> float:
    """How likely at least `bearing` of them would be by tosses of a coin."""
    tossed = bearing + against
    return sum(comb(tossed, each) for each in range(bearing, tossed + 1)) / 2**tossed
