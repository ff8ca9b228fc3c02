"""What of a person's memory can be learnt from.

What enters: an open memory, whose, and what was learnt from the last time. What leaves: `Sources`, a `Selection`; and
whether any of them was forgotten since.
"""

from __future__ import annotations

from memoria import Memory, UnknownUser
from memoria.clock import to_micros
from memoria_graphs.person import Person
from memoria_graphs.training import Counts, Least, Selection, Sources


def sources_of(memory: Memory, person: Person, *, facts: bool) -> Sources:
    """What the person's data set is made of now. Raises `UnknownUser`, and `InvalidInput` without consent."""
    at = to_micros(memory.now)
    manifest = memory.dataset(user=person.user, tenant=person.tenant, facts=facts).manifest
    return Sources(
        tenant=person.tenant,
        user=person.user,
        beliefs=tuple(each.id for each in manifest.sources if each.kind == "belief"),
        turns=tuple(each.id for each in manifest.sources if each.kind == "episode"),
        counts=manifest.counts,
        at=at,
    )


def select(live: Sources, last: Sources | None, owed: str, least: Least) -> Selection:
    """Whether enough came or went since `last` (None: ever), or it is `owed` anyway."""
    before = last if last is not None else Sources(live.tenant, live.user)
    changed = Counts(
        beliefs=len(set(live.beliefs) ^ set(before.beliefs)),
        turns=len(set(live.turns) ^ set(before.turns)),
    )
    pairs = [(each, getattr(changed, each), max(1, getattr(least, each))) for each in ("beliefs", "turns")]
    told = " and ".join(f"{number} of {wanted} {name}" for name, number, wanted in pairs)
    much = any(number >= wanted for _, number, wanted in pairs)
    return Selection(
        tenant=live.tenant,
        user=live.user,
        live=Counts(len(live.beliefs), len(live.turns)),
        changed=changed,
        enough=much or bool(owed),
        why=owed if owed or much else f"changed since the last distillation: {told}; one of these would be enough",
    )


def forgotten(memory: Memory, sources: Sources) -> int:
    """How many of the sources are in the memory no more."""
    named = {*sources.beliefs, *sources.turns}
    try:
        beliefs = memory.beliefs(user=sources.user, tenant=sources.tenant, retired=True)
        episodes = memory.episodes(user=sources.user, tenant=sources.tenant)
    except UnknownUser:
        return len(named)
    return len(named - {each.id for each in (*beliefs, *episodes)})
