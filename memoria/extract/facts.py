"""What people say of themselves and theirs, read by patterns over a verb phrase.

What enters: a clause's verb phrase ("moved to Lisbon last month"), its subject taken off. What leaves: findings:
predicate, value and act. The patterns stand in `patterns/facts.yaml`, one a line, to be read, tested and added.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from memoria.extract.phrases import value_of, values_of
from memoria.store.truth import Act

_TABLE = Path(__file__).parent / "patterns" / "facts.yaml"


@dataclass(frozen=True)
class Finding:
    """What a verb phrase says. An empty `value` speaks of the slot as a whole. `after` is what follows the value."""

    predicate: str
    value: str
    act: Act = "affirm"
    past: bool = False
    kind: str | None = None


@dataclass(frozen=True)
class Rule:
    """`pattern` is matched at the head of a verb phrase; its group `o` is the value."""

    predicate: str
    pattern: str
    act: Act = "affirm"
    many: bool = False
    proper: bool = False  # the value must begin with a capital letter or a digit
    most: int = 8  # words


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[Rule, re.Pattern[str]], ...]:
    """The table, compiled at its first use."""
    table: dict[str, Any] = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    rules: list[tuple[Rule, re.Pattern[str]]] = []
    for row in table["rules"]:
        rule = Rule(**row)
        pattern = rule.pattern
        for name, fragment in table["fragments"].items():
            pattern = pattern.replace("{" + name + "}", fragment)
        rules.append((rule, re.compile(pattern, re.IGNORECASE)))
    return tuple(rules)


_ADVERB = re.compile(
    r"\b(?:just|now|currently|recently|finally|still|also|actually|really|already|officially|proudly|basically|happily|only|mostly|definitely|literally|eventually|newly|kind of|sort of|pretty much|of course|long ago|long since|permanently|temporarily|at last)\s+",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?:have|has|own|owns|got|keep|keeps|am up to|have got|is up to) (?P<o>(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a dozen|over \d+|about \d+|around \d+) (?:[\w-]+ ){0,2}?(?P<noun>(?!years?\b|months?\b|weeks?\b|days?\b|hours?\b|minutes?\b|questions?\b|times?\b|things?\b|meetings?\b|options?\b|people\b)\w{3,}s|children|people|fish))\b",
    re.IGNORECASE,
)
_MOVED_IN = re.compile(r"^(?:live|lives|living|am living|stay|moved in) with\b", re.IGNORECASE)


@lru_cache(maxsize=8192)
def read_phrase(phrase: str) -> tuple[Finding, ...]:
    """What the verb phrase `phrase` says of its subject."""
    plain = _ADVERB.sub("", phrase + " ").strip()
    found: list[Finding] = []
    taken: set[str] = set()
    for rule, pattern in _rules():
        if rule.predicate in taken:
            continue
        match = pattern.match(plain)
        if match is None:
            continue
        raw = match.group("o")
        values = (
            values_of(raw) if rule.many else [value_of(raw, article=rule.predicate in ("member", "owns", "occupation"))]
        )
        kept = [v for v in values if v and len(v.split()) <= rule.most and (not rule.proper or v[0].isupper())]
        if rule.predicate == "employer":
            kept = [
                v
                for v in kept
                if v.casefold().split()[0] not in ("home", "it", "them", "him", "her", "me", "us", "this", "that")
            ]
        found += [Finding(rule.predicate, value, rule.act) for value in kept]
        if kept:
            taken.add(rule.predicate)
    counted = _COUNTED.match(plain)
    if counted:
        found.append(Finding(f"number of {counted.group('noun').lower()}", counted.group("o")))
    return tuple(found)
