"""What a draft would change in a profile, and what a kept version did change.

What enters: a draft, or two versions. What leaves: plain values that a person can judge and a checkpoint can keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from memoria import Memory, UnknownProfile
from memoria.reflect.assemble import ranked
from memoria.reflect.records import Draft, Profile, ProfileLine, Reflection

Says = tuple[str, str, str]


class Line(TypedDict):
    """A line of the profile, with the ids of what it cites."""

    section: str
    text: str
    belief_ids: list[str]
    episode_ids: list[str]


class Change(TypedDict):
    """Lines that would be shown and are not, or the other way round. `share` is how many they are, for each line that
    the profile shows now (of an empty profile: how many)."""

    added: list[Line]
    removed: list[Line]
    share: float


def change_of(memory: Memory, draft: Draft) -> Change:
    """What committing `draft` would change in the profile as it is now."""
    kept = _version(memory, draft, None)
    now = {line.says: line for line in _shown(kept)} if kept is not None else {}
    budget = memory.settings.reflect.profile_tokens
    then = {line.says: line for line, shown in ranked(draft.lines, budget) if shown}
    added, removed = _lines(then, now), _lines(now, then)
    return Change(added=added, removed=removed, share=(len(added) + len(removed)) / max(1, len(now)))


def without(draft: Draft, texts: Iterable[str]) -> Draft:
    """The draft without the lines that say just this."""
    gone = set(texts)
    return draft.model_copy(update={"lines": tuple(line for line in draft.lines if line.text not in gone)})


def as_if_once(memory: Memory, draft: Draft, made: Reflection) -> Reflection:
    """What committing came to, although a process that was killed since may have committed the draft already."""
    before, after = draft.gathered.version, made.version
    if made.changed or after <= before:
        return made
    had, has = (_all(_version(memory, draft, each)) if each else {} for each in (before, after))
    if not set(has.values()) <= {line.says for line in draft.lines}:  # another reflection's, not this draft
        return made
    return made.model_copy(update={"changed": True, "added": len(has.keys() - had), "removed": len(had.keys() - has)})


def _version(memory: Memory, draft: Draft, version: int | None) -> Profile | None:
    try:
        return memory.profile(user=draft.gathered.user, tenant=draft.gathered.tenant, version=version)
    except UnknownProfile:
        return None


def _shown(profile: Profile) -> tuple[ProfileLine, ...]:
    """The lines as the version was kept: a line whose beliefs hold no more is in it until the next one."""
    return (*profile.lines, *profile.outdated)


def _all(profile: Profile | None) -> dict[object, Says]:
    """What the lines say, by what a commit tells them apart by: words, evidence, and whether they are shown."""
    if profile is None:
        return {}
    lines = [*((each, True) for each in _shown(profile)), *((each, False) for each in profile.left_out)]
    return {
        (line.says, frozenset(line.belief_ids), frozenset(line.episode_ids), shown): line.says for line, shown in lines
    }


def _lines(these: dict[Says, ProfileLine], those: dict[Says, ProfileLine]) -> list[Line]:
    return [
        Line(section=line.section, text=line.text, belief_ids=list(line.belief_ids), episode_ids=list(line.episode_ids))
        for says, line in these.items()
        if says not in those
    ]
