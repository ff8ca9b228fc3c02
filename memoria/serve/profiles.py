"""Profiles as a terminal shows them.

What enters: a profile, a reflection, or what changed between two versions. What leaves: something `rich` draws.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from memoria.reflect.records import Profile, ProfileDiff, ProfileLine, Reflection


def show_profile(profile: Profile, quotes: Mapping[str, str] | None = None) -> RenderableType:
    """The profile by section; with `quotes` (turns' texts by their ids) each line with what bears it out."""
    made = f"version {profile.version}, {profile.made_at:%Y-%m-%d}, {profile.tokens} tokens"
    shown = quotes or {}
    parts: list[RenderableType] = [Text.assemble((f"{profile.user}: ", "bold"), (made, "dim"))]
    if profile.stale:
        parts.append(Text(f"Since then the history went on; bring it up to date with: {_again(profile)}", "yellow"))
    for section in profile.sections:
        parts.append(Text(section.title, "bold cyan"))
        for line in section.lines:
            bearing = [shown[each] for each in line.episode_ids[-2:] if each in shown]
            parts += [_line(line), *(Text(f"      “{each}”", "dim") for each in bearing)]
    if profile.left_out:
        parts.append(Text(f"{len(profile.left_out)} weaker lines are kept and not shown (--all shows them).", "dim"))
    return Group(*parts)


def show_diff(diff: ProfileDiff) -> RenderableType:
    """What a version says more, and less, than another."""
    if not diff.added and not diff.removed:
        return Text(f"Versions {diff.old} and {diff.new} say the same.")
    gone = [Text(f"- {line.text}", "red") for line in diff.removed]
    return Group(*gone, *(Text(f"+ {line.text}", "green") for line in diff.added))


def show_reflection(made: Reflection) -> RenderableType:
    """What a reflection came to."""
    if not made.changed:
        parts: list[RenderableType] = [Text(f"Nothing new: the profile stays at version {made.version}.")]
    else:
        parts = [Text(f"Version {made.version} of the profile: {made.added} lines came, {made.removed} went.")]
    parts += [Text(f"taken for one: {each.name} and {each.same_as}") for each in made.duplicates]
    parts += [Text(f"contradiction: {each.text}", "yellow") for each in made.contradictions]
    parts += [Text(f"rejected: {each.line.text} ({each.why})", "red") for each in made.rejected]
    if made.tokens_spent:
        parts.append(Text(f"the model took {made.tokens_spent} tokens", "dim"))
    return Group(*parts)


def _line(line: ProfileLine) -> Text:
    cited = ", ".join(each[:8] for each in (*line.belief_ids[:2], *line.episode_ids[-2:]))
    return Text.assemble(f"  {line.text}  ", (f"{line.strength:.2f}, {line.support}x: {cited}", "dim"))


def _again(profile: Profile) -> str:
    tenant = f" --tenant {profile.tenant}" if profile.tenant != "default" else ""
    return f"memoria reflect --user {profile.user}{tenant}"
