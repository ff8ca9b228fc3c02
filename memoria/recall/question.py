"""What a question says about the turns that may answer it.

What enters: the question's text, its "now", and who speaks in the memory asked. What leaves: a `Question`: its terms,
the speakers it names, the spans of time it names, and what kind of answer it wants.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from memoria.dates import Span, spans_in
from memoria.records import ROLES
from memoria.store.text import fold, terms

_WANTS_NUMBER = re.compile(
    r"\b(when|what (?:date|day|year|month|time)|how (?:many|much|long|old|often)|which (?:day|year|month))\b"
    r"|多少|几|何时|什么时候|哪天"
)
_FIRST_PERSON = re.compile(r"\b(i|im|ive|me|my|mine|myself|we|our|us)\b")
_SECOND_PERSON = re.compile(r"\b(you|your|youve|yours)\b")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Question:
    """A question, read. `terms` are distinct, in order; `speakers` indexes the shelf's speakers that it names."""

    text: str
    terms: tuple[str, ...]
    speakers: tuple[int, ...]
    spans: tuple[Span, ...]
    wants_number: bool
    about_self: bool
    about_assistant: bool


def read_question(text: str, now: datetime, speakers: Sequence[str]) -> Question:
    """Read a question; `now` is aware, `speakers` are the names in the memory it is asked of."""
    folded = fold(text)
    words = set(_WORD.findall(folded))
    named = tuple(
        i
        for i, name in enumerate(speakers)
        if name not in ROLES and (fold(name) in words or set(_WORD.findall(fold(name))) & words)
    )
    return Question(
        text=text,
        terms=tuple(dict.fromkeys(terms(text))),
        speakers=named,
        spans=spans_in(text, now),
        wants_number=bool(_WANTS_NUMBER.search(folded)),
        about_self=bool(_FIRST_PERSON.search(folded)),
        about_assistant=bool(_SECOND_PERSON.search(folded)),
    )
