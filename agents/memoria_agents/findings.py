"""What an inspector finds in a memory, one function a kind of question.

What enters: whose memory, words, times. What leaves: `Inspection`s: lines that each name the belief or the turn they
rest on (by the beginning of its id), and the whole ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from memoria import Episode, Fact, Memory, Preference
from memoria.recall.budget import belief_line
from memoria.reflect.contradictions import contradictions
from memoria.reflect.material import Known
from memoria.store.text import terms
from memoria_agents.phrasing import believed, only_asks, sentence, to_you

_SHORT = 8  # hex digits of an id that are shown; commands take them
_MOST = 20
_QUOTES = 5
_SELF = frozenset(("me", "myself", "i"))

Believed = Fact | Preference


@dataclass(frozen=True)
class Inspection:
    """An answer about the memory. `ids` are the beliefs and turns it rests on, in the order of its lines."""

    intent: str
    text: str
    ids: tuple[str, ...] = ()


class Findings:
    """One person's memory, looked into."""

    def __init__(self, memory: Memory, user: str, tenant: str) -> None:
        self._memory = memory
        self._whose: dict[str, Any] = {"user": user, "tenant": tenant}

    def why(self, what: str) -> Inspection:
        """The whole story of the beliefs that say `what`."""
        found = self._best(what, self._beliefs(retired=True))
        if not found:
            return Inspection("why", f"I believe nothing like “{what}”. Ask: what do you know about …?")
        stories = [self._memory.explain(each.id, **self._whose) for each in found[:2]]
        lines = [f"[{short(story.belief.id)}] {story.text}" for story in stories]
        turns = [piece.episode_id for story in stories for piece in story.evidence if piece.episode_id]
        ids = [*(story.belief.id for story in stories), *dict.fromkeys(turns)]
        return Inspection("why", "\n".join(lines), tuple(ids))

    def believed(self, what: str, as_of: datetime) -> Inspection:
        """What was believed at a moment, as it had been told by then."""
        found = self._about(what, self._memory.beliefs(**self._whose, at=as_of, as_of=as_of))
        # A history read in later was recorded later: then what it says of that day is told, and that it is hindsight.
        if found or self._recorded_before(as_of):
            return self._listed("believed", f"On {as_of:%d %b %Y} I believed", found)
        found = self._about(what, self._memory.beliefs(**self._whose, at=as_of))
        begun = f"I knew nothing by {as_of:%d %b %Y}; as I know it now, this was so then"
        return self._listed("believed", begun, found)

    def held(self, what: str, at: datetime) -> Inspection:
        """What was so at a moment, by all that is known now."""
        found = self._about(what, self._memory.beliefs(**self._whose, at=at))
        return self._listed("held", f"On {at:%d %b %Y} this was so, as I know it now", found)

    def about(self, what: str) -> Inspection:
        """Beliefs about somebody or something, and the last turns that speak of it."""
        everything = self._beliefs(retired=True)
        if what.casefold() in _SELF:
            own = [each for each in everything if each.status == "current" and each.statement.startswith("user")]
            return self._listed("about", "Of you I believe", own)
        found, turns = self._about(what, everything), self._mentions(what)
        if not found and not turns:
            return Inspection("about", f"I know nothing about {what}.")
        shown, quotes = _lines(found), [_quoted(each) for each in turns[-_QUOTES:]]
        head = f"About {what}: {_count(len(found), 'belief')}, {_count(len(turns), 'turn')} of yours."
        more = ["The last of them:", *quotes] if quotes else []
        ids = [*(each.id for each in found[:_MOST]), *(each.id for each in turns[-_QUOTES:])]
        return Inspection("about", "\n".join([head, *shown, *more]), tuple(ids))

    def changed(self, what: str, since: datetime | None, until: datetime | None) -> Inspection:
        """What is so no longer, the latest change first, with what took its place."""
        everything = {each.id: each for each in self._beliefs(retired=True)}
        gone = [each for each in self._about(what, everything.values()) if each.status in ("superseded", "ended")]
        dated = [(each.valid_to or each.retired_at, each) for each in gone]
        within = [
            (at, each)
            for at, each in dated
            if at is not None and (since is None or at >= since) and (until is None or at <= until)
        ]
        lines: list[str] = []
        ids: list[str] = []
        for at, each in sorted(within, key=lambda pair: pair[0], reverse=True)[:_MOST]:
            newer = everything.get(each.superseded_by or "")
            then = f" → [{short(newer.id)}] {to_you(newer.statement)}" if newer else ""
            lines.append(f"{at:%d %b %Y} [{short(each.id)}] {to_you(each.statement)}{then or ': so no longer'}")
            ids += [each.id, *([newer.id] if newer else [])]
        return Inspection(
            "changed", "\n".join(["What changed:", *lines] if lines else ["Nothing changed."]), tuple(ids)
        )

    def doubtful(self) -> Inspection:
        """Beliefs that cannot both be so, and those that wait to be confirmed."""
        current = self._beliefs()
        pairs = contradictions([Known(each, number, (), (), (0, 0)) for number, each in enumerate(current)])
        lines = [f"[{short(a)}] [{short(b)}] {to_you(pair.text)}" for pair in pairs for a, b in [pair.belief_ids]]
        shaken = [each for each in current if each.needs_confirmation]
        lines += [f"[{short(each.id)}] {believed(each)}" for each in shaken]
        ids = [each for pair in pairs for each in pair.belief_ids] + [each.id for each in shaken]
        head = "What contradicts itself or may have changed:" if lines else "Nothing that I believe is in doubt."
        return Inspection("doubtful", "\n".join([head, *lines]), tuple(ids))

    def mentioned(self, what: str, *, first: bool) -> Inspection:
        """When the person spoke of something for the first or the last time."""
        turns = self._mentions(what)
        if not turns:
            return Inspection("mentioned", f"You never mentioned {what}, as far as I remember.")
        turn = turns[0] if first else turns[-1]
        which = "first" if first else "last"
        text = f"You {which} mentioned {what} on {turn.occurred_at:%d %b %Y} (of {_count(len(turns), 'time')}):"
        return Inspection("mentioned", f"{text}\n{_quoted(turn)}", (turn.id,))

    def counted(self) -> Inspection:
        """How much is remembered."""
        sessions = self._memory.sessions(**self._whose)
        beliefs = self._beliefs(retired=True)
        current = sum(each.status == "current" for each in beliefs)
        span = (
            f", from {min(s.begun_at for s in sessions):%d %b %Y} to {max(s.ended_at for s in sessions):%d %b %Y}"
            if sessions
            else ""
        )
        turns = _count(sum(each.turns for each in sessions), "turn")
        held = f"I remember {turns} in {_count(len(sessions), 'session')}{span}"
        return Inspection("counted", f"{held}; {_count(len(beliefs), 'belief')}, {current} of them current.")

    # -- inside --------------------------------------------------------------------------------------------------

    def _beliefs(self, *, retired: bool = False) -> list[Believed]:
        return self._memory.beliefs(**self._whose, retired=retired)

    def _recorded_before(self, moment: datetime) -> bool:
        return any(each.recorded_at <= moment for each in self._memory.episodes(**self._whose))

    def _about(self, what: str, found: Iterable[Believed]) -> list[Believed]:
        """Those of `found` that say all words of `what`; of nothing, all."""
        words = _words(what)
        return [each for each in found if words.issubset(terms(each.statement)) and each.status != "retracted"]

    def _best(self, what: str, found: Sequence[Believed]) -> list[Believed]:
        """The beliefs that share most words with `what`, current ones first."""
        words = _words(what)
        shares = [(len(words.intersection(terms(each.statement))), each) for each in found]
        best = max((share for share, _ in shares), default=0)
        if not best or best * 2 < len(words):
            return []
        near = [each for share, each in shares if share == best]
        return sorted(near, key=lambda each: each.status != "current")

    def _mentions(self, what: str) -> list[Episode]:
        words = _words(what)
        own = [each for each in self._memory.episodes(**self._whose) if each.role == "user"]
        found = [each for each in own if words and words.issubset(terms(each.text)) and not only_asks(each.text)]
        return sorted(found, key=lambda each: each.occurred_at)

    def _listed(self, intent: str, head: str, found: Sequence[Believed]) -> Inspection:
        if not found:
            return Inspection(intent, f"{head}: nothing.")
        return Inspection(intent, "\n".join([f"{head}:", *_lines(found)]), tuple(each.id for each in found[:_MOST]))


def short(identity: str) -> str:
    """An id as it is shown."""
    return identity[:_SHORT]


def _words(what: str) -> set[str]:
    """The terms of what somebody asks about, said of themselves or not."""
    return set(terms(what)) - {"user"}


def _lines(found: Sequence[Believed]) -> list[str]:
    shown = [f"[{short(each.id)}] {sentence(to_you(belief_line(each)))}" for each in found[:_MOST]]
    return [*shown, *([f"… and {len(found) - _MOST} more"] if len(found) > _MOST else [])]


def _quoted(turn: Episode) -> str:
    return f"[{short(turn.id)}] {turn.occurred_at:%d %b %Y}: “{turn.text}”"


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
