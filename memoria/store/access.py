"""How often beliefs were asked for, and when last.

What enters: the beliefs that answered a question. What leaves: counts in the ledger, which reflection reads as a sign
of what matters. Reading must not wait for the ledger's lock, so they are held here and kept with the next reflection or
at closing; a process killed before loses a few counts, and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, insert, select, update

from memoria.records import Scope
from memoria.store import schema
from memoria.store.ledger import Ledger
from memoria.store.schema_reflect import access
from memoria.store.scopes import find_scope

Counts = dict[str, tuple[int, int]]  # by a belief's public id: how often, and when last (microseconds)


class Accesses:
    """What was asked for since it was last kept. Safe to share by threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._held: dict[Scope, Counts] = {}

    def note(self, scope: Scope, belief_ids: Iterable[str], now: int) -> None:
        """Count beliefs that answered a question."""
        with self._lock:
            for each in belief_ids:
                counts = self._held.setdefault(scope, {})
                counts[each] = (counts.get(each, (0, 0))[0] + 1, now)

    def keep(self) -> None:
        """Write what was counted. Raises what the ledger raises; then the counts are gone."""
        with self._lock:
            held, self._held = self._held, {}
        if not held:
            return
        with self._ledger.write() as connection:
            for scope, counts in held.items():
                state = find_scope(connection, scope)
                if state is not None:
                    _add(connection, state.id, counts)


def _add(connection: Connection, scope_id: int, counts: Mapping[str, tuple[int, int]]) -> None:
    table = schema.belief
    for public, (count, last) in counts.items():
        where = (table.c.scope_id == scope_id, table.c.key == bytes.fromhex(public))
        number = connection.execute(select(table.c.id).where(*where)).scalar()
        if number is None:  # forgotten meanwhile
            continue
        more = {"count": access.c.count + count, "last_at": last}
        changed = connection.execute(update(access).where(access.c.belief_id == number).values(more))
        if changed.rowcount == 0:
            connection.execute(insert(access).values(belief_id=number, count=count, last_at=last))
