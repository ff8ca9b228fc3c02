"""Beliefs that hold and cannot well both be so.

What enters: what is known. What leaves: `Contradiction`s. Two answers to one question never both hold (the later one
does: see `store/truth.py`), so what is left are tastes against tastes, and against what the person does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from memoria.extract.ontology import key_of
from memoria.extract.proposals import SELF
from memoria.records import Preference
from memoria.reflect.material import Known
from memoria.reflect.records import Contradiction

_DOES = frozenset(("hobby", "sport", "instrument", "learning", "favourite", "goes to", "member"))


def contradictions(known: Sequence[Known]) -> list[Contradiction]:
    """Each pair once, in the order that the later of the two was learnt."""
    disliked: dict[str, list[Known]] = defaultdict(list)
    liked: dict[str, list[Known]] = defaultdict(list)
    for each in known:
        belief = each.belief
        if isinstance(belief, Preference):
            (liked if belief.polarity > 0 else disliked)[key_of(belief.topic)].append(each)
        elif belief.subject == SELF and belief.predicate in _DOES:
            liked[key_of(belief.object)].append(each)
    pairs = ((one, other) for topic in disliked for one in disliked[topic] for other in liked.get(topic, ()))
    return [_between(one, other) for one, other in _apart(pairs)]


def _apart(pairs: Iterable[tuple[Known, Known]]) -> list[tuple[Known, Known]]:
    """Pairs that speak of the same circumstances: "coffee in the evening" says nothing of coffee in the morning."""
    return [(a, b) for a, b in pairs if _context(a) == _context(b)]


def _context(known: Known) -> str:
    return key_of(known.belief.context or "") if known.belief.kind == "preference" else ""


def _between(one: Known, other: Known) -> Contradiction:
    text = f"{one.belief.statement}, yet {other.belief.statement}"
    return Contradiction(belief_ids=(one.belief.id, other.belief.id), text=text)
