"""From lines to a profile within its bound of tokens.

What enters: verified lines. What leaves: the order in which they are kept, which of them are shown, and the text. The
strongest line of every section comes before the second of any, so that no section crowds out another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from memoria.reflect.records import TITLES, ProfileLine, ProfileSection
from memoria.remember.trust import CLOSING, OPENING
from memoria.store.text import count_tokens

FRAME = f"{OPENING}\n{{body}}\n{CLOSING}"


def ranked(lines: Iterable[ProfileLine], budget: int) -> list[tuple[ProfileLine, bool]]:
    """The lines by section, the strongest first, each with whether it is shown within `budget` tokens."""
    sections: dict[str, list[ProfileLine]] = defaultdict(list)
    for line in sorted(lines, key=lambda each: (-each.strength, each.text)):
        sections[line.section].append(line)
    shown: set[tuple[str, str, str]] = set()
    spent = count_tokens(OPENING) + count_tokens(CLOSING) + 2
    for rank in range(max(map(len, sections.values()), default=0)):
        for name, title in TITLES.items():
            if rank >= len(sections[name]):
                continue
            line = sections[name][rank]
            heading = 0 if any(each[0] == name for each in shown) else count_tokens(title) + 1
            cost = heading + count_tokens(_written(line)) + 1
            if spent + cost <= budget:
                spent += cost
                shown.add(line.says)
    return [(line, line.says in shown) for name in TITLES for line in sections[name]]


def rendered(sections: Sequence[ProfileSection]) -> str:
    """The text for a prompt, between the marks by which memoria knows it again; "" for no lines."""
    if not sections:
        return ""
    body = "\n".join("\n".join([each.title, *map(_written, each.lines)]) for each in sections)
    return FRAME.format(body=body)


def as_sections(lines: Iterable[ProfileLine]) -> tuple[ProfileSection, ...]:
    """Lines in the order of the sections, those without any left out."""
    by_name: dict[str, list[ProfileLine]] = defaultdict(list)
    for line in lines:
        by_name[line.section].append(line)
    return tuple(ProfileSection(name=name, lines=tuple(by_name[name])) for name in TITLES if by_name[name])


def _written(line: ProfileLine) -> str:
    return f"- {line.text}"
