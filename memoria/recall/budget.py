"""Writing the context's text within a budget of tokens.

What enters: hits, best first, and a number of tokens. What leaves: the text with its citations, the hits that fitted,
and the ones that did not, with the reason. Tokens are counted by an estimate that is meant to be high: no model is
asked, so the count holds for whichever model reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from memoria.records import Dropped, Episode, Hit
from memoria.store.text import fold, terms

# English words of up to five letters are one token for nearly every vocabulary.
_TOKEN = re.compile(r"[a-zA-Z]{1,5}|\d|[^\sa-zA-Z\d]")
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*")


@dataclass(frozen=True)
class Written:
    """The text, how many tokens it counts, the hits it cites and what was left out."""

    text: str
    tokens: int
    hits: tuple[Hit, ...]
    dropped: tuple[Dropped, ...]


def count_tokens(text: str) -> int:
    """An estimate of the tokens of `text`: pieces of five letters, and every digit, mark and other letter one."""
    return len(_TOKEN.findall(text))


def write_context(found: Sequence[tuple[Episode, float, dict[str, float], str]], budget: int) -> Written:
    """The text of `found` (episode, score, signals, quote), best first, in at most `budget` tokens."""
    lines: list[str] = []
    hits: list[Hit] = []
    dropped: list[Dropped] = []
    spent = 0
    for episode, score, signals, quote in found:
        number = len(hits) + 1
        line = f"[{number}] {episode.occurred_at:%Y-%m-%d} {episode.speaker}: {quote}"
        cost = count_tokens(line) + 1
        if spent + cost > budget:
            reason = f"needs {cost} tokens, {budget - spent} of the budget of {budget} were left"
            dropped.append(Dropped(episode_id=episode.id, reason=reason))
            continue
        spent += cost
        lines.append(line)
        hits.append(Hit(episode=episode, score=score, signals=signals, quote=quote, citation=number))
    return Written("\n".join(lines), spent, tuple(hits), tuple(dropped))


def quote_of(text: str, words: Sequence[str], limit: int) -> str:
    """`text` on one line; of a long one, the `limit` characters around the sentence that has most of `words`."""
    flat = _SPACE.sub(" ", text).strip()
    if len(flat) <= limit:
        return flat
    wanted = set(words)
    best = start = place = 0
    for sentence in _SENTENCE_END.split(flat):
        count = len(wanted.intersection(terms(fold(sentence))))
        if count > best:
            best, start = count, place
        place = flat.find(sentence, place) + len(sentence)
    begin = max(0, min(flat.find(" ", start - 1) + 1 if start else 0, len(flat) - limit))
    cut = flat[begin : begin + limit].strip()
    return ("… " if begin else "") + cut + (" …" if begin + limit < len(flat) else "")
