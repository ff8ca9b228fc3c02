"""What of a person's memory could be learnt from.

What enters: an open memory, whose, and what was learnt from the last time. What leaves: a `Selection`, or `Sources`;
and whether any of them was forgotten since.
"""

from __future__ import annotations

from memoria import Fact, Memory, Preference, UnknownBelief, UnknownUser
from memoria_graphs.person import Person
from memoria_graphs.training import Counts, Least, Selection, Sources


def select(memory: Memory, person: Person, last: Sources | None, least: Least) -> Selection:
    """Whether enough came or went since `last` (None: ever). Raises `UnknownUser`."""
    facts, preferences = _beliefs(memory, person)
    turns = _turns(memory, person)
    before = last if last is not None else Sources(person.tenant, person.user)
    changed = Counts(
        facts=len(set(facts) ^ set(before.facts)),
        preferences=len(set(preferences) ^ set(before.preferences)),
        turns=abs(turns - before.counts.turns),
    )
    pairs = [(each, getattr(changed, each), max(1, getattr(least, each))) for each in ("facts", "preferences", "turns")]
    enough = any(number >= wanted for _, number, wanted in pairs)
    told = ", ".join(f"{number} of {wanted} {name}" for name, number, wanted in pairs)
    return Selection(
        tenant=person.tenant,
        user=person.user,
        live=Counts(len(facts), len(preferences), turns),
        changed=changed,
        enough=enough,
        why="" if enough else f"changed since the last distillation: {told}; one of these would be enough",
    )


def sources_of(memory: Memory, person: Person) -> Sources:
    """The beliefs that hold, and the episodes that bear them out. Raises `UnknownUser`."""
    facts, preferences = _beliefs(memory, person)
    turns = _turns(memory, person)
    episodes: dict[str, None] = {}
    for each in (*facts, *preferences):
        episodes.update(dict.fromkeys(_evidence(memory, person, each)))
    return Sources(
        tenant=person.tenant,
        user=person.user,
        facts=tuple(facts),
        preferences=tuple(preferences),
        episodes=tuple(episodes),
        counts=Counts(len(facts), len(preferences), turns),
    )


def forgotten(memory: Memory, sources: Sources) -> int:
    """How many of the sources are in the memory no more."""
    named = {*sources.facts, *sources.preferences, *sources.episodes}
    try:
        beliefs = memory.beliefs(user=sources.user, tenant=sources.tenant, retired=True)
        episodes = memory.episodes(user=sources.user, tenant=sources.tenant)
    except UnknownUser:
        return len(named)
    return len(named - {each.id for each in (*beliefs, *episodes)})


def _beliefs(memory: Memory, person: Person) -> tuple[list[str], list[str]]:
    held = memory.beliefs(user=person.user, tenant=person.tenant)
    facts = [each.id for each in held if isinstance(each, Fact)]
    return facts, [each.id for each in held if isinstance(each, Preference)]


def _turns(memory: Memory, person: Person) -> int:
    return sum(each.turns for each in memory.sessions(user=person.user, tenant=person.tenant))


def _evidence(memory: Memory, person: Person, belief_id: str) -> list[str]:
    """The episodes that say so; none for a belief stated by hand, or forgotten since it was listed."""
    try:
        explained = memory.explain(belief_id, user=person.user, tenant=person.tenant)
    except UnknownBelief:
        return []
    said = (each for each in explained.evidence if each.retracted_at is None and each.act in ("affirm", "change"))
    return [each.episode_id for each in said if each.episode_id is not None]
