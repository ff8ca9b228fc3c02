"""Is what an adapter was made of still remembered?

What enters: an adapter's row, within anybody's view of the ledger, the one of an unfinished unit of work included. What
leaves: the sources that are gone, no longer say what they said then, or are of somebody who withholds consent. Nothing
of it is kept: it is found anew at each ask. A belief that holds no more is still remembered; one of whose words no
evidence is left is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from memoria.distill.records import Manifest, Source
from memoria.errors import InvalidInput
from memoria.store import adapters, schema
from memoria.store.adapters import AdapterRow, SourceRow
from memoria.store.ledger import Ledger
from memoria.store.schema_adapters import distillation

_CHUNK = 500


def belief_hash(ledger: Ledger, statement: str) -> bytes:
    """What names what a belief says, in a manifest."""
    return ledger.keyed_hash("belief", statement)


def episode_hash(ledger: Ledger, text: str) -> bytes:
    """What names what a turn says, in a manifest."""
    return ledger.keyed_hash("episode", text)


def adapter_hash(ledger: Ledger, digest: str) -> bytes:
    """What names what an adapter was made of, in another's manifest."""
    return ledger.keyed_hash("adapter", digest)


def to_rows(manifest: Manifest) -> list[SourceRow]:
    """A manifest as the ledger keeps it. Raises `InvalidInput` naming a source whose id or hash is none."""
    found: list[SourceRow] = []
    for each in manifest.sources:
        try:
            key = adapters.number_key(int(each.id)) if each.kind == "adapter" else bytes.fromhex(each.id)
            found.append(SourceRow(each.kind, key, bytes.fromhex(each.hash)))
        except (ValueError, OverflowError) as error:
            raise InvalidInput(f"The {each.kind} {each.id!r} in a manifest has no id or hash of this home.") from error
    return found


def to_sources(rows: Sequence[SourceRow]) -> tuple[Source, ...]:
    """And back."""
    return tuple(
        Source.model_validate(
            {
                "kind": row.kind,
                "id": str(int.from_bytes(row.key, "big")) if row.kind == "adapter" else row.key.hex(),
                "hash": row.hash.hex(),
            }
        )
        for row in rows
    )


def lost_of(connection: Connection, ledger: Ledger, row: AdapterRow) -> list[SourceRow]:
    """What an adapter, or one whose weights it took, was made of and is not remembered any more."""
    sources = adapters.sources_of(connection, row.id)
    if row.parent_id is not None:
        sources.append(weights_of(connection, ledger, row.parent_id))
    return lost(connection, ledger, sources)


def lost(connection: Connection, ledger: Ledger, sources: Sequence[SourceRow]) -> list[SourceRow]:
    """Those of `sources` that are not there any more, or do not say any more what they said."""
    found: list[SourceRow] = []
    waiting: list[SourceRow] = list(sources)
    visited: set[int] = set()
    while waiting:
        said = _said(connection, ledger, waiting)
        found += [each for each in waiting if each.kind != "adapter" and each.hash not in said.get(each.key, ())]
        parents = {int.from_bytes(each.key, "big"): each for each in waiting if each.kind == "adapter"}
        rows = adapters.by_id(connection, parents)
        waiting = []
        for number, source in parents.items():
            row = rows.get(number)
            if row is None or row.status == adapters.QUARANTINED or adapter_hash(ledger, row.digest) != source.hash:
                found.append(source)
            elif number not in visited:
                visited.add(number)
                waiting += adapters.sources_of(connection, number)
                if row.parent_id is not None:
                    waiting.append(weights_of(connection, ledger, row.parent_id))
    return found


def weights_of(connection: Connection, ledger: Ledger, number: int) -> SourceRow:
    """An adapter (its row id) as a source of another that took its weights."""
    row = adapters.by_id(connection, [number]).get(number)
    said = adapter_hash(ledger, row.digest) if row is not None else b""
    return SourceRow("adapter", adapters.number_key(number), said)


def _said(connection: Connection, ledger: Ledger, sources: Sequence[SourceRow]) -> dict[bytes, set[bytes]]:
    """What each of the beliefs and episodes among `sources` that is left says, hashed, by its key."""
    episode, belief, evidence = schema.episode, schema.belief, schema.evidence
    refused = select(distillation.c.scope_id).where(distillation.c.consent == 0)
    found: dict[bytes, set[bytes]] = {}
    for chunk in _keys(sources, "episode"):
        turns = select(episode.c.key, episode.c.text).where(episode.c.key.in_(chunk))
        for row in connection.execute(turns.where(episode.c.scope_id.not_in(refused))):
            found.setdefault(row.key, set()).add(episode_hash(ledger, row.text))
    for chunk in _keys(sources, "belief"):
        borne = select(belief.c.key, evidence.c.content).join(evidence, evidence.c.belief_id == belief.c.id)
        for row in connection.execute(borne.where(belief.c.key.in_(chunk), belief.c.scope_id.not_in(refused))):
            content: dict[str, Any] = json.loads(row.content)
            found.setdefault(row.key, set()).add(belief_hash(ledger, str(content.get("statement", ""))))
    return found


def _keys(sources: Sequence[SourceRow], kind: str) -> Iterator[list[bytes]]:
    keys = sorted({each.key for each in sources if each.kind == kind})
    return (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))
