"""From proposals to claims: what a proposal means beside what is believed already.

What enters: an episode's proposals, and the beliefs that it may end or correct. What leaves: claims for the ledger. The
ontology says what follows (a wife is a partner), what is ended ("I quit my job" ends employer and occupation), and what
leans on what. Nothing is overwritten: an ending, a denial, a correction is one more piece of evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from memoria.clock import to_micros
from memoria.extract.known import SOON, Beliefs, Known
from memoria.extract.ontology import Ontology, key_of
from memoria.extract.proposals import SELF, Proposal
from memoria.records import Episode
from memoria.store.belief_shelf import ALIAS
from memoria.store.beliefs import Claim

LIKES, DISLIKES = "+", "-"
_LASTING = frozenset(("visited", "bought", "name", "birthday", "origin", "married on"))  # what cannot end
_MOST_ENDED = 4


class Judge:
    """Makes claims of proposals by one ontology."""

    def __init__(self, ontology: Ontology, source: str) -> None:
        self._ontology, self._source = ontology, source

    def claims(
        self, proposals: Iterable[Proposal], episode: Episode, row: int, session: int, beliefs: Beliefs
    ) -> list[Claim]:
        """The claims of one episode (ledger row `row`, session `session`), in order."""
        found: list[Claim] = []
        for proposal in proposals:
            base = self._base(proposal, episode, row)
            if proposal.kind == "alias":
                made = [self._alias(proposal, base)]
            elif proposal.kind == "preference":
                made = self._preference(proposal, base, beliefs)
            elif proposal.kind == "ending":
                made = self._ending(proposal, base, beliefs, session)
            else:
                made = self._fact(proposal, base, beliefs, session)
            for claim in made:
                beliefs.note(claim, session)
            found += made
        return found

    def _base(self, proposal: Proposal, episode: Episode, row: int) -> Claim:
        return Claim(
            kind="fact",
            subject=subject_key(proposal.subject),
            slot=proposal.predicate,
            object=key_of(proposal.object) if proposal.object else "",
            single=True,
            act=proposal.act,
            said=to_micros(episode.occurred_at),
            source=self._source,
            episode=row,
            begin=proposal.begin,
            stop=proposal.stop,
            valid_from=proposal.since,
            valid_to=proposal.until,
        )

    def _alias(self, proposal: Proposal, base: Claim) -> Claim:
        single = self._ontology.predicate(proposal.predicate).single
        content = {"subject": proposal.subject, "object": proposal.object, "statement": "", "predicate": ALIAS}
        return replace(base, kind=ALIAS, slot=ALIAS, single=single, content=content)

    # -- facts ---------------------------------------------------------------------------------------------------

    def _fact(self, proposal: Proposal, base: Claim, beliefs: Beliefs, session: int) -> list[Claim]:
        name = proposal.predicate
        predicate = self._ontology.predicate(name)
        leans = tuple((base.subject if each in predicate.leans_on else SELF, each) for each in proposal.leans)
        claim = replace(
            base,
            single=predicate.single,
            leans=leans,
            content=self._content(proposal.subject, name, proposal.object, proposal.object_kind),
        )
        if proposal.act in ("end", "deny"):
            return self._takes_back(claim, beliefs)
        made: list[Claim] = []
        if proposal.context == "correction" and predicate.single:
            made += _corrected(claim, beliefs, session)
        made.append(claim)
        made += [replace(claim, slot=each, **self._again(proposal, each)) for each in predicate.implies]
        if predicate.inverse is not None and proposal.object_kind == "person" and proposal.subject == SELF:
            content = self._content(proposal.object, predicate.inverse, SELF, "person")
            single = self._ontology.predicate(predicate.inverse).single
            made.append(
                replace(
                    claim,
                    subject=claim.object,
                    slot=predicate.inverse,
                    object=SELF,
                    single=single,
                    content=content,
                    leans=(),
                )
            )
        return made + [_whole(claim, slot, "end") for slot in predicate.ends]

    def _takes_back(self, claim: Claim, beliefs: Beliefs) -> list[Claim]:
        """An end or a denial of the value in the slot that is meant; of the value said where none comes near."""
        same = beliefs.in_slot(claim.subject, claim.slot)
        near = [known for known in same if _near(claim.object, known.object)]
        made = [replace(claim, object=known.object, content=known.content) for known in near[:_MOST_ENDED]] or [claim]
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

    # -- preferences ---------------------------------------------------------------------------------------------

    def _preference(self, proposal: Proposal, base: Claim, beliefs: Beliefs) -> list[Claim]:
        kind = "preference" if base.subject == SELF else "fact"
        if proposal.predicate:
            content = self._taste(proposal, f"{proposal.subject}'s {proposal.predicate} is {proposal.object}")
            content |= {"predicate": proposal.predicate, "topic": proposal.predicate, "object": proposal.object}
            return [replace(base, kind=kind, content=content)]
        verb = "likes" if proposal.polarity > 0 else "does not like"
        content = self._taste(proposal, f"{proposal.subject} {verb} {proposal.object}")
        content |= {"predicate": verb, "topic": proposal.object, "object": proposal.object}
        way = LIKES if proposal.polarity > 0 else DISLIKES
        claim = replace(base, kind=kind, slot=f"likes {base.object}", object=way, content=content)
        return [*_overruled(claim, base.object, beliefs), claim]

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

    def _ending(self, proposal: Proposal, base: Claim, beliefs: Beliefs, session: int) -> list[Claim]:
        if not proposal.object and not proposal.instead:
            return [_whole(base, proposal.predicate, proposal.act)]
        meant = self._meant(proposal, base, beliefs, session)
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
        slot = self._slot_word(proposal.object)
        return [_whole(base, slot, "end")] if slot else []

    def _meant(self, proposal: Proposal, base: Claim, beliefs: Beliefs, session: int) -> list[Known]:
        """The beliefs that an ending speaks of."""
        if not proposal.object:
            latest = beliefs.latest(base.subject, session, base.said)
            return [latest] if latest else []
        own = beliefs.about(base.subject, proposal.object) or (
            beliefs.about(None, proposal.object) if proposal.act == "deny" else []
        )
        return [known for known in own if proposal.act == "deny" or known.slot not in _LASTING][:_MOST_ENDED]

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


def subject_key(mention: str) -> str:
    """The entity key of a subject as it was mentioned."""
    return SELF if mention == SELF else key_of(mention)


def _whole(base: Claim, slot: str, act: Any) -> Claim:
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


def _corrected(claim: Claim, beliefs: Beliefs, session: int) -> list[Claim]:
    """The denial of what was said just before in the same slot: it was a slip, not a thing of the past."""
    same = [known for known in beliefs.in_slot(claim.subject, claim.slot) if known.object != claim.object][:1]
    return [
        replace(claim, act="deny", object=known.object, content=known.content, leans=())
        for known in same
        if known.session == session or claim.said - known.said <= SOON
    ]


def _overruled(claim: Claim, topic: str, beliefs: Beliefs) -> list[Claim]:
    """The ends of opposite tastes for what falls under `topic`: who cannot stand coffee loves no black coffee."""
    return [
        replace(claim, act="end", slot=known.slot, object=known.object, content=known.content)
        for known in beliefs.about(claim.subject, topic)
        if known.slot.startswith("likes ") and known.slot != claim.slot and known.object != claim.object
    ][:_MOST_ENDED]


def _near(one: str, other: str) -> bool:
    a, b = set(one.split()), set(other.split())
    return bool(a) and bool(b) and (a <= b or b <= a)
