"""Do the receipts hold, and is a given text really gone?

What enters: a ledger, and texts that somebody was promised are forgotten. What leaves: each place where a promise is
broken, in a sentence. A receipt holds as long as nothing it named was ever written back by anything but the person's
saying it anew: so what was recorded after the erasure is none of its business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, select

from memoria.errors import InvalidInput
from memoria.extract.ontology import key_of
from memoria.store import adapters, schema
from memoria.store.adapters import AdapterRow
from memoria.store.events import verify_chain
from memoria.store.schema_adapters import feedback
from memoria.store.schema_items import item, item_namespace

SHORTEST = 4  # bytes: a shorter text lies in a file of some megabytes by chance
_CHUNK = 500


def broken_receipts(connection: Connection, scope_id: int | None) -> list[str]:
    """What of the receipts (of one person, or with None of everybody) does not hold; empty when all do."""
    found: list[str] = []
    broken = verify_chain(connection)
    if broken is not None:
        found.append(f"The event log does not hold from event {broken} on: somebody changed it outside memoria.")
    found += _unfinished(connection, scope_id)
    numbers = set(connection.execute(select(schema.erasure.c.id)).scalars())
    for row in connection.execute(_receipts(scope_id)).all():
        detail: dict[str, Any] = json.loads(row.detail)
        name = f"Receipt {detail.get('erasure')}"
        if detail.get("erasure") not in numbers:
            found.append(f"{name} is in the event log and not among the erasures; restore the home from a backup.")
        found += [f"{name} erased {each}, which is there again." for each in _returned(connection, detail, row.at)]
        found += [
            f"{name} erased a memory that {each.name} in {each.folder} was made of, which is not quarantined; delete "
            "that folder, then distil again."
            for each in _distilled(connection, detail, row.at)
        ]
    return found


def check_length(texts: Sequence[str]) -> None:
    """Raise `InvalidInput` naming a text that is too short to be looked for."""
    for text in texts:
        if len(text.encode()) < SHORTEST:
            raise InvalidInput(f"{text!r} is too short to tell from chance; give at least {SHORTEST} bytes of it.")


def still_said(connection: Connection, texts: Sequence[str], scope_id: int | None) -> list[str]:
    """Where the ledger still says one of `texts` outright: it was never forgotten there, or was said again."""
    found: list[str] = []
    for text in texts:
        found += [f"{place} still says {_short(text)}." for place in _saying(connection, text, scope_id)]
    return found


def speakers_of(connection: Connection, scope_id: int | None) -> list[str]:
    """Everybody who said something that is remembered: an erased turn's vector is of its speaker's name too."""
    table = schema.episode
    query = select(table.c.speaker).distinct()
    return list(connection.execute(query if scope_id is None else query.where(table.c.scope_id == scope_id)).scalars())


def _receipts(scope_id: int | None) -> Any:
    table = schema.event
    query = select(table.c.at, table.c.detail).where(table.c.kind == "forget").order_by(table.c.id)
    return query if scope_id is None else query.where(table.c.scope_id == scope_id)


def _unfinished(connection: Connection, scope_id: int | None) -> list[str]:
    table = schema.erasure
    query = select(table.c.id).where(table.c.done_at.is_(None))
    query = query if scope_id is None else query.where(table.c.scope_id == scope_id)
    say = "Receipt {} is not finished: its bytes are still in the files; close other processes, then open the home."
    return [say.format(number) for number in connection.execute(query).scalars()]


def _returned(connection: Connection, detail: Mapping[str, Any], at: int) -> Iterator[str]:
    """The ids of a receipt that the ledger holds from before it."""
    episode, belief, evidence = schema.episode, schema.belief, schema.evidence
    for chunk in _chunks(detail.get("ids", ())):
        old = select(episode.c.key).where(episode.c.key.in_(chunk), episode.c.recorded_at <= at)
        yield from (f"turn {key.hex()}" for key in connection.execute(old).scalars())
    for chunk in _chunks(detail.get("belief_ids", ())):
        borne = select(evidence.c.id).where(evidence.c.belief_id == belief.c.id, evidence.c.recorded_at <= at).exists()
        old = select(belief.c.key).where(belief.c.key.in_(chunk), borne)
        yield from (f"belief {key.hex()}" for key in connection.execute(old).scalars())


def _distilled(connection: Connection, detail: Mapping[str, Any], at: int) -> list[AdapterRow]:
    """What was distilled before a receipt, of what it named, and is not quarantined."""
    keys = [bytes.fromhex(each) for name in ("ids", "belief_ids") for each in detail.get(name, ())]
    rows = adapters.by_id(connection, adapters.made_of(connection, keys))
    return [row for row in rows.values() if row.made_at <= at]


def _chunks(ids: Sequence[str]) -> Iterator[list[bytes]]:
    keys = [bytes.fromhex(each) for each in ids]
    return (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))


def _saying(connection: Connection, text: str, scope_id: int | None) -> Iterator[str]:
    episode, session, belief, merge = schema.episode, schema.session, schema.belief, schema.merge
    evidence = schema.evidence

    def mine(table: Any, condition: ColumnElement[bool]) -> list[ColumnElement[bool]]:
        return [condition] if scope_id is None else [condition, table.c.scope_id == scope_id]

    said = (
        _has(episode.c.text, text) | _has(episode.c.speaker, text) | _has(func.coalesce(episode.c.metadata, ""), text)
    )
    for key in connection.execute(select(episode.c.key).where(*mine(episode, said))).scalars():
        yield f"Turn {key.hex()}"
    written = select(episode.c.key).join(feedback, feedback.c.episode_id == episode.c.id)
    for key in connection.execute(written.where(*mine(feedback, _has(feedback.c.correction, text)))).scalars():
        yield f"A correction of turn {key.hex()}"
    for name in connection.execute(select(session.c.name).where(*mine(session, _has(session.c.name, text)))).scalars():
        yield f"The name of session {name!r}"
    borne = select(belief.c.key).join(evidence, evidence.c.belief_id == belief.c.id).distinct()
    for key in connection.execute(borne.where(*mine(belief, _has(evidence.c.content, text)))).scalars():
        yield f"Belief {key.hex()}"
    key = f" {key_of(text)} "
    named = _has(" " + merge.c.entity + " ", key) | _has(" " + merge.c.same_as + " ", key)
    if connection.execute(select(merge.c.id).where(*mine(merge, named)).limit(1)).first():
        yield "A merge of names"
    said = _has(item.c.value, json.dumps(text, ensure_ascii=False)[1:-1]) | _has(item.c.key, text)
    said |= _has(item_namespace.c.path, text)
    stored = select(item.c.key).join(item_namespace).where(*mine(item_namespace, said))
    for name in connection.execute(stored).scalars():
        yield f"Item {name!r} of LangGraph's store"


def _has(column: Any, text: str) -> ColumnElement[bool]:
    return func.instr(column, literal(text)) > 0


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 40 else flat[:39] + "…")
