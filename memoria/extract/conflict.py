"""From proposals to claims: what a proposal means beside what is believed already.

What enters: an episode's proposals, and the beliefs that it may end or correct. What leaves: claims for the ledger. The
ontology says what follows (a wife is a partner), what is ended ("I quit my job" ends employer and occupation), and what
leans on what. Nothing is overwritten: an ending, a denial, a correction is one more piece of evidence. What depends on
the beliefs is marked as `resolved`, and judged anew when some of them go (`rejudge.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from memoria.extract.consequences import (
    MOST_ENDED,
    again,
    corrected,
    habits_over,
    leans,
    near,
    overruled,
    replaced,
    subject_key,
    whole,
)
from memoria.extract.doubt import doubts
from memoria.extract.known import Beliefs, Known
from memoria.extract.ontology import Ontology, key_of
from memoria.extract.proposals import SELF, Proposal
from memoria.store.belief_shelf import ALIAS
from memoria.store.beliefs import Claim, Name

LIKES, DISLIKES = "+", "-"
_LASTING = frozenset(("visited", "bought", "name", "birthday", "origin", "married on"))  # what cannot end


class Judge:
    """Makes claims of proposals by one ontology."""

    def __init__(self, ontology: Ontology, source: str) -> None:
        self._ontology, self._source = ontology, source

    def claims(self, proposals: Iterable[Proposal], row: int, said: int, beliefs: Beliefs) -> list[Claim]:
        """The claims of one episode (ledger row `row`, said at `said`, microseconds), in order."""
        beliefs.until(row)
        found: list[Claim] = []
        for proposal in proposals:
            base = self._base(proposal, row, said)
            if proposal.kind == "alias":
                made = [self._alias(proposal, base)]
            elif proposal.kind == "preference":
                made = self._preference(proposal, base, beliefs)
            elif proposal.kind == "news":
                made = self._news(proposal, base, beliefs)
            elif proposal.kind == "doubt":
                made = doubts(proposal, base, beliefs, self._ontology, found)
            elif proposal.kind == "ending":
                made = self._ending(proposal, base, beliefs)
            else:
                made = self._fact(proposal, base, beliefs)
            found += beliefs.note(made)
        return _once([_tied(each, found) if each.kind == ALIAS else each for each in found])

    def _base(self, proposal: Proposal, row: int, said: int) -> Claim:
        return Claim(
            kind="fact",
            subject=subject_key(proposal.subject),
            slot=proposal.predicate,
            object=key_of(proposal.object) if proposal.object else "",
            single=True,
            act=proposal.act,
            said=said,
            source=self._source,
            episode=row,
            begin=proposal.begin,
            stop=proposal.stop,
            valid_from=proposal.since,
            valid_to=proposal.until,
            resolved=bool(proposal.because),
        )

    def _alias(self, proposal: Proposal, base: Claim) -> Claim:
        single = self._ontology.predicate(proposal.predicate).single
        content = {"subject": proposal.subject, "object": proposal.object, "statement": "", "predicate": ALIAS}
        return replace(base, kind=ALIAS, slot=ALIAS, single=single, content=content)

    # -- facts ---------------------------------------------------------------------------------------------------

    def _fact(self, proposal: Proposal, base: Claim, beliefs: Beliefs) -> list[Claim]:
        name = proposal.predicate
        predicate = self._ontology.predicate(name)
        leaning = leans(proposal, predicate.leans_on, base, beliefs)
        content = self._content(proposal.subject, name, proposal.object, proposal.object_kind)
        if proposal.statement is not None:
            content["statement"] = proposal.statement
        claim = replace(base, single=predicate.single and not proposal.many, leans=leaning, content=content)
        if proposal.act in ("end", "deny"):
            return self._takes_back(claim, beliefs)
        made = habits_over(claim, beliefs)
        if proposal.context == "correction":
            made += corrected(claim, beliefs, alike=not predicate.single)
        slip = proposal.context == "correction"
        made += replaced(claim, beliefs, known=name in self._ontology.predicates, slip=slip)
        made.append(claim)
        follower = replace(claim, follows=claim.name)
        made += [replace(follower, slot=each, **self._again(proposal, each)) for each in predicate.implies]
        if predicate.inverse is not None and proposal.object_kind == "person" and proposal.subject == SELF:
            content = self._content(proposal.object, predicate.inverse, SELF, "person")
            single = self._ontology.predicate(predicate.inverse).single
            made.append(
                replace(
                    follower,
                    subject=claim.object,
                    slot=predicate.inverse,
                    object=SELF,
                    single=single,
                    content=content,
                    leans=(),
                )
            )
        return made + [whole(follower, slot, "end") for slot in predicate.ends]

    def _takes_back(self, claim: Claim, beliefs: Beliefs) -> list[Claim]:
        """An end or a denial of the value in the slot that is meant; of the value said where none comes near."""
        claim = replace(claim, resolved=True)
        same = beliefs.in_slot(claim.subject, claim.slot)
        close = [known for known in same if near(claim.object, known.object)]
        if not close and claim.act == "end":  # said in other words than it was told in
            spoken_of = [k for k in beliefs.about(claim.subject, claim.content["object"]) if k.slot not in _LASTING]
            if spoken_of:
                return [again(claim, known) for known in spoken_of[:MOST_ENDED]]
        made = [replace(claim, object=known.object, content=known.content) for known in close[:MOST_ENDED]] or [claim]
        implied = self._ontology.predicate(claim.slot).implies
        return made + [
            replace(each, slot=slot, content={**each.content, "predicate": slot}) for each in made for slot in implied
        ]

    def _again(self, proposal: Proposal, predicate: str) -> dict[str, Any]:
        content = self._content(proposal.subject, predicate, proposal.object, proposal.object_kind)
        return {"content": content, "single": self._ontology.predicate(predicate).single}

    def _content(self, subject: str, predicate: str, value: str, kind: str | None) -> dict[str, Any]:
        return {
            "subject": subject,
            "predicate": predicate,
            "object": value,
            "kind": kind or self._ontology.predicate(predicate).kind,
            "statement": self._ontology.statement(subject, predicate, value),
        }

    def _news(self, proposal: Proposal, base: Claim, beliefs: Beliefs) -> list[Claim]:
        """A new value of something of the person's that the news names by part of its name; nothing of the unknown."""
        known = beliefs.named_like(base.subject, proposal.predicate)
        if known is None:
            return []
        named = replace(proposal, kind="fact", predicate=known.slot)
        return self._fact(named, replace(base, slot=known.slot, resolved=True), beliefs)

    # -- preferences ---------------------------------------------------------------------------------------------

    def _preference(self, proposal: Proposal, base: Claim, beliefs: Beliefs) -> list[Claim]:
        kind = "preference" if base.subject == SELF else "fact"
        if proposal.predicate:
            content = self._taste(proposal, f"{proposal.subject}'s {proposal.predicate} is {proposal.object}")
            content |= {"predicate": proposal.predicate, "topic": proposal.predicate, "object": proposal.object}
            claim = replace(base, kind=kind, content=content, leans=leans(proposal, (), base, beliefs))
            return [*replaced(claim, beliefs, known=False, slip=False), claim]
        verb = "likes" if proposal.polarity > 0 else "does not like"
        content = self._taste(proposal, f"{proposal.subject} {verb} {proposal.object}")
        content |= {"predicate": verb, "topic": proposal.object, "object": proposal.object}
        way = LIKES if proposal.polarity > 0 else DISLIKES
        leaning = leans(proposal, (), base, beliefs)
        claim = replace(base, kind=kind, slot=f"likes {base.object}", object=way, content=content, leans=leaning)
        return [*overruled(claim, proposal.object, beliefs), claim]

    def _taste(self, proposal: Proposal, statement: str) -> dict[str, Any]:
        return {
            "subject": proposal.subject,
            "kind": "topic",
            "polarity": proposal.polarity,
            "strength": proposal.strength,
            "context": proposal.context if proposal.context != "correction" else None,
            "explicit": proposal.explicit,
            "statement": proposal.statement or statement,
        }

    # -- endings -------------------------------------------------------------------------------------------------

    def _ending(self, proposal: Proposal, base: Claim, beliefs: Beliefs) -> list[Claim]:
        if not proposal.object and not proposal.instead:
            return [whole(base, proposal.predicate, proposal.act)]
        base = replace(base, resolved=True)
        meant = self._meant(proposal, base, beliefs)
        made = [
            replace(
                base, kind=k.kind, subject=k.subject, slot=k.slot, object=k.object, single=k.single, content=k.content
            )
            for k in meant
        ]
        if proposal.instead:
            return made + self._instead(proposal, base, meant)
        if made:
            return made
        named = any(word[0].isupper() for word in proposal.object.split())  # "the place on Vine Street" is that one
        slot = None if named else self._slot_word(proposal.object)
        return [whole(base, slot, "end")] if slot else []

    def _meant(self, proposal: Proposal, base: Claim, beliefs: Beliefs) -> list[Known]:
        """The beliefs that an ending speaks of."""
        if not proposal.object:
            latest = beliefs.latest(base.subject, base.said)
            return [latest] if latest else []
        own = beliefs.about(base.subject, proposal.object) or (
            beliefs.about(None, proposal.object) if proposal.act == "deny" else []
        )
        return [known for known in own if proposal.act == "deny" or known.slot not in _LASTING][:MOST_ENDED]

    def _instead(self, proposal: Proposal, base: Claim, meant: Sequence[Known]) -> list[Claim]:
        value = proposal.instead or ""
        act = "affirm" if proposal.act == "deny" else "change"
        claim = replace(base, act=act, object=key_of(value))
        if not meant:
            name = self._slot_word(proposal.object) or ("uses" if proposal.object and proposal.act != "deny" else "")
            predicate = self._ontology.predicate(name)
            content = self._content(proposal.subject, name, value, None)
            return [replace(claim, slot=name, single=predicate.single, content=content)] if name else []
        made: list[Claim] = []
        for known in meant[:1]:
            if known.kind == "preference" and known.slot.startswith("likes "):
                content = known.content | {"topic": value, "object": value}
                content["statement"] = f"{known.content['subject']} {known.content['predicate']} {value}"
                made.append(
                    replace(claim, kind=known.kind, slot=f"likes {claim.object}", object=known.object, content=content)
                )
                continue
            content = known.content | {"object": value}
            content["statement"] = self._ontology.statement(known.content["subject"], known.content["predicate"], value)
            made.append(
                replace(
                    claim, kind=known.kind, subject=known.subject, slot=known.slot, single=known.single, content=content
                )
            )
        return made

    def _slot_word(self, what: str) -> str | None:
        """The predicate that the last word of `what` speaks of: "my car" is what one drives."""
        words = what.casefold().split()
        for size in (2, 1):
            noun = " ".join(words[-size:])
            name = self._ontology.attributes.get(noun) or self._ontology.place_words().get(noun)
            if name:
                return name
        return None


def _once(claims: Iterable[Claim]) -> list[Claim]:
    """Of claims that say the same the one that says it outright."""
    kept: dict[Name, Claim] = {}
    for claim in claims:
        held = kept.get(claim.name)
        if held is None or (claim.resolved, claim.follows is not None) < (held.resolved, held.follows is not None):
            kept[claim.name] = claim
    return list(kept.values())


def _tied(alias: Claim, claims: Sequence[Claim]) -> Claim:
    """An alias falls with the relation that its words state: "my sister's name is Carla"."""
    stated = (c for c in claims if c.kind == "fact" and c.object == alias.object and c.begin == alias.begin)
    main = next((claim for claim in stated if claim.act in ("affirm", "change") and claim.follows is None), None)
    return replace(alias, follows=main.name) if main else alias
