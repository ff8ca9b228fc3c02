"""The verbs by which a person teaches: feedback, consent, and what can be learnt of them.

What enters: whose memory, and what they think of an answer. What leaves: their `Dataset`. Nothing is trained here.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection

from memoria.clock import to_micros
from memoria.distill.dataset import build
from memoria.distill.material import read_material
from memoria.distill.records import Dataset
from memoria.errors import InvalidInput, UnknownBelief
from memoria.events import ReadEvent, WriteEvent
from memoria.records import Episode, Scope
from memoria.reflecting import Reflecting
from memoria.remember.trust import without_echo
from memoria.store import due
from memoria.store import feedback as store
from memoria.store.episodes import read_episodes, row_ids
from memoria.store.scopes import require_scope
from memoria.trace import traced


class Teaching(Reflecting):
    """The part of `Memory` that is taught."""

    @traced(WriteEvent)
    def feedback(
        self,
        episode_id: str,
        *,
        user: str,
        tenant: str = "default",
        score: Literal[-1, 1] | None = None,
        correction: str | None = None,
    ) -> Episode:
        """Keep what the person thought of an assistant's turn, in the place of what they thought before; the turn.

        Args:
            score: 1 or -1; None with a correction is -1.
            correction: what they wrote in its place: learnt as theirs, and forgotten with the turn.

        Raises:
            InvalidInput: neither is given, or the turn is not an assistant's; nothing was written.
            UnknownBelief: this memory holds no such turn. UnknownUser.
        """
        self._require_open()
        written = without_echo(correction).strip() if correction is not None else None
        if written == "" or (written is not None and len(written) > self.settings.store.max_chars):
            raise InvalidInput(f"A correction must have 1 to {self.settings.store.max_chars} characters of one's own.")
        if score not in (None, 1, -1) or (score is None and written is None):
            raise InvalidInput(f"Feedback is a score of 1 or -1, a correction, or both; the score is {score!r}.")
        scope, now = self._scope(tenant, user), to_micros(self._clock())
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            turn, row = _answer(connection, scope, state.id, episode_id)
            said = store.Feedback(-1 if score is None else score, written)
            before = store.feedback_of(connection, state.id).get(turn.id)
            if before != said:
                store.keep(connection, state.id, row, said, now)
            if anew := before is not None and before != said:  # it is kept nowhere any more: nothing made of it serves
                self._registry.unteach(connection, state.id, turn.id)
        if anew:
            self._registry.sweep()
        return turn

    @traced(WriteEvent)
    def consent(self, given: bool, *, user: str, tenant: str = "default") -> None:
        """Keep whether the person wants to be learnt from. Where they do not, all that was distilled of them serves no
        more and its files are removed. Raises `UnknownUser`."""
        self._require_open()
        with self._ledger.write() as connection:
            state = require_scope(connection, self._scope(tenant, user))
            due.keep_consent(connection, state.id, given)
            if not given:
                self._registry.withdraw(connection, state.id)
        if not given:
            self._registry.sweep()

    @traced(ReadEvent)
    def dataset(self, *, user: str, tenant: str = "default", facts: bool = False) -> Dataset:
        """What can be learnt of the person now: preference pairs, liked answers and, with `facts`, questions of fact.

        Only of what they said, stated by hand, wrote in an answer's place or liked; never of a turn whose metadata say
        `"train": false`. The same memory always comes to the same data set. Raises `UnknownUser`, and `InvalidInput`
        where they withhold their consent, or have not given it and the settings require it (`distil.consent`).
        """
        self._require_open()
        scope, now = self._scope(tenant, user), to_micros(self._clock())
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            said = due.consent_of(connection, state.id)
            if said is False or (said is None and self.settings.distil.consent == "required"):
                why = "withholds" if said is False else "has not given"
                raise InvalidInput(
                    f"{user} {why} consent to being learnt from; where they agree: memoria consent --user {user}"
                )
            shelf = self._belief_shelves.shelf(connection, state.id)
            material = read_material(connection, shelf, scope, state.id, now)
        return build(self._ledger, scope, material, facts=facts)


def _answer(connection: Connection, scope: Scope, scope_id: int, episode_id: str) -> tuple[Episode, int]:
    """The assistant's turn of this id, and its row id. Raises `UnknownBelief`, `InvalidInput`."""
    rows = row_ids(connection, scope_id, [episode_id])
    if not rows:
        raise UnknownBelief(f"There is no episode {episode_id!r} in this memory; list them with Memory.episodes.")
    turn = read_episodes(connection, scope, scope_id, rows)[rows[0]]
    if (turn.role, turn.trust) != ("assistant", "assistant"):
        raise InvalidInput(f"Episode {episode_id} is no answer of an assistant's ({turn.role}); rate one that is.")
    return turn, rows[0]
