"""The verbs that only read what was kept: who is known, their sessions, their turns.

What enters: whose memory. What leaves: names, `SessionSummary`s and `Episode`s, in the order they were recorded.
"""

from __future__ import annotations

from memoria.errors import InvalidInput
from memoria.events import ReadEvent
from memoria.home import Home
from memoria.records import Episode, Scope, SessionSummary
from memoria.remember.turns import check_name
from memoria.store import episodes as store
from memoria.store.belief_rows import state_of
from memoria.store.scopes import require_scope, scopes_of
from memoria.trace import traced


class Reading(Home):
    """The part of `Memory` that lists what is kept."""

    @traced(ReadEvent)
    def users(self, *, tenant: str | None = None) -> list[Scope]:
        """Everybody something is remembered for, by tenant and name; None is all tenants."""
        self._require_open()
        with self._ledger.read() as connection:
            return scopes_of(connection, check_name("tenant", tenant) if tenant is not None else None)

    @traced(ReadEvent)
    def sessions(self, *, user: str, tenant: str = "default") -> list[SessionSummary]:
        """The person's sessions, in the order of their first turns. Raises `UnknownUser`."""
        self._require_open()
        with self._ledger.read() as connection:
            return store.sessions_of(connection, require_scope(connection, self._scope(tenant, user)).id)

    @traced(ReadEvent)
    def revision(self, *, user: str, tenant: str = "default") -> str:
        """A text that is another one after anything was remembered, believed or forgotten for the person: for caches.

        Raises `UnknownUser`.
        """
        self._require_open()
        with self._ledger.read() as connection:
            state = require_scope(connection, self._scope(tenant, user))
            return "-".join(str(each) for each in (state.last_id, state.revision, *state_of(connection, state.id)))

    @traced(ReadEvent)
    def episodes(
        self, *, user: str, tenant: str = "default", session: str | None = None, last: int | None = None
    ) -> list[Episode]:
        """The person's turns in the order they were recorded, of one `session` or of all; only the `last` so many.

        A session that there is not has none. Raises `UnknownUser`, `InvalidInput`.
        """
        self._require_open()
        if last is not None and last < 1:
            raise InvalidInput(f"last must be at least 1; it is {last}.")
        scope = self._scope(tenant, user)
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            rows = store.rows_of(connection, state.id, session, last)
            return list(store.read_episodes(connection, scope, state.id, rows).values())
