"""Beliefs that say the same in other words, brought together under one line.

What enters: what is known. What leaves: groups. Nothing is rewritten: the beliefs stay as they are, and a group that no
longer fits falls apart by itself at the next reflection. Statements say the same where they differ in nothing but words
that add nothing to what is liked or done: "likes fado", "likes fado music". Nearness in meaning is no measure of that:
"iced coffee" is as near to "coffee" as "fado music" is to "fado".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from memoria.extract.ontology import Ontology
from memoria.extract.proposals import SELF
from memoria.reflect.decay import strength_of
from memoria.reflect.material import Known
from memoria.reflect.sections import fading_of, section_of
from memoria.store.text import terms

_ADDS_NOTHING = frozenset(
    terms(
        "music food drink drinks eating drinking playing doing going having making getting listening really much lot "
        "always good nice great new little bit kind type sort thing things stuff generally especially just"
    )
)


def grouped(known: Sequence[Known], ontology: Ontology, moment: int) -> list[list[Known]]:
    """The beliefs, those that say the same together with the strongest first; the groups by the strength of theirs."""
    groups: dict[Any, list[Known]] = defaultdict(list)
    for each in sorted(known, key=lambda each: (-_strength(each, ontology, moment), each.row)):
        groups[_sense(each, ontology)].append(each)
    return list(groups.values())


def _strength(known: Known, ontology: Ontology, moment: int) -> float:
    return strength_of(known, fading_of(section_of(known.belief, ontology)), moment)


def _sense(known: Known, ontology: Ontology) -> tuple[Any, ...]:
    """What a belief says, without the words that add nothing. Two answers to one question are never the same."""
    belief = known.belief
    if belief.kind == "preference":
        words = frozenset(terms(belief.topic)) - _ADDS_NOTHING
        return ("preference", belief.subject, belief.polarity, belief.context, words) if words else (known.row,)
    words = frozenset(terms(belief.object)) - _ADDS_NOTHING
    predicate = ontology.predicate(belief.predicate)
    if predicate.single or not words:
        return (known.row,)
    if belief.object == SELF and predicate.inverse == belief.predicate:  # "Rui's friend is user": user's is Rui
        return ("fact", SELF, belief.predicate, frozenset(terms(belief.subject)) - _ADDS_NOTHING)
    return ("fact", belief.subject, belief.predicate, words)
