"""Adapters as records, and whether one may serve.

What enters: an adapter's row, and a view of the ledger. What leaves: an `Adapter`; a `Permit` that says why not, in a
sentence.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from memoria.clock import from_micros
from memoria.distill.lineage import lost_of
from memoria.distill.records import Adapter, Permit, Verdict
from memoria.errors import Withheld
from memoria.records import Scope
from memoria.store import adapters
from memoria.store.adapter_files import AdapterFiles
from memoria.store.adapters import ENDED, QUARANTINED, AdapterRow
from memoria.store.ledger import Ledger


def to_adapter(connection: Connection, scope: Scope, row: AdapterRow) -> Adapter:
    """The record of an adapter of `scope`."""
    parent = adapters.by_id(connection, [row.parent_id]).get(row.parent_id) if row.parent_id is not None else None
    counts = adapters.source_counts(connection, row.id)
    values: dict[str, Any] = {
        "id": row.name,
        "tenant": scope.tenant,
        "user": scope.user,
        "made_at": from_micros(row.made_at),
        "promoted_at": from_micros(row.promoted_at) if row.promoted_at is not None else None,
        "ended_at": from_micros(row.ended_at) if row.ended_at is not None else None,
        "parent": parent.name if parent is not None else None,
        "beliefs": counts.get("belief", 0),
        "episodes": counts.get("episode", 0),
        "verdict": verdict_of(row),
    }
    kept = ("kind", "version", "status", "base", "recipe", "digest", "folder", "files", "figures")
    return Adapter.model_validate(values | {name: getattr(row, name) for name in kept})


def verdict_of(row: AdapterRow) -> Verdict | None:
    """What the gate said of it; None where it was not asked."""
    return Verdict.model_validate_json(row.verdict) if row.verdict is not None else None


def permit_of(
    connection: Connection, ledger: Ledger, files: AdapterFiles, row: AdapterRow, base: str | None = None
) -> Permit:
    """May it serve now (with `base`: upon that model)?"""
    why = _standing(connection, row) or amiss(connection, ledger, files, row)
    if not why and base is not None and row.base != base:
        why = f"It was made for {row.base} and {base} is in use; distil again."
    return Permit(adapter=row.name, may=not why, why=why)


def amiss(connection: Connection, ledger: Ledger, files: AdapterFiles, row: AdapterRow) -> str:
    """Why it could not serve, whatever its status: what it was made of is gone, or its files are damaged."""
    if row.status == QUARANTINED:
        return "It is quarantined: something that it was made of was forgotten, or may not be distilled any more."
    gone = lost_of(connection, ledger, row)
    if gone:
        first = gone[0]
        named = f"{first.kind} {first.key.hex()}" if first.kind != "adapter" else "another adapter"
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        return f"It was made of {named}{more}, forgotten or changed since; distil again."
    if not row.files and row.status in ENDED:
        return "Its files were cleared away (of the newest that served or were rejected they stay); distil again."
    damage = files.damage(row.folder, row.files)
    return f"Its files are damaged: {damage}; roll back, or distil again." if damage else ""


def refuse(connection: Connection, ledger: Ledger, files: AdapterFiles, row: AdapterRow, *, judged: bool) -> None:
    """Raise `Withheld` unless it can serve; with `judged`, also unless the gate let it through."""
    why = amiss(connection, ledger, files, row)
    verdict = verdict_of(row)
    if not why and row.figures.get("recipe", {}).get("kind") == "prefix":
        why = "Nothing serves prefixes (they harm neutral text); distil a LoRA or a soft prompt."
    if not why and judged and (verdict is None or not verdict.passed):
        why = f"It was rejected: {verdict.why}" if verdict is not None else "No gate has judged it yet."
    if why:
        raise Withheld(f"{row.name} is not promoted, and what served goes on. {why}")


def _standing(connection: Connection, row: AdapterRow) -> str:
    if row.status in ("serving", QUARANTINED):
        return ""
    if row.status == "rejected":
        verdict = verdict_of(row)
        return f"It was rejected: {verdict.why if verdict is not None else 'see its verdict'}"
    now = adapters.serving(connection, row.scope_id, row.kind)
    instead = f"{now.name} serves" if now is not None else f"no {row.kind} serves"
    return f"It is {'a candidate' if row.status == 'candidate' else row.status}; {instead}."
