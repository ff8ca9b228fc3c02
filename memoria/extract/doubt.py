"""What a turn casts doubt on without saying plainly what is so instead.

What enters: a turn that corrects something, or a sentence that says that something is new ("I gave you the wrong email,
mine is ..."), and what is believed. What leaves: the span (a proposal), and then the beliefs of the same matter that
nothing in the turn speaks to outright: they hold, but need confirmation. A model or the person can settle it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from memoria.extract.changes import CORRECTING
from memoria.extract.consequences import again
from memoria.extract.known import Beliefs, Known
from memoria.extract.ontology import Ontology, key_of
from memoria.extract.proposals import Proposal
from memoria.store.beliefs import Claim

_NEWS = re.compile(
    r"\b(?:now(?!\s+(?:what|how|can|could|please|that))|nowadays|no longer|any ?more|any longer|instead|changed?|switch(?:ed)?|moved|swapped|replaced|new|these days|from now on|used to|quit|left|stopped|gave up|given up"
    r"|cancel(?:l)?ed|sold|back to|turned out|as of|from today|over to|dropped|traded|upgraded|transferred|renamed|since (?:last|this|the)|after all)\b",
    re.IGNORECASE,
)
_SLIP = re.compile(
    r"\b(?:oops|whoops|autocorrect|typo|mistyped|misremembered|mistaken|muddled|mixed up|slip|wrong(?:ly)?|correct(?:ion)?|incorrect|error|mistake|meant|misspoke|scratch that|not right|should (?:be|read|say|have (?:said|been))|i was off|got (?:it|that) backwards|can'?t (?:count|spell|type)|looked it up|turns out|the right (?:one|number|name|date|day|time|address|spelling)|really is|actually)\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:i|i'?m|i'?ve|i'?ll|my|me|mine|we|we'?re|we'?ve|our|ours|us)\b", re.IGNORECASE)
_MOST = 4
_WIDE = frozenset("user person thing one day time new name place today year week month".split())


def doubtful(turn: str, spans: Iterable[tuple[int, int]], speaker: str) -> list[Proposal]:
    """The sentences of a turn that may shake what is believed: all of one that corrects, else those with news."""
    correcting = bool(CORRECTING.search(turn) or _SLIP.search(turn))
    return [
        Proposal("doubt", speaker, "", turn[begin:stop], begin, stop, context="correction" if correcting else None)
        for begin, stop in spans
        if correcting or (_NEWS.search(turn[begin:stop]) and _OWN.search(turn[begin:stop]))
    ]


def doubts(proposal: Proposal, base: Claim, beliefs: Beliefs, ontology: Ontology, made: Iterable[Claim]) -> list[Claim]:
    """Doubt of the beliefs that the sentence is about and that no claim `made` of its turn speaks to."""
    words = frozenset(key_of(proposal.object).split())
    settled = {(claim.subject, claim.slot) for claim in made}
    found: list[Known] = []
    for known in beliefs.sharing(words, _nouns(ontology)):
        value = frozenset(known.object.split()) if not known.slot.startswith("likes ") else frozenset[str]()
        fresh = (known.subject, known.slot) not in settled and known.said < base.said
        if fresh and not (value and value <= words) and _of_the_matter(known, words, proposal, ontology):
            found.append(known)
    latest = sorted(found, key=lambda known: -known.said)[:_MOST]
    return [replace(again(base, known), act="doubt", resolved=True) for known in latest]


def _of_the_matter(known: Known, words: frozenset[str], proposal: Proposal, ontology: Ontology) -> bool:
    """Whether a sentence speaks of what a belief answers: its subject, and its slot by any noun for it, or part of its
    value."""
    mine = known.subject == proposal.subject
    named = frozenset(known.subject.replace(f"{proposal.subject} ", "").split()) - _WIDE
    if not mine and not (named and named & words):
        return False
    taste = known.slot.startswith("likes ")  # the rest of such a slot is a key already
    topic = frozenset((known.slot.removeprefix("likes ") if taste else key_of(known.slot)).split()) - _WIDE
    if topic and topic <= words:
        return True
    nouns = _nouns(ontology).get(known.slot, frozenset())
    if proposal.context is not None:
        nouns |= frozenset(key_of(cue) for cue in ontology.predicate(known.slot).asks if " " not in cue)
        if (known.slot.startswith("likes ") or known.slot not in ontology.predicates) and topic & words:
            return True
    if nouns & words and (known.single or proposal.context is not None):
        return True
    value = frozenset(known.object.split()) - _WIDE
    said = frozenset(known.words) - _WIDE
    if proposal.context is not None:
        return bool(value & words) or len(said & words) >= 2 or (not mine and (known.single or bool(said & words)))
    return known.slot == "routine" and len(value & words) >= 2


@lru_cache(maxsize=8)
def _nouns_of(pairs: tuple[tuple[str, str], ...]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for noun, predicate in pairs:
        key = key_of(noun)
        if " " not in key and key not in _WIDE:
            found.setdefault(predicate, set()).add(key)
    return {predicate: frozenset(nouns) for predicate, nouns in found.items()}


def _nouns(ontology: Ontology) -> dict[str, frozenset[str]]:
    """The words that speak of each predicate."""
    pairs = [*ontology.relations.items(), *ontology.attributes.items(), *ontology.place_words().items()]
    return _nouns_of(tuple(pairs))
