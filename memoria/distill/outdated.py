"""What a person thought of answers and would think no more: pairs that later words of theirs speak against.

What enters: pairs of corrections, votes and talk, the beliefs that hold, the turns in order. What leaves: the pairs
that still tell what the person wants. A pair is outdated where a later one of the same question prefers what it turned
down; or where the person says later that they dislike something that only its chosen answer names, or like something
that only its rejected one does. What is stated is held against the pair by its words alone: a taste that goes by other
words leaves old pairs to stand until the question comes up again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from memoria.distill.material import Known
from memoria.distill.records import Pair
from memoria.extract.ontology import key_of
from memoria.records import Episode, Preference
from memoria.store.text import terms


def current_pairs(pairs: Sequence[Pair], known: Sequence[Known], turns: Sequence[Episode]) -> list[Pair]:
    """The pairs that nothing later speaks against, in their order."""
    places = {turn.id: place for place, turn in enumerate(turns)}
    made = [max((places[each] for each in pair.episode_ids if each in places), default=-1) for pair in pairs]
    tastes = [each.belief for each in known if isinstance(each.belief, Preference) and each.belief.context is None]
    turned = _turned_down(pairs, made)
    found: list[Pair] = []
    for pair, place in zip(pairs, made, strict=True):
        newer = max(turned.get(_named(pair, pair.chosen), ()), default=-1)
        said = turns[place].occurred_at if place >= 0 else None
        if newer <= place and not (said is not None and any(_against(taste, pair, said) for taste in tastes)):
            found.append(pair)
    return found


def _turned_down(pairs: Sequence[Pair], made: Sequence[int]) -> dict[tuple[str, str], list[int]]:
    """Of each question and answer the places at which the person turned it down."""
    found: dict[tuple[str, str], list[int]] = {}
    for pair, place in zip(pairs, made, strict=True):
        found.setdefault(_named(pair, pair.rejected), []).append(place)
    return found


def _named(pair: Pair, answer: str) -> tuple[str, str]:
    return key_of(pair.prompt), key_of(answer)


def _against(taste: Preference, pair: Pair, said: datetime) -> bool:
    """Whether a taste that the person had not before the pair speaks against it."""
    if taste.valid_from is None or taste.valid_from <= said:
        return False
    topic = set(terms(taste.topic))
    chosen, rejected = (bool(topic) and topic <= set(terms(answer)) for answer in (pair.chosen, pair.rejected))
    return chosen and not rejected if taste.polarity < 0 else rejected and not chosen
