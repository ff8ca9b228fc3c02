"""What a claim means for what is believed beside it.

What enters: a claim, and the beliefs that stand before its turn. What leaves: the claims that come with it: the slip
that a correction denies, what a new value may have replaced, the habit that has another day now, the tastes that a
wider one overrules; and what a belief leans on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from memoria.extract.known import Beliefs, Known, soon
from memoria.extract.ontology import key_of
from memoria.extract.proposals import SELF, Proposal
from memoria.store.belief_shelf import ALIAS
from memoria.store.beliefs import Claim

MOST_ENDED = 4
_ALIKE = 0.6  # of two spellings of one name: Karla and Carla share .8, Anna and Owen none
_DAY = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b", re.IGNORECASE)


def subject_key(mention: str) -> str:
    """The entity key of a subject as it was mentioned."""
    return SELF if mention == SELF else key_of(mention)


def leans(proposal: Proposal, own: Sequence[str], base: Claim, beliefs: Beliefs) -> tuple[tuple[str, str], ...]:
    """The slots that a proposal leans on: those it names, and those of beliefs that its reason names."""
    found = [(base.subject if each in own else SELF, each) for each in proposal.leans]
    found += [(subject_key(subject), name) for subject, name in proposal.causes]
    if proposal.because:
        found += [(known.subject, known.slot) for known in beliefs.named_in(proposal.because)]
    mine = (base.subject, base.slot)
    return tuple(dict.fromkeys(pair for pair in found if pair != mine))


def whole(base: Claim, slot: str, act: Any) -> Claim:
    """The same evidence speaking of a slot as a whole."""
    return replace(
        base,
        kind="fact",
        slot=slot,
        object="",
        single=True,
        act=act,
        content={"subject": "", "statement": ""},
        leans=(),
    )


def again(claim: Claim, known: Known) -> Claim:
    """The same act on what is known."""
    return replace(
        claim,
        kind=known.kind,
        subject=known.subject,
        slot=known.slot,
        object=known.object,
        single=known.single,
        content=known.content,
        leans=(),
    )


def corrected(claim: Claim, beliefs: Beliefs, *, alike: bool) -> list[Claim]:
    """The denial of what was said before in the same slot: it was a slip, not a thing of the past.

    With `alike` (several values may stand in the slot) only of one that is spelt much the same.
    """
    denial = replace(claim, act="deny", leans=(), resolved=True, follows=claim.name)
    same = [known for known in beliefs.in_slot(claim.subject, claim.slot) if known.object != claim.object]
    near = [known for known in same if (_spelt_alike(known.object, claim.object) if alike else soon(known, claim.said))]
    return [replace(denial, object=known.object, content=known.content) for known in near[:1]]


def replaced(claim: Claim, beliefs: Beliefs, *, known: bool, slip: bool) -> list[Claim]:
    """Doubt of what the claim seems to take the place of: other values of a slot for several that "became" so or were
    a `slip`, and slots that go by part of its name ("favourite ice cream", "favourite ice cream flavour")."""
    words = set(key_of(claim.slot).split())
    others: list[Known] = []
    if not claim.single and (claim.act == "change" or slip):
        others += beliefs.in_slot(claim.subject, claim.slot)
        others += [k for each in others for k in beliefs.in_slot(claim.subject, f"likes {each.object}")]
    if not known and len(words) > 1:
        others += beliefs.in_part(claim.subject, claim.slot)
    doubted = [k for k in others if k.object != claim.object and k.said < claim.said]
    return [replace(again(claim, k), act="doubt", resolved=True, follows=claim.name) for k in doubted[:MOST_ENDED]]


def _spelt_alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other).ratio() >= _ALIKE


def habits_over(claim: Claim, beliefs: Beliefs) -> list[Claim]:
    """The ends of habits that told another day for what now has one: "has a salsa class on Mondays"."""
    what = set(key_of(claim.slot).split())
    if not _DAY.search(str(claim.content["object"])) or claim.slot in ("routine", ALIAS):
        return []
    end = replace(claim, act="end", single=False, leans=(), resolved=True, follows=claim.name)
    return [
        replace(end, slot=known.slot, object=known.object, content=known.content)
        for known in beliefs.about(claim.subject, claim.slot)
        if known.slot == "routine" and what <= known.words and _DAY.search(str(known.content["object"]))
    ]


def overruled(claim: Claim, topic: str, beliefs: Beliefs) -> list[Claim]:
    """The ends of opposite tastes for what falls under `topic`: who cannot stand coffee loves no black coffee."""
    end = replace(claim, act="end", leans=(), resolved=True, follows=claim.name)
    return [
        replace(end, slot=known.slot, object=known.object, content=known.content)
        for known in beliefs.about(claim.subject, topic)
        if known.slot.startswith("likes ") and known.slot != claim.slot and known.object != claim.object
    ][:MOST_ENDED]


def near(one: str, other: str) -> bool:
    a, b = set(one.split()), set(other.split())
    return bool(a) and bool(b) and (a <= b or b <= a)
