"""Between a profile's records and the ledger's rows.

What enters: lines with public ids, or a version as the ledger keeps it. What leaves: the other. A line that cites
something which is gone is not kept, and is never read back: the ledger removes it with what it cites.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from sqlalchemy import Connection

from memoria.clock import from_micros
from memoria.records import Scope
from memoria.reflect.assemble import as_sections, rendered
from memoria.reflect.records import Profile, ProfileLine
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.episodes import keys_of_rows, numbers_of
from memoria.store.profiles import LineRow, ProfileRow, belief_keys, read_lines
from memoria.store.text import count_tokens

_SUPPORT = "support"  # kept with a line's detail


def to_rows(
    connection: Connection, shelf: BeliefShelf, scope_id: int, lines: Iterable[tuple[ProfileLine, bool]]
) -> list[LineRow]:
    """Lines, each with whether it is shown, as the ledger keeps them."""
    ordered = list(lines)
    episodes = numbers_of(connection, scope_id, [each for line, _ in ordered for each in line.episode_ids])
    beliefs = {row.key.hex(): number for number, row in shelf.rows.items()}
    return [
        LineRow(
            section=line.section,
            kind=line.kind,
            text=line.text,
            detail={**line.detail, _SUPPORT: line.support},
            beliefs=tuple(beliefs[each] for each in line.belief_ids),
            episodes=tuple(episodes[each] for each in line.episode_ids),
            strength=line.strength,
            shown=shown,
        )
        for line, shown in ordered
        if all(each in beliefs for each in line.belief_ids) and all(each in episodes for each in line.episode_ids)
    ]


def to_profile(
    connection: Connection,
    scope: Scope,
    scope_id: int,
    kept: ProfileRow,
    *,
    stale: bool,
    holds: Callable[[LineRow], bool] = lambda _: True,
) -> Profile:
    """A version as a record, with its lines and their public ids; those that do not `hold` are outdated."""
    rows = read_lines(connection, kept.id)
    beliefs = belief_keys(connection, scope_id, rows)
    episodes = keys_of_rows(connection, scope_id, sorted({each for row in rows for each in row.episodes}))
    held = [(_line(row, beliefs, episodes), row.shown, holds(row)) for row in rows]
    lines = [(line, shown) for line, shown, holding in held if holding]
    sections = as_sections(line for line, shown in lines if shown)
    text = rendered(sections)
    return Profile(
        tenant=scope.tenant,
        user=scope.user,
        version=kept.version,
        made_at=from_micros(kept.made_at),
        sections=sections,
        left_out=tuple(line for line, shown in lines if not shown),
        outdated=tuple(line for line, _, holding in held if not holding),
        tokens=count_tokens(text),
        stale=stale,
        model=kept.model,
        text=text,
    )


def _line(row: LineRow, beliefs: dict[int, str], episodes: dict[int, str]) -> ProfileLine:
    detail: dict[str, Any] = dict(row.detail)
    support = int(detail.pop(_SUPPORT, 1))
    return ProfileLine(
        section=cast(Any, row.section),
        kind=cast(Any, row.kind),
        text=row.text,
        belief_ids=tuple(beliefs[each] for each in row.beliefs),
        episode_ids=tuple(episodes[each] for each in row.episodes),
        support=support,
        strength=row.strength,
        detail=detail,
    )
