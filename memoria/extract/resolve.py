"""Which names are one entity's.

What enters: a person's belief shelf, and a function that embeds. What leaves: pairs of names that may be one entity's,
scored, each with why it is not taken for one where it is not. A wrong merge mixes up two people, so whatever speaks
against one is decisive, and likeness only counts where nothing does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from memoria.extract.ontology import Ontology
from memoria.extract.proposals import SELF
from memoria.extract.spelling import SAME, fullness, plain, spelling
from memoria.records import Likeness
from memoria.settings import ResolveSettings
from memoria.store.belief_shelf import BeliefShelf, Slot, names_of
from memoria.store.truth import Period, Standing

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

_BEINGS = frozenset(("person", "animal"))
_KINDS = frozenset(("person", "animal", "place", "organisation", "thing"))  # "thing" is unknown
_MOST_STATEMENTS = 12


@dataclass
class _Entity:
    """What is believed of one name: where it is the answer (`answers`), and what it answers itself (`values`)."""

    key: str
    name: str
    kind: str = "thing"
    answers: dict[Slot, Standing] = field(default_factory=dict[Slot, Standing])
    values: dict[str, dict[str, Standing]] = field(default_factory=lambda: defaultdict(dict))
    statements: list[str] = field(default_factory=list[str])

    @property
    def is_being(self) -> bool:
        """A person or an animal, or of no known kind and spoken of as one is: by what it does."""
        return self.kind in _BEINGS or (self.kind == "thing" and bool(self.values))

    @property
    def text(self) -> str:
        """What is embedded."""
        return ". ".join([self.name, *self.statements[:_MOST_STATEMENTS]])


class Resolver:
    """Finds names of one entity in one shelf."""

    def __init__(self, shelf: BeliefShelf, ontology: Ontology, settings: ResolveSettings) -> None:
        self._shelf, self._ontology, self._settings = shelf, ontology, settings
        self._entities = _entities(shelf)
        self._apart = {frozenset((m.entity, m.same_as)) for m in shelf.merges if m.undone is not None}

    def likenesses(self, embed: Embed) -> list[tuple[str, str, Likeness]]:
        """Pairs of entity keys spelt alike, the most alike first: (the one, the other it is the same as, scores)."""
        pairs = [(*self._ordered(a, b), alike) for a, b, alike in self._spelt_alike()]
        keys = list(dict.fromkeys(key for a, b, _ in pairs for key in (a, b)))
        vectors = dict(zip(keys, embed([self._entities[key].text for key in keys]), strict=True)) if keys else {}
        unclear = self._unclear(pairs)
        scored = [(a, b, alike, max(0.0, float(vectors[a] @ vectors[b]))) for a, b, alike in pairs]
        found = [
            (a, b, self._likeness(self._entities[a], self._entities[b], alike, meaning, a in unclear))
            for a, b, alike, meaning in scored
        ]
        return self._together(sorted(found, key=lambda each: (-each[2].score, each[0], each[1])))

    # -- inside --------------------------------------------------------------------------------------------------

    def _spelt_alike(self) -> list[tuple[str, str, float]]:
        """Pairs of names worth a look; only names that share a word, or its first three letters, are compared."""
        near: dict[str, list[str]] = defaultdict(list)
        for key, entity in self._entities.items():
            if entity.kind in _KINDS and entity.name[:1].isupper() and "'s " not in entity.name:
                for word in {word[:3] for word in plain(entity.name)}:
                    near[word].append(key)
        pairs = dict.fromkeys(pair for keys in near.values() for pair in combinations(sorted(keys), 2))
        found: list[tuple[str, str, float]] = []
        for one, other in pairs:
            a, b = self._entities[one], self._entities[other]
            alike = spelling(a.name, b.name)
            kinds = {a.kind, b.kind} - {"thing"}
            if alike and len(kinds) < 2 and (alike == SAME or (a.is_being and b.is_being)):
                found.append((one, other, alike))
        return found

    def _unclear(self, pairs: Sequence[tuple[str, str, float]]) -> set[str]:
        """The names with several fuller ones that are not alike: "Anna" beside "Anna Lee" and "Anna Kim"."""
        fuller: dict[str, list[str]] = defaultdict(list)
        for a, b, _ in pairs:
            one, other = self._entities[a].name, self._entities[b].name
            if fullness(one) < fullness(other):
                fuller[a].append(other)
        return {a for a, names in fuller.items() if any(not spelling(x, y) for x, y in combinations(names, 2))}

    def _ordered(self, one: str, other: str) -> tuple[str, str]:
        """The lesser name first: it is kept under the fuller one, or the one more is believed of."""
        a, b = self._entities[one], self._entities[other]
        rank_a, rank_b = ((fullness(e.name), len(e.statements), e.key) for e in (a, b))
        return (one, other) if rank_a < rank_b else (other, one)

    def _likeness(self, a: _Entity, b: _Entity, alike: float, meaning: float, unclear: bool) -> Likeness:
        score = min(1.0, 0.6 * alike + 0.4 * meaning + (0.1 if _share(a, b) else 0.0))
        least = self._settings
        why = self._against(a, b, alike)
        if not why and unclear and fullness(a.name) < fullness(b.name):
            why = f"{a.name} may be several"
        for name, value, limit in (
            ("spelling", alike, least.spelling),
            ("meaning", meaning, least.meaning),
            ("score", score, least.score),
        ):
            if not why and value < limit:
                why = f"{name} {value:.2f} is below {limit:.2f}"
        kind = a.kind if a.kind != "thing" else b.kind
        scores = {"spelling": alike, "meaning": round(meaning, 4), "score": round(score, 4)}
        return Likeness(name=a.name, same_as=b.name, kind=kind, **scores, alike=not why, why=why)

    def _against(self, a: _Entity, b: _Entity, alike: float) -> str:
        """What says that they are two; "" for nothing."""
        if frozenset((a.key, b.key)) in self._apart:
            return "they were taken apart before"
        if any(other.key in held for one, other in ((a, b), (b, a)) for held in one.values.values()):
            return "a belief relates one to the other"
        for (owner, one), x in a.answers.items():
            for (other_owner, other), y in b.answers.items():
                if owner == other_owner and (why := self._two_answers(one, other, x, y, alike)):
                    return why
        for slot in a.values.keys() & b.values.keys() if alike < SAME else ():
            if self._ontology.predicate(slot).single and _differ(a.values[slot], b.values[slot]):
                return f"they differ in {slot}"
        return ""

    def _two_answers(self, one: str, other: str, x: Standing, y: Standing, alike: float) -> str:
        """What two answers to questions about the same person say against their being one's."""
        if one != other:
            tied = one in self._implied(other) or other in self._implied(one)
            two = self._is_relation(one) and self._is_relation(other) and not tied
            return f"one is {one}, the other {other}" if two and _overlap(x.periods, y.periods) else ""
        if alike == SAME:
            return ""
        if {p.episode for p in x.pieces} & {p.episode for p in y.pieces} - {None}:
            return "one turn names both"
        if any(p.act in ("change", "end") for p in (*x.pieces, *y.pieces)) and self._ontology.predicate(one).single:
            return f"one followed the other as {one}"
        return ""

    def _implied(self, predicate: str) -> tuple[str, ...]:
        return self._ontology.predicate(predicate).implies

    def _is_relation(self, predicate: str) -> bool:
        described = self._ontology.predicates.get(predicate)
        return described.kind in _BEINGS if described else predicate in self._ontology.relations.values()

    def _together(self, found: list[tuple[str, str, Likeness]]) -> list[tuple[str, str, Likeness]]:
        """No group in which something speaks against a pair: the less alike gives way."""
        groups: dict[str, set[str]] = {}
        kept: list[tuple[str, str, Likeness]] = []
        for a, b, each in found:
            one, other = groups.setdefault(a, {a}), groups.setdefault(b, {b})
            if each.alike and one is not other:
                clash = next((why for x in one for y in other if (why := self._clash(x, y))), "")
                if clash:
                    each = each.model_copy(update={"alike": False, "why": clash})
                else:
                    one |= other
                    groups.update(dict.fromkeys(other, one))
            kept.append((a, b, each))
        return kept

    def _clash(self, one: str, other: str) -> str:
        a, b = self._entities[one], self._entities[other]
        return self._against(a, b, spelling(a.name, b.name))


def _entities(shelf: BeliefShelf) -> dict[str, _Entity]:
    """What is believed of every entity but the person."""
    names = names_of(shelf)
    found: dict[str, _Entity] = {}
    for head in shelf.heads():
        row, slot = shelf.rows[head], shelf.slot_of(head)
        standing = shelf.state(slot).standings.get(head)
        if row.kind == "preference" or standing is None or not standing.periods:
            continue
        target = shelf.canonical(row.object)
        for key in dict.fromkeys((slot[0], "" if row.slot.startswith("likes ") else target)):
            if key and key != SELF:
                entity = found.setdefault(key, _Entity(key, names.get(key, key)))
                entity.statements.append(str(row.content.get("statement", "")))
        if slot[0] in found:
            found[slot[0]].values[row.slot][target] = standing
        if target in found and not row.slot.startswith("likes "):
            found[target].answers[slot] = standing
            kind = str(row.content.get("kind", "thing"))
            found[target].kind = kind if found[target].kind == "thing" else found[target].kind
    return found


def _share(a: _Entity, b: _Entity) -> bool:
    """Whether they answer the same question about the same person, or the same is believed of both."""
    both = a.values.keys() & b.values.keys()
    return bool(a.answers.keys() & b.answers.keys()) or any(a.values[s].keys() & b.values[s].keys() for s in both)


def _differ(one: dict[str, Standing], other: dict[str, Standing]) -> bool:
    """Whether two answers, not the same, were true at one time."""
    return any(x != y and _overlap(a.periods, b.periods) for x, a in one.items() for y, b in other.items())


def _overlap(one: Iterable[Period], other: Sequence[Period]) -> bool:
    return any(
        (a.start is None or b.end is None or a.start < b.end) and (b.start is None or a.end is None or b.start < a.end)
        for a in one
        for b in other
    )
