"""What an adapter was made of, memory by memory, and how two differ.

What enters: a person's adapter, and a view of the ledger. What leaves: each of its sources as it stands now: what it
says, or that it is gone. What another person's memory says is never told: of that only whether it is still there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from sqlalchemy import Connection, select

from memoria.distill.lineage import lost, to_sources
from memoria.distill.records import Adapter, Permit, Source
from memoria.records import Record, Scope
from memoria.store import adapters, schema
from memoria.store.adapters import AdapterRow, SourceRow
from memoria.store.belief_records import belief_of
from memoria.store.belief_shelf import BeliefShelf
from memoria.store.episodes import numbers_of, read_episodes
from memoria.store.ledger import Ledger


class Origin(Record):
    """A memory that an adapter was made of. `text` is what a belief states or a turn says; empty where it is gone or in
    somebody else's memory (not `own`). `state`: "live"; "outdated": believed then, and no more; "gone": forgotten, or
    it says something else by now."""

    kind: Literal["belief", "episode", "adapter"]
    id: str
    text: str = ""
    state: Literal["live", "outdated", "gone"] = "live"
    own: bool = True


class AdapterDetail(Record):
    """An adapter, all that it was made of, and whether it may serve now. `exports` counts copies given out."""

    adapter: Adapter
    permit: Permit
    origins: tuple[Origin, ...] = ()
    exports: int = 0


class Comparison(Record):
    """Two adapters of a kind: `figures` that either has, as (one's, other's), and the sources that only one has."""

    one: Adapter
    other: Adapter
    figures: dict[str, tuple[float | None, float | None]]
    only_one: tuple[Source, ...] = ()
    only_other: tuple[Source, ...] = ()


def origins_of(
    connection: Connection, ledger: Ledger, shelf: BeliefShelf, scope: Scope, row: AdapterRow, at: int
) -> tuple[Origin, ...]:
    """Each source of a person's adapter as it stands at `at` (microseconds); `shelf` is the person's."""
    rows = adapters.sources_of(connection, row.id)
    gone = {(each.kind, each.key) for each in lost(connection, ledger, rows)}
    numbers = {each.key.hex(): number for number, each in shelf.rows.items()}
    wanted = [each.key.hex() for each in rows if each.kind == "episode"]
    turns = numbers_of(connection, row.scope_id, wanted)
    episodes = {
        each.id: each.text for each in read_episodes(connection, scope, row.scope_id, [*turns.values()]).values()
    }
    others = _others(connection, rows, row.scope_id)
    found: list[Origin] = []
    for each, source in zip(rows, to_sources(rows), strict=True):
        origin = Origin(kind=source.kind, id=source.id, own=each.key not in others and each.kind != "adapter")
        if (each.kind, each.key) in gone:
            origin = origin.model_copy(update={"state": "gone"})
        elif each.kind == "episode":
            origin = origin.model_copy(update={"text": episodes.get(source.id, "")})
        elif source.id in numbers:
            belief = belief_of(shelf, numbers[source.id], scope, at)
            state = "live" if belief.status in ("current", "upcoming") else "outdated"
            origin = origin.model_copy(update={"text": belief.statement, "state": state})
        found.append(origin)
    return tuple(found)


def compared(one: Adapter, other: Adapter, sources: Sequence[Sequence[Source]]) -> Comparison:
    """How two adapters differ; `sources` are the one's and the other's."""
    mine, theirs = ({(each.kind, each.id, each.hash): each for each in some} for some in sources)
    left, right = _figures(one), _figures(other)
    return Comparison(
        one=one,
        other=other,
        figures={name: (left.get(name), right.get(name)) for name in sorted({*left, *right})},
        only_one=tuple(each for key, each in mine.items() if key not in theirs),
        only_other=tuple(each for key, each in theirs.items() if key not in mine),
    )


def _others(connection: Connection, rows: Sequence[SourceRow], scope_id: int) -> set[bytes]:
    """The keys of those sources that lie in somebody else's memory."""
    found: set[bytes] = set()
    keys = [each.key for each in rows if each.kind != "adapter"]
    for table in (schema.episode, schema.belief):
        for start in range(0, len(keys), 500):
            where = (table.c.key.in_(keys[start : start + 500]), table.c.scope_id != scope_id)
            found.update(connection.execute(select(table.c.key).where(*where)).scalars())
    return found


def _figures(adapter: Adapter) -> dict[str, float]:
    verdict = adapter.verdict.figures if adapter.verdict is not None else {}
    return _flat(adapter.figures) | dict(verdict)


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, float]:
    """Every number in nested figures, by its dotted name; lists (loss curves) are left out."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(cast(Mapping[str, Any], value), f"{before}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[before + name] = float(value)
    return found
