"""How a person speaks.

What enters: their own turns, the latest. What leaves: traits, each with turns that show it. A trait is a coarse class
of a plain measure, so that one more turn seldom changes it, and it can be measured again.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from memoria.reflect.material import SENTENCE, Said

LEAST_TURNS = 10  # fewer say little of how somebody speaks
LOOKED_AT = 400
_SHOWN = 3
_PHRASE_SESSIONS = 3
_MOST_PHRASES = 4
_LENGTHS = ((6, "very short turns"), (15, "short turns"), (45, "turns of a few sentences"))
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_WORD = re.compile(r"\w+")
# Shares of turns from which on a habit is one.
_OFTEN = {"exclaims": 0.25, "asks": 0.3, "emoji": 0.1, "lower": 0.6}
_SAYS = {
    "exclaims": "often exclaims",
    "asks": "asks a lot of questions",
    "emoji": "uses emoji",
    "lower": "writes in lower case",
}
_HAS: dict[str, Callable[[str], bool]] = {
    "exclaims": lambda text: "!" in text,
    "asks": lambda text: "?" in text,
    "emoji": lambda text: bool(_EMOJI.search(text)),
    "lower": lambda text: text[:1].islower(),
}


@dataclass(frozen=True)
class Trait:
    """A trait under its `name`, in words, with some turns that show it and how many do."""

    name: str
    text: str
    turns: tuple[Said, ...]
    support: int


def traits(turns: Sequence[Said]) -> list[Trait]:
    """The traits of the latest turns; none where there are too few to tell."""
    latest = turns[-LOOKED_AT:]
    if len(latest) < LEAST_TURNS:
        return []
    found = [_length(latest)]
    for name, has in _HAS.items():
        having = [each for each in latest if has(each.episode.text)]
        if len(having) >= _OFTEN[name] * len(latest):
            found.append(Trait(name, _SAYS[name], tuple(having[-_SHOWN:]), len(having)))
    phrases = _phrases(latest)
    return [*found, phrases] if phrases is not None else found


def _length(turns: Sequence[Said]) -> Trait:
    counts = [len(_WORD.findall(each.episode.text)) for each in turns]
    middle = median(counts)
    said = next((words for most, words in _LENGTHS if middle <= most), "long turns")
    near = sorted(range(len(turns)), key=lambda i: (abs(counts[i] - middle), -i))[:_SHOWN]
    return Trait("length", f"writes {said}", tuple(turns[i] for i in sorted(near)), len(turns))


def _phrases(turns: Sequence[Said]) -> Trait | None:
    """Short sentences that come back in several sessions: "Ha.", "Anyway."."""
    saying: dict[str, list[Said]] = defaultdict(list)
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for each in turns:
        for sentence in SENTENCE.findall(each.episode.text):
            words = sentence.strip(" .!?…\"“”'")
            if 0 < len(_WORD.findall(words)) <= 2 and sum(map(str.isalpha, words)) > 1:  # no "5." of a list
                key = words.casefold()
                written[key][words] += 1
                if not saying[key] or saying[key][-1] is not each:
                    saying[key].append(each)
    sessions = {key: len({said.episode.session for said in having}) for key, having in saying.items()}
    often = [key for key, count in sorted(sessions.items(), key=lambda p: (-p[1], p[0])) if count >= _PHRASE_SESSIONS]
    if not often:
        return None
    often = often[:_MOST_PHRASES]
    shown = {said.row: said for key in often for said in saying[key][-_SHOWN:]}
    quoted = ", ".join(f"“{written[key].most_common(1)[0][0]}”" for key in often)
    return Trait("phrases", f"often says {quoted}", tuple(shown.values()), sum(len(saying[key]) for key in often))
