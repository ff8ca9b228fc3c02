"""How rules are put into words for a model.

What enters: a rule, and a way of wording. What leaves: its lines, the general one first, each exception under it.
"""

from __future__ import annotations

from typing import Literal

from memoria.distill.rules import Rule

Wording = Literal["rules", "statements", "own"]

LEADS: dict[Wording, str] = {
    "rules": "How this person wants it; keep to it unless they ask for something else:",
    "statements": "What is known of this person's preferences:",
    "own": "The person says of themselves:",
}
_VERBS: dict[Wording, tuple[str, str]] = {
    "rules": ("Prefer", "Avoid"),
    "statements": ("The person likes", "The person does not like"),
    "own": ("I like", "I do not like"),
}
_SAID: dict[Wording, str] = {"rules": "This person", "statements": "The person", "own": "The person"}


def worded(rule: Rule, wording: Wording) -> list[str]:
    """The lines of a rule."""
    return [f"- {_line(rule, wording)}.", *(f"  - But {_lowered(_line(each, wording))}." for each in rule.exceptions)]


def _line(rule: Rule, wording: Wording) -> str:
    if rule.kind == "example":
        return f"{'I was' if wording == 'own' else 'They were'} {rule.topic}"
    if rule.said is not None:
        line = f"{_SAID[wording]} {rule.said}"
    else:
        line = f"{_VERBS[wording][rule.polarity < 0]} {rule.topic}"
    return f"{rule.context[0].upper()}{rule.context[1:]}, {_lowered(line)}" if rule.context else line


def _lowered(line: str) -> str:
    return line if line.startswith("I ") else f"{line[:1].lower()}{line[1:]}"
