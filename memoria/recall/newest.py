"""Of two turns that say the same matter, the newer first.

What enters: the best turns for a question, best first. What leaves: the same turns, where a newer one that answers with
a sentence of its own has moved above an older one that answers no better. Only the person's own words, and only where a
question asks what is so: not what was before or on a certain day, nor what others did.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from memoria.extract.sentences import sentences_of
from memoria.recall.question import Question
from memoria.records import Episode
from memoria.store.text import fold, terms

Found = tuple[Episode, float, dict[str, float], str]  # episode, score, what each signal gave, quote

_AMONG = 10  # of the best turns
_AS_GOOD = 0.6  # the newer turn's sentence covers so much of what the older one's does ...
_AT_LEAST = 0.3  # ... and so much of the question
_NEAR = 3.0  # and its score is no further below: about what one strong signal gives
_BEFORE = re.compile(
    r"\b(?:previous(?:ly)?|used to|before (?:i|we|the|my)|formerly|originally|initial(?:ly)?|at first|first|back then"
    r"|at the time|earlier|old)\b"
)
_NOW = re.compile(r"\b(?:current(?:ly)?|now|latest|most recent(?:ly)?|these days|recent)\b")
_STEP = 1e-3


def newest_first(
    found: Sequence[Found], question: Question, weights: Mapping[str, float], over: Mapping[str, frozenset[str]]
) -> list[Found]:
    """`found` (best first) with newer statements of the same matter above older ones; the bump is the signal "newer".

    `weights` are how much each of the question's terms says (IDF). `over` names, by episode id, the episodes that
    ended, corrected or shook what an episode says: they stand above it.
    """
    folded = fold(question.text)
    now = bool(_NOW.search(folded))
    if _BEFORE.search(folded) and not now:
        return list(found)
    raised = _overriding(found, over)
    if not weights or question.spans or not (question.about_self or now):
        return raised
    found = raised
    ordered: list[Found] = []
    covers: list[float] = []
    for each in found[:_AMONG]:
        cover = _cover(each[0], weights)
        place = _place(each, cover, ordered, covers)
        if place < len(ordered):
            each = _raised(each, ordered[place][1])
        ordered.insert(place, each)
        covers.insert(place, cover)
    return [*ordered, *found[_AMONG:]]


def _overriding(found: Sequence[Found], over: Mapping[str, frozenset[str]]) -> list[Found]:
    """`found` with what overrode a turn right above it."""
    ordered: list[Found] = []
    for each in found:
        places = (place for place, other in enumerate(ordered) if each[0].id in over.get(other[0].id, ()))
        place = next(places, len(ordered))
        ordered.insert(place, _raised(each, ordered[place][1]) if place < len(ordered) else each)
    return ordered


def _raised(each: Found, above: float) -> Found:
    """A turn lifted just above a score."""
    bump = above + _STEP - each[1]
    signals = {**each[2], "newer": each[2].get("newer", 0.0) + bump}
    return each[0], each[1] + bump, signals, each[3]


def _place(each: Found, cover: float, ordered: Sequence[Found], covers: Sequence[float]) -> int:
    """Where a turn belongs among those before it: above the first older one that says the matter no better."""
    episode, score = each[0], each[1]
    if cover < _AT_LEAST:
        return len(ordered)
    for place, (other, others, *_) in enumerate(ordered):
        older = other.occurred_at < episode.occurred_at and other.session != episode.session
        if older and other.trust == "user" and cover >= _AS_GOOD * covers[place] and others - score < _NEAR:
            return place
    return len(ordered)


def _cover(episode: Episode, weights: Mapping[str, float]) -> float:
    """The share of the question's weight that the best sentence of a turn covers; 0 of another's words."""
    if episode.trust != "user":
        return 0.0
    total = sum(weights.values()) or 1.0
    said = (set(terms(episode.text[begin:stop])) for begin, stop in sentences_of(episode.text))
    return max((sum(w for term, w in weights.items() if term in words) / total for words in said), default=0.0)
