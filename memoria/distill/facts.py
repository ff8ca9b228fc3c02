"""Questions about facts, in several phrasings, with their answers.

What enters: beliefs that hold. What leaves: `Example`s: three phrasings to learn and one that is held out, with three
false answers of the same form from packaged lists, or the value's own with other numbers: never from anybody's memory.
Only facts whose question is sure to be good English are asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from memoria.distill.material import Known
from memoria.distill.pairs import memory_of
from memoria.distill.records import Example
from memoria.distill.splits import draw, group_of, held_out, mixed
from memoria.extract.ontology import key_of
from memoria.extract.proposals import SELF
from memoria.records import Fact

ALTERNATIVES = 3
_ODD = re.compile(r"[\n?!;:\"“”<>]|\b(?:i|my|me|now|not|no longer|which|that|who)\b", re.IGNORECASE)
_TITLE = re.compile(r"^(?:(?:doctor|dr|mr|mrs|ms|miss|professor|prof|dona|dom|sir|aunt|uncle)\.? )", re.IGNORECASE)
_LONGEST = 10  # words


@dataclass(frozen=True)
class _Asked:
    """Everything that answers one question: the facts, and how it is asked."""

    known: tuple[Known, ...]
    subject: str
    relation: str
    line: dict[str, Any]


@lru_cache(maxsize=1)
def questions() -> dict[str, Any]:
    """The packaged phrasings."""
    path = Path(__file__).parent / "questions.yaml"
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values


def fact_examples(known: Sequence[Known]) -> list[Example]:
    """The questions about the facts among the beliefs, in the order in which they were said."""
    return [example for asked in _asked(known) for example in _examples(asked)]


def _asked(known: Sequence[Known]) -> list[_Asked]:
    """The facts by the question that they answer: two sisters are one answer."""
    found: dict[tuple[str, str], list[Known]] = {}
    for each in known:
        belief = each.belief
        if isinstance(belief, Fact) and _line(belief) is not None and _plain(belief.object):
            found.setdefault((belief.subject, belief.predicate), []).append(each)
    asked: list[_Asked] = []
    for (subject, predicate), facts in found.items():
        line = _line(facts[0].belief)
        assert line is not None
        if len(facts) > 1 and line is questions()["own"]["relation"]:
            line = questions()["own"]["relations"]
        asked.append(_Asked(tuple(facts), subject, predicate, line))
    return asked


def _line(belief: Any) -> dict[str, Any] | None:
    table = questions()
    if belief.subject != SELF:
        return table["others"].get(belief.predicate) if _plain(belief.subject) else None
    if belief.predicate in table["relations"]:
        return table["own"]["relation"]
    return table["own"].get(belief.predicate)


def _plain(value: str) -> bool:
    return 1 <= len(value.split()) <= _LONGEST and not _ODD.search(value)


def _examples(asked: _Asked) -> Iterator[Example]:
    values = [_value(each) for each in asked.known]
    says = asked.line.get("many", asked.line["says"]) if len(values) > 1 else asked.line["says"]
    others = _alternatives(asked, values)
    if len(others) < ALTERNATIVES:
        return
    asks: list[str] = asked.line["asks"]
    about = f"{key_of(asked.subject)} {asked.relation}"
    kept = held_out(f"fact {about}", 1, len(asks))
    for place, ask in enumerate(asks):
        yield Example(
            kind="fact",
            prompt=_filled(ask, asked, ""),
            answer=_filled(says, asked, _joined(values)),
            memory=memory_of(asked.known),
            alternatives=tuple(_filled(says, asked, other) for other in others) if place in kept else (),
            group=group_of("fact", about, str(place)),
            split="held_out" if place in kept else "train",
            belief_ids=tuple(dict.fromkeys(name for each in asked.known for name in each.ids)),
            episode_ids=tuple(dict.fromkeys(name for each in asked.known for name in each.episode_ids)),
        )


def _filled(line: str, asked: _Asked, value: str) -> str:
    subject = asked.subject[:1].upper() + asked.subject[1:] if line.startswith("{s}") else asked.subject
    relation = _plural(asked.relation) if len(asked.known) > 1 else asked.relation
    return line.replace("{r}", relation).replace("{s}", subject).replace("{x}", value)


def _value(known: Known) -> str:
    """What the fact says, with the article that the person gave it."""
    for quote in known.quotes:
        if (found := re.search(rf"(\b(?:an?|the) ){re.escape(known.object)}\b", quote, re.IGNORECASE)) is not None:
            return found[1] + known.object
    return known.object


def _plural(relation: str) -> str:
    return {"child": "children", "grandchild": "grandchildren", "wife": "wives"}.get(relation, f"{relation}s")


def _joined(values: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(values[:-1]), values[-1])))


def _alternatives(asked: _Asked, values: Sequence[str]) -> list[str]:
    """Three false answers, each of as many values as the true one, in its form."""
    table, kind = questions(), asked.line["kind"]
    true = {key_of(each) for each in values}
    about = f"{asked.subject} {asked.relation} {' '.join(values)}"
    if kind in ("date", "number"):
        found = [_joined([_renumbered(each, f"{about} {turn}") for each in values]) for turn in range(4 * ALTERNATIVES)]
        return [each for each in dict.fromkeys(found) if each != _joined(values)][:ALTERNATIVES]
    if kind == "person":
        kind = next(
            (name for name, group in (("woman", "women"), ("man", "men")) if asked.relation in table[group]), kind
        )
    listed = [each for each in mixed(about, table["values"][kind]) if key_of(each) not in true]
    taken = listed[: ALTERNATIVES * len(values)]
    groups = [taken[start : start + len(values)] for start in range(0, len(taken), len(values))]
    return [
        _joined([_like(true_one, other, about) for true_one, other in zip(values, group, strict=True)])
        for group in groups
        if len(group) == len(values)
    ]


def _like(value: str, other: str, about: str) -> str:
    """`other` in the form of `value`: with its title, or its article, or as many names."""
    if (title := _TITLE.match(value)) is not None:
        rest = value[title.end() :].split()
        return title[0] + (other if len(rest) > 1 else mixed(f"{about} {other}", questions()["values"]["surname"])[0])
    if re.match(r"(?:an?|the) [a-z]", other) and not re.match(r"(?:an?|the) ", value):
        return other.partition(" ")[2]
    names = questions()["values"]
    if len(value.split()) == 2 and value.istitle() and other in (*names["person"], *names["woman"], *names["man"]):
        return f"{other} {mixed(f'{about} {other}', names['surname'])[0]}"
    return other


def _renumbered(value: str, of: str) -> str:
    """The value with another month, and other numbers of as many digits."""
    months: list[str] = questions()["months"]
    found = re.sub(r"\b(?:" + "|".join(months) + r")\b", lambda _: mixed(f"month {of}", months)[0], value)

    def number(match: re.Match[str]) -> str:
        size = len(match[0])
        if re.search(r"\b(?:" + "|".join(months) + r")\b", value) and size <= 2:
            return str(1 + int(draw("day", of, match[0]) * 28))
        if size == 4 and match[0].startswith(("19", "20")):
            return str(int(match[0]) - 9 + int(draw("year", of, match[0]) * 8))
        lowest = 10 ** (size - 1)
        if match[0].startswith("0"):
            return str(int(draw("number", of, match[0]) * lowest)).zfill(size)
        return str(lowest + int(draw("number", of, match[0]) * 9 * lowest)).zfill(size)

    return _ordinal(re.sub(r"\d+", number, found))


def _ordinal(text: str) -> str:
    """Numbers with the endings that they have in English: "the 3rd", not "the 3th"."""

    def ended(match: re.Match[str]) -> str:
        number = int(match[1])
        teens = number % 100 in (11, 12, 13)
        return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"

    return re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", ended, text)
