"""An inspector: answers questions about the memory itself, deterministically, each line with the ids it rests on.

What enters: a question in plain English. What leaves: an `Inspection`, or the list of what can be asked. No model takes
part: a pattern says which of `Memory`'s verbs answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from memoria import InvalidInput, Memory, UnknownUser
from memoria.clock import Clock, from_micros, utc_now
from memoria.dates import spans_in
from memoria_agents.findings import Findings, Inspection

__all__ = ["CAN_ANSWER", "Inspection", "Inspector"]

CAN_ANSWER = (
    "why do you believe that I live in Lisbon?",
    "what did you believe in March? (and: about Leonor, as of 3 May 2025)",
    "what was true in March?",
    "what do you know about Ingrid?",
    "what changed? (and: since June)",
    "what is contradictory? what are you unsure of?",
    "when did I last mention running? (and: first)",
    "how many turns, sessions, beliefs do you hold?",
)
_THAT = r"(?: that)?"
_ABOUT = r"(?: (?:about|of) (?P<what>.+?))?"
_WHEN = r"(?P<when> (?:as of|in|on|by|before|until|at|since|after|last|this|yesterday|\d).*)"
_KINDS = r"(?:turns?|messages?|sessions?|conversations?|talks|chats|beliefs?|facts|preferences)"
_INTENTS: tuple[tuple[str, str], ...] = (
    ("why", rf"why do you (?:believe|think|say|know|assume){_THAT} (?P<what>.+)"),
    ("why", rf"how do you know{_THAT} (?P<what>.+)"),
    ("believed", rf"what (?:did you|have you) (?:believed?|know|known|think|thought){_ABOUT}{_WHEN}?"),
    ("held", rf"what (?:was|were|held) (?:true|so|the case){_ABOUT}{_WHEN}"),
    ("about", r"what (?:all |else )?do you (?:know|believe|remember) (?:about|of) (?P<what>.+)"),
    ("about", r"tell me (?:all|everything)(?: you know)? (?:about|of) (?P<what>.+)"),
    ("changed", rf"what (?:(?:has|have) )?changed(?: (?:about|for|with) (?P<what>.+?))?{_WHEN}?"),
    ("doubtful", r"what (?:is|are|seems?) (?:contradictory|inconsistent|uncertain|unclear|in doubt)"),
    ("doubtful", r"what (?:are you|is) (?:unsure|not sure|uncertain) (?:of|about)"),
    ("doubtful", r"what (?:contradicts itself|needs (?:confirmation|confirming|to be confirmed))"),
    ("doubtful", r"are there (?:any )?contradictions.*"),
    (
        "mentioned",
        r"when did (?:i|we) (?:(?P<end>first|last) )?(?:mention|talk about|speak (?:of|about)|bring up) "
        r"(?P<what>.+?)(?: for the (?P<after>first|last) time)?",
    ),
    (
        "counted",
        rf"how many {_KINDS}(?:(?:,| and| or)+ {_KINDS})* (?:do you (?:hold|have|remember|know|keep)|are there)",
    ),
)
_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _INTENTS)


class Inspector:
    """Looks into one person's memory. `clock` says what "last month" means."""

    def __init__(self, memory: Memory, *, user: str, tenant: str = "default", clock: Clock = utc_now) -> None:
        self._clock = clock
        self._findings = Findings(memory, user, tenant)

    def inspect(self, question: str, now: datetime | None = None) -> Inspection | None:
        """The answer; None where the question is none that an inspector understands."""
        asked = " ".join(question.split()).strip(" ?.!")
        for name, pattern in _PATTERNS:
            found = pattern.fullmatch(asked)
            if found is not None:
                parts = {key: (value or "").strip() for key, value in found.groupdict().items()}
                try:
                    return self._answer(name, parts, now or self._clock())
                except UnknownUser as error:
                    return Inspection(intent=name, text=str(error))
        return None

    def ask(self, question: str, now: datetime | None = None) -> Inspection:
        """The answer, or what can be asked."""
        return self.inspect(question, now) or Inspection(
            intent="help",
            text="\n".join(["I can answer questions about the memory itself:", *map("  ".__add__, CAN_ANSWER)]),
        )

    def _answer(self, name: str, parts: dict[str, str], now: datetime) -> Inspection:
        look, what = self._findings, parts.get("what", "")
        start, end = _bounds(parts.get("when", ""), now)
        answers: dict[str, Callable[[], Inspection]] = {
            "why": lambda: look.why(what),
            "believed": lambda: look.believed(what, as_of=end or now),
            "held": lambda: look.held(what, at=end or now),
            "about": lambda: look.about(what),
            "changed": lambda: look.changed(what, since=start, until=end),
            "doubtful": look.doubtful,
            "mentioned": lambda: look.mentioned(what, first="first" in (parts["end"] + parts["after"]).lower()),
            "counted": look.counted,
        }
        return answers[name]()


def _bounds(when: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The first and the last moment of what `when` names, none of them later than `now`; None where it names none.

    Raises `InvalidInput` where it names something that cannot be read."""
    if not when:
        return None, None
    spans = spans_in(re.sub(r"^as of\b", "on", when), now)
    if not spans:
        raise InvalidInput(f"{when!r} names no time; say for example: in March, on 3 May 2025, last month.")
    earliest = datetime(1, 1, 2, tzinfo=now.tzinfo)
    start, end = _moment(spans[0].start, earliest, now), _moment(spans[0].end - 1, earliest, now)
    return start, end


def _moment(micros: int, earliest: datetime, now: datetime) -> datetime:
    try:
        return min(max(from_micros(micros), earliest), now)
    except OverflowError:  # the open end of "since" or "before"
        return now if micros > 0 else earliest
