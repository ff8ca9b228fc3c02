"""What people like and what they do not, read by patterns over a verb phrase.

What enters: a clause's verb phrase, its subject taken off ("can not stand spicy food"). What leaves: tastes: a topic,
which way, how strongly, and whether it was said outright or shows in what they do. The patterns stand in
`patterns/tastes.yaml`, one a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from memoria.extract.phrases import clip

_TABLE = Path(__file__).parent / "patterns" / "tastes.yaml"


@dataclass(frozen=True)
class Taste:
    """A liking (+1) or a dislike (-1) of `topic`, `strength` 0 to 1."""

    topic: str
    polarity: Literal[-1, 1]
    strength: float
    explicit: bool = True


@dataclass(frozen=True)
class _Rule:
    way: Literal[-1, 1]
    pattern: re.Pattern[str]
    strength: float = 0.7
    explicit: bool = True


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[_Rule, ...], tuple[_Rule, ...]]:
    """The tables of what persons and of what things are said to be, compiled at their first use."""
    table: dict[str, Any] = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    persons = tuple(
        _Rule(
            row["way"],
            re.compile(table["very"] + row["pattern"], re.IGNORECASE),
            row["strength"],
            not row.get("shown", False),
        )
        for row in table["rules"]
    )
    return persons, tuple(_Rule(row["way"], re.compile(row["pattern"], re.IGNORECASE)) for row in table["things"])


_TOPIC_LEAD = re.compile(
    r"^\s*(?:to (?:be|have|get|see|do|use)|being|having|the (?:idea|thought|taste|sound|smell|feel|feeling|look|sight) of|any kind of|any type of|all kinds of|any|all|the|a|an|my|some|most|more|such|anything (?:with|that has|that is|that)|things? (?:that|with|like)|when|that|it when|activities (?:that|involving)|in|by|through|with|for|of|from|at)\s+",
    re.IGNORECASE,
)
_TOPIC_CUT = re.compile(
    r"(?:\s*[;(]|,?\s+(?:because|since|as (?:i|it|they|my)\b|so (?:i|please|it)\b|due to|but\b|anymore|any more|any longer|these days|at all|at the moment|right now|now\b|nowadays|lately|though\b|although|whenever|if i\b|even (?:if|though)|over the years|for (?:ethical|health|religious|personal|environmental|medical|various) reasons)|,\s+(?:i|and i|which|so|as|especially|particularly|even|it)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_NO_TOPIC = re.compile(
    r"^(?:it(?: .*)?|(?:her|him|this|these|those)\b.*|that|them|another (?:word|name|way|term)\b.*|you|him|her|me|so|one|doing so|to|the same|what you|how you|your|if|what|how|who|to (?:know|see|hear|ask|say|tell|find|learn|write|make|create|talk|go|get|have|do|be|use|try|buy|add|change|understand|build|start|work|play|discuss|share|thank)\b.*|the (?:above|following|answer|way you)\b.*|your\b.*|[\W_\d]*|for (?:you|your)\b.*|it if\b.*|you to\b.*|help.*)$",
    re.IGNORECASE,
)
_TOO_WIDE = re.compile(
    r"\b(?:your (?:help|answer|response|advice|suggestion)|you to|if you|for your|the (?:above|following|code|text|error|output|table|function|file|user|article|product|website|page))\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def read_tastes(phrase: str) -> tuple[Taste, ...]:
    """The taste that the verb phrase `phrase` of a first person shows; none or one."""
    plain = phrase.strip()
    for rule in _rules()[0]:
        match = rule.pattern.match(plain)
        if match is None:
            continue
        topic = topic_of(match.group("o") or plain)
        if topic is None:
            return ()
        return (Taste(topic, rule.way, rule.strength, rule.explicit),)
    return ()


@lru_cache(maxsize=8192)
def read_thing(text: str) -> tuple[Taste, ...]:
    """The taste in a clause about a thing ("crowds make me anxious"); none or one."""
    for rule in _rules()[1]:
        match = rule.pattern.match(text)
        topic = topic_of(match.group("o")) if match else None
        if topic is not None:
            return (Taste(topic, rule.way, rule.strength),)
    return ()


def topic_of(text: str) -> str | None:
    """What a taste is for: without articles, reasons and afterthoughts; None where nothing is left."""
    topic = _TOPIC_CUT.sub("", text.strip())
    if not re.search(r"\w", topic):  # a picture, then words: "🍕, especially pizza margherita"
        topic = re.sub(r"^[\W_]*(?:(?:especially|particularly|mostly|above all)\s+)?", "", text, flags=re.IGNORECASE)
    if _NO_TOPIC.match(topic.strip(" .,'\"")) or _TOO_WIDE.search(text):
        return None
    while (lead := _TOPIC_LEAD.match(topic)) and len(topic) > lead.end():
        topic = topic[lead.end() :]
    topic = clip(topic.strip(" .,!'\"“”*_"), 120)
    return topic if len(topic) > 1 else None
