"""Writing the context's text within a budget of tokens.

What enters: hits, best first, and a number of tokens. What leaves: the text with its citations, the hits that fitted,
and the ones that did not, with the reason. Tokens are counted by an estimate that is meant to be high: no model is
asked, so the count holds for whichever model reads it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from memoria.records import BeliefHit, Dropped, Episode, Fact, Hit, Preference, ProfileHit
from memoria.remember.trust import CLOSING, OPENING, gives_orders
from memoria.store.text import count_tokens, fold, terms

BELIEF_SHARE = 0.4  # of the budget: quotes say more than beliefs do, and prove them
PROFILE_SHARE = 0.15  # of the budget, where the profile is asked for: at most, and of what the rest leaves

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
    `budget` tokens; beliefs take no more than `BELIEF_SHARE` of it while there are quotes, and the profile what both
    leave, up to `PROFILE_SHARE`: it never costs a quote. It stands between marks by which memoria knows it again
    (`remember/trust.py`)."""
    page = _Page(budget)
    share = BELIEF_SHARE if found else 1.0
    stated = [hit for hit in beliefs if page.write(f"[b{page.count('b') + 1}] {belief_line(hit.belief)}", share, "b")]
    hits: list[Hit] = []
    dropped: list[Dropped] = []
    for episode, score, signals, quote in found:
        line = f"[{len(hits) + 1}] {episode.occurred_at:%Y-%m-%d} {_said(episode, quote)}"
        left = page.left
        if page.write(line, 1.0, ""):
            hits.append(Hit(episode=episode, score=score, signals=signals, quote=quote, citation=len(hits) + 1))
        else:
            reason = f"needs {cost_of(line)} tokens, {left} of the budget of {budget} were left"
            dropped.append(Dropped(episode_id=episode.id, reason=reason))
    known, told = _unquoted(profile, min(page.left, int(budget * PROFILE_SHARE)), {hit.episode.id for hit in hits})
    page.head(told)
    if not page.lines:
        return Written("", 0, (), (), tuple(dropped))
    text = "\n".join([OPENING, *page.lines, CLOSING])
    return Written(text, page.spent, tuple(stated), tuple(hits), tuple(dropped), tuple(known))


def _unquoted(profile: Sequence[ProfileHit], room: int, quoted: set[str]) -> tuple[list[ProfileHit], list[str]]:
    """The lines of the profile that fit into `room` tokens, as records and as text; none that only says what is
    `quoted` anyway."""
    known: list[ProfileHit] = []
    told: list[str] = []
    for each in profile:
        line = f"[p{len(known) + 1}] {each.text}"
        if cost_of(line) <= room and not (each.episode_ids and quoted.issuperset(each.episode_ids)):
            room -= cost_of(line)
            known.append(each)
            told.append(line)
    return known, told


class _Page:
    """Lines within a budget of tokens, the frame's included."""

    def __init__(self, budget: int) -> None:
        self._budget, self._counts = budget, Counter[str]()
        self.lines: list[str] = []
        self.spent = count_tokens(OPENING) + count_tokens(CLOSING) + 2

    @property
    def left(self) -> int:
        """How many tokens may still be written."""
        return self._budget - self.spent

    def count(self, kind: str) -> int:
        """How many lines of a kind were written."""
        return self._counts[kind]

    def write(self, line: str, share: float, kind: str) -> bool:
        """Write a line where all lines then take no more than `share` of the budget; whether it was."""
        cost = cost_of(line)
        if self.spent + cost > int(self._budget * share):
            return False
        self.spent += cost
        self.lines.append(line)
        self._counts[kind] += 1
        return True

    def head(self, lines: Sequence[str]) -> None:
        """Write lines, known to fit, before all others."""
        self.spent += sum(map(cost_of, lines))
        self.lines[:0] = lines


def cost_of(line: str) -> int:
    """What a line takes, with its end."""
    return count_tokens(line) + 1


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
