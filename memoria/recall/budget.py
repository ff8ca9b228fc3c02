"""Writing the context's text within a budget of tokens.

What enters: hits, best first, and a number of tokens. What leaves: the text with its citations, the hits that fitted,
and the ones that did not, with the reason. Tokens are counted by an estimate that is meant to be high: no model is
asked, so the count holds for whichever model reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from memoria.records import BeliefHit, Dropped, Episode, Fact, Hit, Preference, ProfileHit
from memoria.remember.trust import CLOSING, OPENING, gives_orders
from memoria.store.text import count_tokens, fold, terms

BELIEF_SHARE = 0.4  # of the budget: quotes say more than beliefs do, and prove them
PROFILE_SHARE = 0.15  # of the budget, where the profile is asked for

_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*")


@dataclass(frozen=True)
class Written:
    """The text, how many tokens it counts, the beliefs it states, the hits it cites and what was left out."""

    text: str
    tokens: int
    beliefs: tuple[BeliefHit, ...]
    hits: tuple[Hit, ...]
    dropped: tuple[Dropped, ...]
    profile: tuple[ProfileHit, ...] = ()


def write_context(
    beliefs: Sequence[BeliefHit],
    found: Sequence[tuple[Episode, float, dict[str, float], str]],
    budget: int,
    profile: Sequence[ProfileHit] = (),
) -> Written:
    """The text of `profile`, `beliefs`, then `found` (episode, score, signals, quote), each best first, in at most
    `budget` tokens; the profile takes no more than `PROFILE_SHARE` of it, and with beliefs no more than `BELIEF_SHARE`
    while there are quotes. It stands between marks by which memoria knows it again (`remember/trust.py`)."""
    frame = count_tokens(OPENING) + count_tokens(CLOSING) + 2
    lines: list[str] = []
    dropped: list[Dropped] = []
    spent = frame
    known: list[ProfileHit] = []
    for each in profile:
        line = f"[p{len(known) + 1}] {each.text}"
        cost = count_tokens(line) + 1
        if spent + cost <= int(budget * PROFILE_SHARE):
            spent += cost
            lines.append(line)
            known.append(each)
    stated: list[BeliefHit] = []
    share = int(budget * BELIEF_SHARE) if found else budget
    for hit in beliefs:
        line = f"[b{len(stated) + 1}] {belief_line(hit.belief)}"
        cost = count_tokens(line) + 1
        if spent + cost <= share:
            spent += cost
            lines.append(line)
            stated.append(hit)
    hits: list[Hit] = []
    for episode, score, signals, quote in found:
        line = f"[{len(hits) + 1}] {episode.occurred_at:%Y-%m-%d} {_said(episode, quote)}"
        cost = count_tokens(line) + 1
        if spent + cost > budget:
            reason = f"needs {cost} tokens, {budget - spent} of the budget of {budget} were left"
            dropped.append(Dropped(episode_id=episode.id, reason=reason))
            continue
        spent += cost
        lines.append(line)
        hits.append(Hit(episode=episode, score=score, signals=signals, quote=quote, citation=len(hits) + 1))
    if not lines:
        return Written("", 0, (), (), tuple(dropped))
    text = "\n".join([OPENING, *lines, CLOSING])
    return Written(text, spent, tuple(stated), tuple(hits), tuple(dropped), tuple(known))


def belief_line(belief: Fact | Preference) -> str:
    """A belief in a line: what is so since when, or what was so until when, marked as such."""
    since = f"since {belief.valid_from:%Y-%m-%d}" if belief.valid_from else ""
    if belief.status == "current":
        doubt = "; needs confirmation: it may have changed since" if belief.needs_confirmation else ""
        return f"{belief.statement} ({since or 'always'}{doubt})"
    until = f"until {belief.valid_to:%Y-%m-%d}" if belief.valid_to else "retracted"
    return f"No longer so: {belief.statement} ({since + ' ' if since else ''}{until})"


def _said(episode: Episode, quote: str) -> str:
    """Who said what. Words that are not the person's own are marked; orders among them are shown to nobody's model."""
    if episode.trust == "user":
        return f"{episode.speaker}: {quote}"
    if gives_orders(episode.text, episode.trust):
        return f"{episode.trust} (untrusted): withheld, as it gives orders; see: memoria explain {episode.id}"
    mark = "" if episode.trust == "assistant" else f" ({episode.trust}, untrusted)"
    return f"{episode.speaker}{mark}: {quote}"


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
