"""Profiles in the ledger: versions whose lines name what they rest on.

What enters: lines with the row ids of the beliefs and episodes they cite, in the caller's unit of work. What leaves:
the versions, read back with public ids. Versions share the lines that they have in common; a line goes, from all of
them, with anything that it cites.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from memoria.store import schema
from memoria.store.ledger import Ledger, take_numbers
from memoria.store.schema_reflect import profile, profile_cite, profile_entry, profile_line

_CHUNK = 500


@dataclass(frozen=True)
class LineRow:
    """A line: `beliefs` and `episodes` are row ids; `strength` (0 to 1) and `shown` are those it has in a version."""

    section: str
    kind: str
    text: str
    detail: dict[str, Any]
    beliefs: tuple[int, ...]
    episodes: tuple[int, ...]
    strength: float = 0.0
    shown: bool = True


@dataclass(frozen=True)
class ProfileRow:
    """A version; times are microseconds since 1970 UTC."""

    id: int
    version: int
    made_at: int
    basis: str
    good_until: int | None
    model: str | None
    lines: list[LineRow] = field(default_factory=list[LineRow])


def latest(connection: Connection, scope_id: int) -> ProfileRow | None:
    """The newest version without its lines; None when none was made, or all is forgotten."""
    query = select(profile).where(profile.c.scope_id == scope_id).order_by(profile.c.version.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else ProfileRow(row.id, row.version, row.made_at, row.basis, row.good_until, row.model)


def versions(connection: Connection, scope_id: int) -> list[ProfileRow]:
    """Every version without its lines, oldest first."""
    query = select(profile).where(profile.c.scope_id == scope_id).order_by(profile.c.version)
    return [
        ProfileRow(row.id, row.version, row.made_at, row.basis, row.good_until, row.model)
        for row in connection.execute(query)
    ]


def read_lines(connection: Connection, profile_id: int, *, citing: Sequence[int] | None = None) -> list[LineRow]:
    """A version's lines in order; with `citing`, only those that are shown, or cite one of these episodes (row ids)."""
    joined = select(profile_line, profile_entry.c.strength, profile_entry.c.shown).join(
        profile_entry, profile_entry.c.line_id == profile_line.c.id
    )
    mine = profile_entry.c.profile_id == profile_id
    if citing is not None:
        near = select(profile_cite.c.line_id).where(profile_cite.c.episode_id.in_(citing))
        mine &= (profile_entry.c.shown != 0) | profile_entry.c.line_id.in_(near)
    rows = connection.execute(joined.where(mine).order_by(profile_entry.c.position)).all()
    cites = select(profile_cite).join(profile_entry, profile_entry.c.line_id == profile_cite.c.line_id)
    beliefs: dict[int, list[int]] = defaultdict(list)
    episodes: dict[int, list[int]] = defaultdict(list)
    for cite in connection.execute(cites.where(mine).order_by(profile_cite.c.id)):
        if cite.belief_id is not None:
            beliefs[cite.line_id].append(cite.belief_id)
        if cite.episode_id is not None:
            episodes[cite.line_id].append(cite.episode_id)
    return [
        LineRow(
            section=row.section,
            kind=row.kind,
            text=row.text,
            detail=json.loads(row.detail),
            beliefs=tuple(beliefs[row.id]),
            episodes=tuple(episodes[row.id]),
            strength=row.strength,
            shown=bool(row.shown),
        )
        for row in rows
    ]


def add_version(connection: Connection, ledger: Ledger, scope_id: int, made: ProfileRow) -> None:
    """Keep a version with its lines, those that the person's profile already had being shared. `made.id` is ignored."""
    number = take_numbers(connection, 1)[0]
    row = {
        "id": number,
        "scope_id": scope_id,
        "version": made.version,
        "made_at": made.made_at,
        "basis": made.basis,
        "good_until": made.good_until,
        "model": made.model,
    }
    connection.execute(insert(profile).values(row))
    _enter(connection, ledger, scope_id, number, made.lines)


def follow(connection: Connection, ledger: Ledger, scope_id: int, made: ProfileRow) -> None:
    """Note that a version (`made.id`), saying what it says, also follows from a later state of the history, by which
    its lines rank anew."""
    values = {"basis": made.basis, "good_until": made.good_until}
    connection.execute(update(profile).where(profile.c.id == made.id).values(values))
    connection.execute(delete(profile_entry).where(profile_entry.c.profile_id == made.id))
    _enter(connection, ledger, scope_id, made.id, made.lines)


def cut_lines(
    connection: Connection, scope_id: int, *, beliefs: Iterable[int] = (), episodes: Iterable[int] = ()
) -> int:
    """Remove the lines, from every version, that cite any of these; how many there were."""
    gone: set[int] = set()
    for column, ids in ((profile_cite.c.belief_id, list(beliefs)), (profile_cite.c.episode_id, list(episodes))):
        for start in range(0, len(ids), _CHUNK):
            found = select(profile_cite.c.line_id).where(column.in_(ids[start : start + _CHUNK]))
            gone.update(connection.execute(found).scalars())
    mine = set(connection.execute(select(profile_line.c.id).where(profile_line.c.scope_id == scope_id)).scalars())
    return _remove(connection, sorted(gone & mine)) if gone else 0


def remove_profiles(connection: Connection, scope_id: int) -> None:
    """Remove every version and line of the person."""
    lines = select(profile_line.c.id).where(profile_line.c.scope_id == scope_id)
    _remove(connection, list(connection.execute(lines).scalars()))
    connection.execute(delete(profile).where(profile.c.scope_id == scope_id))


def belief_keys(connection: Connection, scope_id: int, lines: Iterable[LineRow]) -> dict[int, str]:
    """The public ids of the beliefs that the person's `lines` cite, by row id."""
    table, found = schema.belief, dict[int, str]()
    wanted = sorted({each for line in lines for each in line.beliefs})
    for start in range(0, len(wanted), _CHUNK):
        where = (table.c.scope_id == scope_id, table.c.id.in_(wanted[start : start + _CHUNK]))
        rows = connection.execute(select(table.c.id, table.c.key).where(*where))
        found.update((row.id, row.key.hex()) for row in rows)
    return found


def _enter(connection: Connection, ledger: Ledger, scope_id: int, profile_id: int, lines: Sequence[LineRow]) -> None:
    for position, line in enumerate(lines):
        entry = {"profile_id": profile_id, "line_id": _line_id(connection, ledger, scope_id, line)}
        more = {"position": position, "shown": line.shown, "strength": line.strength}
        connection.execute(insert(profile_entry).values(entry | more))


def _remove(connection: Connection, lines: Sequence[int]) -> int:
    for start in range(0, len(lines), _CHUNK):
        chunk = lines[start : start + _CHUNK]
        connection.execute(delete(profile_entry).where(profile_entry.c.line_id.in_(chunk)))
        connection.execute(delete(profile_cite).where(profile_cite.c.line_id.in_(chunk)))
        connection.execute(delete(profile_line).where(profile_line.c.id.in_(chunk)))
    return len(lines)


def _line_id(connection: Connection, ledger: Ledger, scope_id: int, line: LineRow) -> int:
    """The row id of a line, kept if it is new."""
    detail = json.dumps(line.detail, sort_keys=True, ensure_ascii=False)
    cited = json.dumps([sorted(line.beliefs), sorted(line.episodes)])
    key = ledger.keyed_hash(line.section, line.kind, line.text, detail, cited)
    same: tuple[ColumnElement[bool], ...] = (profile_line.c.scope_id == scope_id, profile_line.c.key == key)
    known = connection.execute(select(profile_line.c.id).where(*same)).scalar()
    if known is not None:
        return known
    number = take_numbers(connection, 1)[0]
    row = {"id": number, "scope_id": scope_id, "key": key, "section": line.section, "kind": line.kind}
    connection.execute(insert(profile_line).values(row | {"text": line.text, "detail": detail}))
    cites = [{"belief_id": each, "episode_id": None} for each in line.beliefs]
    cites += [{"belief_id": None, "episode_id": each} for each in line.episodes]
    numbers = take_numbers(connection, len(cites)) if cites else range(0)
    rows = [{"id": each, "line_id": number, **cite} for each, cite in zip(numbers, cites, strict=True)]
    if rows:
        connection.execute(insert(profile_cite), rows)
    return number


def count_turns(connection: Connection, scope_id: int) -> int:
    """How many episodes the person's memory holds."""
    table = schema.episode
    return connection.execute(select(func.count()).where(table.c.scope_id == scope_id)).scalar_one()
