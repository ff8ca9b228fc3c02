"""Letting only that of a small model's words through which what is remembered bears out.

What enters: a model's words as they come, and the texts that they may rest on. What leaves: its first sentence, once it
is whole, or nothing. This cannot make a small model right, but keeps out names, numbers and deeds that nobody ever
mentioned, and what one text says from being told of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from memoria.store.text import terms

_END = re.compile(r"(?<=[.!?。！？])[\"”')\]]*\s+|\n+")


def borne_out(words: Iterable[str], question: str, texts: Sequence[str]) -> str | None:
    """The first sentence of `words`, if it says more than the question, and all of it in terms of the question and of
    one text that has to do with the question."""
    said = next(sentences(words), "")
    asked, found = set(terms(question)), set(terms(said))
    fresh = found - asked
    bearing = (set(terms(text)) for text in texts)
    return said if fresh and any(fresh <= text and text & asked for text in bearing) else None


def reaction(words: Iterable[str], told: str, allowed: str) -> str | None:
    """The first sentence of `words`, if it is made of what was told and of words `allowed`, with one of these."""
    said = next(sentences(words), "")
    found, free = set(terms(said)), set(terms(allowed))
    return said if found & free and found <= free | set(terms(told)) else None


def sentences(words: Iterable[str]) -> Iterator[str]:
    """The whole sentences of a text that comes in pieces, the last one only if it is ended."""
    pending = ""
    for piece in words:
        pending += piece
        while (end := _END.search(pending)) is not None:
            whole, pending = pending[: end.end()].strip(), pending[end.end() :]
            if whole:
                yield whole
    if pending.strip() and pending.rstrip("\"”')] ")[-1:] in ".!?。！？":
        yield pending.strip()
