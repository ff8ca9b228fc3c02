"""Preference pairs of what a person said that they like and do not like.

What enters: beliefs that hold. What leaves: `Pair`s in a natural question's words: of the two answers one honours the
preference and the other does not; both are about as long, and either is the longer one in about half of them, so that
length tells nothing. Of every preference some questions are held out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from memoria.distill.likings import Liking, likings, phrases, style_of
from memoria.distill.material import Known
from memoria.distill.records import Pair
from memoria.distill.splits import draw, group_of, held_out
from memoria.extract.ontology import key_of
from memoria.recall.budget import belief_line

HELD_OUT = 1 / 3  # of the questions about a preference
_OCCASION = re.compile(  # what goes ill with "in the morning" before it
    r"\b(?:tonight|week|weekend|saturday|sunday|afternoon|evening|day|summer|lunch|dinner|dessert|birthday|party|flight"
    r"|train|car|new year|holidays|free|break|invites|outing)\b",
    re.IGNORECASE,
)
_HEADING = "What you remember of the person you talk with:"


def memory_of(known: Iterable[Known]) -> str:
    """What would stand in a prompt of these beliefs."""
    return "\n".join([_HEADING, *(f"- {belief_line(each.belief)}" for each in known)])


def stated_pairs(known: Sequence[Known]) -> list[Pair]:
    """The pairs of the preferences among the beliefs, in the order in which they were said."""
    found: list[Pair] = []
    liked = likings(known)
    for each in liked:
        if each.over is None:
            found += _of_one(each)
        else:
            found += _of_two(each.known, each.what, each.over, each.way, each.when, each.weight)
    for one, other in _contrary(liked):
        found += _between(one, other)
    styles: dict[str, tuple[Known, int]] = {}
    for each in known:
        if (style := style_of(each)) is not None:
            styles[style[0]] = (each, style[1])  # the one said last
    for name, (each, kind) in styles.items():
        found += _of_style(name, each, kind)
    return found


def _of_one(liking: Liking) -> Iterator[Pair]:
    """The pairs of one preference."""
    lines = [line for line in phrases()["tables"][liking.table] if not (liking.when and _OCCASION.search(line[0]))]
    kept = held_out(liking.key, round(len(lines) * HELD_OUT), len(lines))
    for place, (ask, liked, disliked) in enumerate(lines):
        answers = [_filled(each, x=liking.what) for each in (liked, disliked)]
        yield _pair(
            [liking.known],
            _when(_filled(ask, x=liking.what), liking.when),
            answers[:: liking.way],
            group_of("stated", liking.key, liking.table, str(place)),
            place in kept,
            liking.weight,
        )


def _of_two(known: Known, one: str, other: str, way: int, when: str, weight: float) -> Iterator[Pair]:
    """The pairs of "rather this than that"."""
    yield from _compared([known], one if way > 0 else other, other if way > 0 else one, when, weight)


def _between(one: Liking, other: Liking) -> Iterator[Pair]:
    """The pairs of a liking and a dislike of the same kind."""
    yield from _compared([one.known, other.known], one.what, other.what, one.when, min(one.weight, other.weight))


def _compared(known: Sequence[Known], better: str, worse: str, when: str, weight: float) -> Iterator[Pair]:
    lines = phrases()["contrasts"]
    first, second = sorted((better, worse), key=key_of)
    about = f"{key_of(first)} / {key_of(second)} {key_of(when)}"
    kept = held_out(about, round(len(lines) * HELD_OUT), len(lines))
    for place, (ask, answer) in enumerate(lines):
        a, b = (first, second) if draw("first", about, str(place)) < 0.5 else (second, first)
        yield _pair(
            known,
            _when(_filled(ask, a=a, b=b), when),
            [_filled(answer, p=better, o=worse), _filled(answer, p=worse, o=better)],
            group_of("contrast", about, str(place)),
            place in kept,
            weight,
        )


def _contrary(liked: Sequence[Liking]) -> list[tuple[Liking, Liking]]:
    """Of what was said each liking with a dislike of the same kind, each dislike once."""
    plain = [each for each in liked if each.over is None]
    wanted = [each for each in plain if each.way > 0]
    found: list[tuple[Liking, Liking]] = []
    for other in (each for each in plain if each.way < 0):
        fits = [each for each in wanted if each.when == other.when and _alike(each, other)]
        if fits:
            # The nearest in what was said: those of one sentence first.
            best = min(fits, key=lambda each: _apart(each.known, other.known))
            wanted.remove(best)
            found.append((best, other))
    return found


def _alike(one: Liking, other: Liking) -> bool:
    """Whether somebody might have to choose between the two."""
    return one.table == other.table and (
        one.table != "thing"
        or bool(
            set(one.known.quotes) & set(other.known.quotes) or set(one.known.episode_ids) & set(other.known.episode_ids)
        )
    )


def _apart(one: Known, other: Known) -> tuple[bool, float]:
    same = bool(set(one.quotes) & set(other.quotes)) or bool(set(one.episode_ids) & set(other.episode_ids))
    return not same, draw("apart", *sorted((one.belief.statement, other.belief.statement)))


def _of_style(name: str, known: Known, kind: int) -> Iterator[Pair]:
    lines = phrases()["styles"][name]["lines"]
    kept = held_out(name, round(len(lines) * HELD_OUT), len(lines))
    for place, (ask, *answers) in enumerate(lines):
        group = group_of("style", name, str(place))
        yield _pair([known], ask, answers[::kind], group, place in kept, _strength(known))


def _strength(known: Known) -> float:
    return float(getattr(known.belief, "strength", 1.0))


def _pair(known: Sequence[Known], prompt: str, answers: Sequence[str], group: str, kept: bool, weight: float) -> Pair:
    return Pair(
        kind="stated",
        prompt=prompt,
        chosen=answers[0],
        rejected=answers[1],
        memory=memory_of(known),
        weight=weight,
        group=group,
        split="held_out" if kept else "train",
        belief_ids=tuple(dict.fromkeys(name for each in known for name in each.ids)),
        episode_ids=tuple(dict.fromkeys(name for each in known for name in each.episode_ids)),
    )


def _filled(line: str, **values: str) -> str:
    """`line` with its places filled; a capital letter's place begins a sentence."""
    for name, value in values.items():
        line = line.replace(f"{{{name}}}", value).replace(f"{{{name.upper()}}}", value[:1].upper() + value[1:])
    return line


def _when(ask: str, when: str) -> str:
    """A question about certain circumstances."""
    return f"{when}: {ask[:1].lower() + ask[1:] if not ask.startswith('I ') else ask}" if when else ask
