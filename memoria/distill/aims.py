"""What else answers shall be, beside to one person's taste: aims that are measured on their words, by no model.

What enters: an answer. What leaves: a reward, higher where it serves the aim better. A stage of DPO takes aims with
their weights (`Stage.aims`): the person's own pairs have the rest of 1. Where an aim speaks for the chosen answer,
it is set the further above the other; where it speaks against it, the less, and past some weight below.

MODPO: Zhou et al., Beyond One-Preference-Fits-All Alignment (2023), whose margin this is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Aim = Literal["brevity", "plainness"]


def reward(aim: Aim, answer: str) -> float:
    """How well an answer serves an aim; only differences mean anything. "brevity": 1 for ten words fewer; "plainness":
    1 for words a letter shorter on the mean."""
    words = answer.split()
    if aim == "brevity":
        return -len(words) / 10
    return -sum(map(len, words)) / max(1, len(words))


def ahead(aims: Mapping[Aim, float], chosen: str, rejected: str) -> float:
    """By how much the weighted aims together set the chosen answer above the rejected one."""
    return sum(weight * (reward(aim, chosen) - reward(aim, rejected)) for aim, weight in aims.items())
