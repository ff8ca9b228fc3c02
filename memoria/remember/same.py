"""When two turns are the same turn.

What enters: turns, and what their sessions hold already. What leaves: a key for each, equal for the same turn. A turn
with a time or a sender's id of its own is the same wherever it comes again. One with neither is known by its place:
a delivery that repeats its session from the beginning, or (of two turns and more) its end, is that history sent again;
anything else is said anew, so "yes" may be said twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from memoria.records import Role, Scope, Trust
from memoria.store.episodes import keys_between
from memoria.store.ledger import Ledger
from memoria.store.scopes import ScopeState, find_session


@dataclass(frozen=True)
class Said:
    """A turn with its session, speaker and `moment` (UTC) settled; `dated` when the moment is its own."""

    session: str
    speaker: str
    role: Role
    trust: Trust
    text: str
    moment: datetime
    dated: bool
    id: str | None
    metadata: str | None

    @property
    def placed(self) -> bool:
        """Whether only its place tells it from another with the same words."""
        return not self.dated and self.id is None


def keys_of(
    ledger: Ledger, connection: Connection, state: ScopeState | None, scope: Scope, said: Sequence[Said]
) -> list[bytes]:
    """The key of each turn, 16 bytes."""
    sessions: dict[str, list[int]] = {}
    for i, each in enumerate(said):
        sessions.setdefault(each.session, []).append(i)
    keys: dict[int, bytes] = {}
    for name, places in sessions.items():
        talk = _Talk(ledger, scope, [said[i] for i in places])
        begin = talk.begin(connection, state, name) if state is not None else 0
        keys.update(zip(places, talk.keys(begin), strict=True))
    return [keys[i] for i in range(len(said))]


class _Talk:
    """The turns of a delivery that belong to one session."""

    def __init__(self, ledger: Ledger, scope: Scope, said: Sequence[Said]) -> None:
        self._ledger, self._scope, self._said = ledger, scope, said

    def keys(self, begin: int) -> list[bytes]:
        """Their keys, were the first of them at position `begin` of the session."""
        seen: Counter[tuple[str, ...]] = Counter()
        keys: list[bytes] = []
        for position, each in enumerate(self._said, begin):
            time = each.moment.isoformat() if each.dated else ""
            same = (each.session, each.role, each.speaker, each.text, time, each.id or "")
            seen[same] += 1
            which = f"at {position}" if each.placed else f"no. {seen[same]}"
            keys.append(self._ledger.keyed_hash(self._scope.tenant, self._scope.user, *same, which))
        return keys

    def begin(self, connection: Connection, state: ScopeState, name: str) -> int:
        """The position of the first of them: 0 or the like for a history sent again, else the session's end."""
        if not any(each.placed for each in self._said):
            return 0
        found = find_session(connection, state.id, name)
        if found is None:
            return 0
        session_id, end = found
        count = len(self._said)
        held = keys_between(connection, state.id, session_id, 0, count)
        from_the_start = self._repeats(held, 0, min(count, end))
        if from_the_start and (count >= end or count > 1):
            return 0
        if 1 < count <= end:
            held = keys_between(connection, state.id, session_id, end - count, end)
            if self._repeats(held, end - count, count):
                return end - count
        return end

    def _repeats(self, held: dict[int, bytes], begin: int, count: int) -> bool:
        """Whether the first `count` turns are those held from `begin` on; what was forgotten since stands for any."""
        keys = self.keys(begin)
        return all(held.get(begin + i, keys[i]) == keys[i] for i in range(count))
