"""How alike two names are spelt.

What enters: two names as people write them. What leaves: 1 for the same name but for case, marks, accents, titles and
company forms; less for a name and a fuller one, a pet form, a slip of a letter; 0 for different names. Graded by kind
of difference rather than by distance: "Ana" and "Anna", or "Tom" and "Tim", are one letter apart and two people.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

SAME, FULLER, PET_FORM, SLIP = 1.0, 0.9, 0.8, 0.7

_WORD = re.compile(r"\w+")
_APOSTROPHE = re.compile(r"(?<=\w)['’ʼ](?=\w)")
_TITLES = {
    "dr": "dr", "doctor": "dr", "mr": "mr", "mister": "mr", "mrs": "mrs", "ms": "ms", "miss": "ms", "prof": "prof",
    "professor": "prof", "sir": "sir", "aunt": "aunt", "auntie": "aunt", "uncle": "uncle", "coach": "coach",
}  # fmt: skip
_FORMS = frozenset("inc ltd llc gmbh corp co plc".split())  # of companies
_SHORTEST_SLIP, _SHORTEST_PET = 4, 3  # letters


@dataclass(frozen=True)
class _Name:
    title: str
    words: tuple[str, ...]


def spelling(one: str, other: str) -> float:
    """How alike the names are: 1, 0.9 (fuller), 0.8 (pet form), 0.7 (slip of a letter) or 0."""
    a, b = _read(one), _read(other)
    if not a.words or not b.words or (a.title and b.title and a.title != b.title):
        return 0.0
    if a.words == b.words:
        return SAME
    short, full = (a, b) if len(a.words) <= len(b.words) else (b, a)
    if len(short.words) < len(full.words):
        by_surname = short.title and len(short.words) == 1 and short.words[0] == full.words[-1]
        return FULLER if by_surname or full.words[: len(short.words)] == short.words else 0.0
    if a.words[1:] == b.words[1:] and _is_pet_form(a.words[0], b.words[0]):
        return PET_FORM
    unlike = [pair for pair in zip(a.words, b.words, strict=True) if pair[0] != pair[1]]
    return SLIP if len(a.words) > 1 and len(unlike) == 1 and _is_slip(*unlike[0]) else 0.0


def plain(name: str) -> tuple[str, ...]:
    """The words of a name without case, marks, accents, titles and company forms."""
    return _read(name).words


def fullness(name: str) -> tuple[int, bool]:
    """How much of a name it is: words, and whether it has a title."""
    read = _read(name)
    return len(read.words), bool(read.title)


def _read(name: str) -> _Name:
    text = unicodedata.normalize("NFKD", _APOSTROPHE.sub("", name).casefold())
    words = _WORD.findall("".join(c for c in text if not unicodedata.combining(c)))
    title = ""
    if len(words) > 1 and words[0] in _TITLES:
        title, words = _TITLES[words[0]], words[1:]
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    while len(words) > 1 and words[-1] in _FORMS:
        words = words[:-1]
    return _Name(title, tuple(words))


def _is_pet_form(one: str, other: str) -> bool:
    """ "Tom" and "Tommy", "Rob" and "Robbie"."""
    short, long = sorted((one, other), key=len)
    return len(short) >= _SHORTEST_PET and long in {
        short + middle + end for middle in ("", short[-1]) for end in ("y", "ie", "i")
    }


def _is_slip(one: str, other: str) -> bool:
    """Whether one letter was changed, added or left out."""
    if min(len(one), len(other)) < _SHORTEST_SLIP or abs(len(one) - len(other)) > 1 or one[0] != other[0]:
        return False
    head = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    if len(one) == len(other):
        return one[head + 1 :] == other[head + 1 :]
    short, long = sorted((one, other), key=len)
    return short[head:] == long[head + 1 :]
