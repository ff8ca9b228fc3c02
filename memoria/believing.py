"""The verbs on what memoria believes: list, explain, edit, retract, learn.

What enters: whose memory, and a belief's id. What leaves: beliefs with their evidence. Edits are evidence too, made by
hand: nothing is overwritten, and an edit that somebody else overtook is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from memoria.clock import to_micros
from memoria.entities import Entities
from memoria.errors import InvalidInput
from memoria.events import ForgetEvent, ReadEvent, WriteEvent
from memoria.extract.consequences import subject_key
from memoria.extract.ontology import key_of
from memoria.extract.proposals import SELF, Extractor
from memoria.recall.explain import explain, why_not
from memoria.recall.request import Request
from memoria.records import Belief, Explanation, Fact, Preference, Receipt, Scope
from memoria.store import beliefs as store
from memoria.store.belief_records import belief_of, row_of
from memoria.store.beliefs import Claim
from memoria.store.events import append_event
from memoria.store.scopes import ensure_scope, find_scope, require_scope
from memoria.trace import traced


class Believing(Entities):
    """The part of `Memory` that deals in beliefs."""

    @traced(ReadEvent)
    def beliefs(
        self,
        *,
        user: str,
        tenant: str = "default",
        about: str | None = None,
        at: datetime | None = None,
        as_of: datetime | None = None,
        retired: bool = False,
    ) -> list[Fact | Preference]:
        """What is believed, in the order it was learnt.

        Args:
            about: only beliefs whose words include all of these.
            at: as true on that day (None: now). `as_of`: as believed on that day (None: now). Both aware; both together
                tell what was believed then of that day.
            retired: also what is so no longer.

        Raises `UnknownUser`, `InvalidInput`.
        """
        scope = self._scope(tenant, user)
        shelf = self._beliefs_of(scope, as_of)
        moment = self._moment(at, "at")
        words = set(key_of(about).split()) if about else set[str]()
        found = [belief_of(shelf, head, scope, moment) for head in shelf.heads()]
        return [
            each
            for each in found
            if (retired or each.status == "current") and (not words or words.issubset(key_of(each.statement).split()))
        ]

    @traced(WriteEvent)
    def believe(
        self,
        predicate: str,
        value: str,
        *,
        user: str,
        tenant: str = "default",
        subject: str = SELF,
        since: datetime | None = None,
        act: Literal["affirm", "change", "end", "deny"] = "affirm",
        revision: int | None = None,
    ) -> Fact:
        """State a fact by hand: `subject` (the person: "user") `predicate` `value`; the belief as it then stands.

        With `act` "end" it is so no longer, with "deny" it never was. With `revision` (of any belief in the same slot)
        nothing is written if something changed meanwhile. Raises `EditConflict`, `InvalidInput`, `StoreBusy`.
        """
        for name, text in (("predicate", predicate), ("value", value), ("subject", subject)):
            if not text.strip() or len(text) > 500:
                raise InvalidInput(f"{name} must have 1 to 500 characters; it has {len(text)}.")
        start = self._moment(since, "since") if since is not None else None
        known = self._ontology.predicate(predicate)
        statement = self._ontology.statement(subject, predicate, value)
        content = {"subject": subject, "predicate": predicate, "object": value, "statement": statement}
        claim = Claim(
            kind="fact",
            subject=subject_key(subject),
            slot=predicate,
            object=key_of(value),
            single=known.single,
            act=act,
            said=to_micros(self._clock()),
            source="user",
            content=content | {"kind": known.kind},
            valid_from=start,
            leans=tuple((subject_key(subject), each) for each in known.leans_on),
        )
        made = self._write_claims(self._scope(tenant, user), [claim], claim.said, revision)
        assert isinstance(made, Fact)
        return made

    @traced(WriteEvent)
    def correct(
        self, belief_id: str, value: str, *, user: str, tenant: str = "default", revision: int | None = None
    ) -> Fact | Preference:
        """Replace what a belief says by `value`: the old one never was so. Raises `EditConflict`, `UnknownBelief`."""
        scope = self._scope(tenant, user)
        shelf = self._beliefs_of(scope, None)
        row = shelf.rows[row_of(shelf, belief_id)]
        now = to_micros(self._clock())
        if not value.strip() or row.slot.startswith("likes "):
            raise InvalidInput("Only the value of a fact or a favourite can be corrected; retract a taste instead.")
        content = row.content | {"object": value}
        predicate = str(row.content["predicate"])
        content["statement"] = self._ontology.statement(str(row.content["subject"]), predicate, value)
        old = Claim(
            kind=row.kind,
            subject=row.subject,
            slot=row.slot,
            object=row.object,
            single=row.single,
            act="deny",
            said=now,
            source="user",
            content=row.content,
            leans=tuple((row.subject, each) for each in self._ontology.predicate(predicate).leans_on),
        )
        new = replace(old, act="affirm", object=key_of(value), content=content)
        return self._write_claims(scope, [old, new], now, revision)

    @traced(WriteEvent, by="belief_id")
    def retract(self, belief_id: str, *, user: str, tenant: str = "default", revision: int | None = None) -> None:
        """Take back all evidence for a belief: what it superseded returns. The turns stay; to erase, use `forget`.

        Raises `UnknownBelief`, `EditConflict`.
        """
        self._require_open()
        scope = self._scope(tenant, user)
        now = to_micros(self._clock())
        with self._ledger.write() as connection:
            state = require_scope(connection, scope)
            shelf = self._belief_shelves.shelf(connection, state.id)
            number = row_of(shelf, belief_id)
            if revision is not None:
                store.require_unchanged(connection, state.id, shelf.slots[shelf.slot_of(number)], revision)
            store.retract(connection, state.id, shelf.group(number), now)
            self._rejudge.after_retraction(connection, state.id, now)
            append_event(connection, at=now, kind="retract", scope_id=state.id, detail={"ids": [belief_id]})

    @traced(ReadEvent)
    def explain(self, belief_id: str, *, user: str, tenant: str = "default") -> Explanation:
        """Why a belief stands as it does: evidence down to the quoted words, what it superseded or was superseded by,
        what it leans on. Raises `UnknownBelief`, `UnknownUser`."""
        self._require_open()
        scope = self._scope(tenant, user)
        with self._ledger.read() as connection:
            state = require_scope(connection, scope)
            shelf = self._belief_shelves.shelf(connection, state.id)
            return explain(connection, shelf, belief_id, scope, state.id, to_micros(self._clock()))

    @traced(ReadEvent)
    def why_not(self, query: str, item_id: str, *, user: str, tenant: str = "default", k: int | None = None) -> str:
        """Which signal or rule kept an episode or a belief out of the answer to `query`, in a sentence or a few.

        Raises `UnknownBelief` for an id that this memory does not hold.
        """
        size = k or self.settings.recall.k
        request = Request(query, self._scope(tenant, user), size, self.settings.recall.budget, self._clock())
        request = request.checked(self.settings.store.max_chars)
        self._require_open()
        return why_not(self._ledger, self._recaller(), request, item_id)

    @traced(WriteEvent)
    def learn(
        self, *, user: str, tenant: str = "default", extractor: Extractor | None = None, limit: int | None = None
    ) -> int:
        """Read the turns that `extractor` has not read; how many were. What it read stays read, so that after an error
        or a spent budget the next call goes on.

        None reads with the settings' model where one is named (and this Memory was given no extractor), else with what
        reads turns as they are written. Raises `UnknownUser`, and of a model `BudgetSpent`, `ExtractionFailed`,
        `ModelUnavailable`.
        """
        self._require_open()
        return self._learner_with(extractor).learn(self._scope(tenant, user), self._clock, limit)

    @traced(ForgetEvent)
    def retain(self, *, user: str, tenant: str = "default") -> list[Receipt]:
        """Forget what the settings' retention says has been kept long enough; a receipt for each kind that lost some.

        A job calls this. Raises `UnknownUser`.
        """
        self._require_open()
        scope, now, rules = self._scope(tenant, user), self._clock(), self.settings.retention
        days = {"user": rules.user_days, "assistant": rules.assistant_days, "tool": rules.tool_days}
        found = [
            self._eraser.expire(scope, role, to_micros(now - timedelta(days=kept)), to_micros(now))
            for role, kept in days.items()
            if kept is not None
        ]
        if rules.retired_days is not None:
            limit = now - timedelta(days=rules.retired_days)
            old = [b.id for b in self.beliefs(user=user, tenant=tenant, retired=True) if _retired_before(b, limit)]
            found.append(self._eraser.disbelieve(scope, old, to_micros(now)))
        return [receipt for receipt in found if receipt is not None]

    # -- inside --------------------------------------------------------------------------------------------------

    def _write_claims(self, scope: Scope, claims: Sequence[Claim], now: int, revision: int | None) -> Fact | Preference:
        self._require_open()
        with self._ledger.write() as connection:
            state = find_scope(connection, scope) or ensure_scope(connection, scope)
            if revision is not None:
                shelf = self._belief_shelves.shelf(connection, state.id)
                slot = (shelf.canonical(claims[0].subject), claims[0].slot)
                store.require_unchanged(connection, state.id, shelf.slots.get(slot, []), revision)
            rows = store.add_claims(connection, self._ledger, state.id, claims, now)
            append_event(connection, at=now, kind="edit", scope_id=state.id, detail={"count": len(rows)})
        with self._ledger.read() as connection:
            shelf = self._belief_shelves.shelf(connection, state.id)
        return belief_of(shelf, rows[-1], scope, now)


def _retired_before(belief: Belief, limit: datetime) -> bool:
    return belief.status in ("superseded", "ended", "retracted") and (belief.retired_at or belief.recorded_at) < limit
