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
_DOSE = re.compile(
    r"(?:(?:am|is|take|takes|taking|on|use|get|was|been|now|put|prescribed|started) )+(?:only )?(?:(?P<o>\d[\d.,]* ?(?:mg|mcg|ml|iu|g|units?|tablets?|pills?|puffs?)) (?:of )?(?P<drug>[\w-]{4,})|(?P<drug2>[\w-]{4,}),? (?P<o2>\d[\d.,]* ?(?:mg|mcg|ml|iu|units?)))\b",
    re.IGNORECASE,
)
# What surrounds a value and is none of it: "a flat on Mill Lane", "nurse at Mercy General".
_AROUND = {
    "home": re.compile(
        r"^(?:[\w-]+ ){0,3}?(?:flat|apartment|house|place|home|room|studio|city|town|village|suburb|neighbou?rhood|area|part) (?:in|on|at|near|of|called|by) (?:the )?(?=[A-Z])|(?<=\w) and (?=(?:(?:Mr|Mrs|Ms|Dr)\.? )?[A-Z]\w+ (?:is|was)\b).*$| (?:with (?:my|our|a|two|three)|in a|in an|in the|right next|next door|and (?:work|study|have|love)|near my)\b.*$"
    ),
    "occupation": re.compile(r" (?:at|for|with|from|in) (?=[A-Z]|the\b|an?\b|my\b).*$"),
    "employer": re.compile(r" (?:as (?:an?|the)\b|where|in the|on the|doing|and (?:live|have|love)\b).*$"),
    "drives": re.compile(r" (?:with|that|which|from|and|now)\b.*$"),
    "school": re.compile(r"^(?:the )?(?=[A-Z])| (?:and|where|which)\b.*$"),
    "learning": re.compile(r"(?: (?:at|and have|and has|from|since|on|with|every)\b.*| hard)$"),
}
# A finding that says no more than one of these beside it.
_INSTEAD = {
    "owns": frozenset(("drives",)),
    "bought": frozenset(("drives",)),
    "member": frozenset(("work team",)),
    "employer": frozenset(("school",)),
    "occupation": frozenset(("school", "field of study")),
    "field of study": frozenset(("learning",)),
}
_NO_DRUG = frozenset("some that this these them each every with sugar daily".split())
_NOWHERE = frozenset("home it them him her me us this that budgeting there here nights days hard now".split())


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
        article = rule.predicate in ("member", "owns", "occupation")
        whole = rule.predicate == "commute"  # "cycle to work" is no reason
        values = values_of(raw) if rule.many else [value_of(raw, article=article, keep_reason=whole)]
        kept = [v for v in values if v and len(v.split()) <= rule.most and (not rule.proper or v[0].isupper())]
        kept = [v for each in kept if (v := _trimmed(rule.predicate, each))]
        found += [Finding(rule.predicate, value, rule.act) for value in kept]
        if kept:
            taken.add(rule.predicate)
    names = {each.predicate for each in found}
    found = [each for each in found if not names & _INSTEAD.get(each.predicate, frozenset())]
    dose = _DOSE.match(plain)
    if dose and (dose["drug"] or dose["drug2"]).lower() not in _NO_DRUG:
        found.append(Finding(f"{(dose['drug'] or dose['drug2']).lower()} dose", dose["o"] or dose["o2"]))
    counted = _COUNTED.match(plain)
    if counted:
        found.append(Finding(f"number of {counted.group('noun').lower()}", counted.group("o")))
    return tuple(found)


def _trimmed(predicate: str, value: str) -> str:
    """A value without what surrounds it; nothing where it is no value of the predicate."""
    around = _AROUND.get(predicate)
    kept = around.sub("", value).strip(" ,") if around else value
    if predicate in ("employer", "home", "learning", "school") and (not kept or kept.casefold().split()[0] in _NOWHERE):
        return ""
    return kept
