"""The rules of a preference card: what a person likes and does not, each with its evidence, conflicts resolved.

What enters: preference beliefs that hold, and pairs. What leaves: rules, each general one with its exceptions. Of two
that contradict each other in the same circumstances the newer one is kept; one for narrower circumstances ("coffee in
the evening"), or of a narrower thing ("small dogs"), is an exception from the general one, and both are kept. A rule
that says the same as another joins it, with its evidence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from memoria.records import Preference, Record
from memoria.remember.trust import gives_orders
from memoria.store.text import terms

Kind = Literal["taste", "style", "example"]

_LONGEST = 160  # letters of a topic, or of a quoted answer: a rule is a line
_MARKS = re.compile(r"[<>`]|\s+")
_TIME = r"(?:mornings?|afternoons?|evenings?|nights?|weekends?|weekdays?|summer|winter|spring|autumn|fall|holidays?)"
_PLACE = r"(?:work|home|school|the office|bed|the car|public)"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_MEAL = r"(?:breakfast|lunch|dinner|supper|dessert|meetings?|exams?|work|holidays?|sports?)"
_CIRCUMSTANCES = re.compile(
    rf"^(?P<topic>\S.*?),?\s+(?P<context>(?:in|at|on|during) (?:the |my )?{_TIME}|(?:at|in) {_PLACE}|on {_DAY}"
    rf"|(?:for|before|after|during) (?:the |my )?{_MEAL}|(?:when|while|whenever) .+)$",
    re.IGNORECASE,
)
_LIKES = re.compile(r"^\S+ (?:does not like|likes) ", re.IGNORECASE)
_OWN = re.compile(r"^user (\w+) ", re.IGNORECASE)
_Place = tuple[frozenset[str], frozenset[str]]  # what a rule is about, and in which circumstances
_EVER = datetime.min.replace(tzinfo=UTC)


class Rule(Record):
    """A liking (+1) of `topic`, or a dislike (-1), in a `context` (None: always).

    `kind`: a "taste" for things, the "style" of answers, or an "example" of what they chose, which `topic` tells whole.
    `said`: what a belief says that is neither liking nor dislike ("wants answers: short"). `strength` 0 to 1,
    `evidence` how often it came up, `since` when it last changed. `exceptions` hold against it.
    """

    kind: Kind
    topic: str
    polarity: Literal[-1, 1] = 1
    context: str | None = None
    said: str | None = None
    strength: float = 0.5
    evidence: int = 1
    since: datetime | None = None
    belief_ids: tuple[str, ...] = ()
    episode_ids: tuple[str, ...] = ()
    exceptions: tuple[Rule, ...] = ()

    @property
    def id(self) -> str:
        """A name for what it says, whatever it rests on."""
        named = (self.kind, self.topic, str(self.polarity), self.context or "", self.said or "")
        return hashlib.sha256("\0".join(named).encode()).hexdigest()[:12]

    @property
    def all_belief_ids(self) -> tuple[str, ...]:
        """The beliefs that it and its exceptions rest on."""
        return tuple(dict.fromkeys([*self.belief_ids, *(i for each in self.exceptions for i in each.belief_ids)]))

    @property
    def all_episode_ids(self) -> tuple[str, ...]:
        """The turns that it and its exceptions rest on."""
        return tuple(dict.fromkeys([*self.episode_ids, *(i for each in self.exceptions for i in each.episode_ids)]))


def rules_of(beliefs: Iterable[Preference], episodes: Mapping[str, Sequence[str]] | None = None) -> list[Rule]:
    """The rules that the beliefs which hold come to, in the order they were learnt; `episodes` names the turns that
    bear out each belief."""
    named = episodes or {}
    found: list[Rule] = []
    for belief in beliefs:
        if belief.status == "current" and belief.subject == "user":
            rule = _rule(belief, named.get(belief.id, ()))
            if rule is not None:
                found.append(rule)
    return resolved(found)


def resolved(rules: Sequence[Rule]) -> list[Rule]:
    """Rules without contradictions: what is newer stands, what is narrower is an exception."""
    kept: dict[_Place, Rule] = {}
    for rule in sorted(rules, key=lambda each: each.since or _EVER):  # stable: of the same time the later is newer
        place = _place(rule)
        before = kept.pop(place, None)  # what is renewed moves to the end
        kept[place] = _joined(before, rule) if before is not None and _same(before, rule) else rule
    tastes = [place for place, rule in kept.items() if rule.said is None]
    under: dict[_Place, _Place] = {}
    for place in tastes:
        wider = [each for each in tastes if _narrower(place, each) and kept[each].polarity != kept[place].polarity]
        if wider:
            under[place] = max(wider, key=lambda each: len(each[0]) + len(each[1]))
    standing = {place: rule for place, rule in kept.items() if place not in under}
    for place, wide in under.items():
        if wide in standing:
            exceptions = (*standing[wide].exceptions, kept[place])
            standing[wide] = standing[wide].model_copy(update={"exceptions": exceptions})
        else:  # an exception from an exception stands alone: it is worded whole
            standing[place] = kept[place]
    return list(standing.values())


def clean(text: str) -> str:
    """A line for a prompt: no marks that could be taken for a prompt's own, no more than a line's letters."""
    plain = " ".join(_MARKS.sub(" ", text).split()).strip(" .")
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"


def _rule(belief: Preference, episodes: Sequence[str]) -> Rule | None:
    topic, said = clean(belief.topic), None
    if not _LIKES.match(belief.statement):
        said = clean(_OWN.sub(lambda verb: f"{verb[1]} ", belief.statement))
    if not terms(topic) or gives_orders(said or topic, "assistant"):
        return None  # "they": nothing that a reader could follow; or a forged mark
    context = clean(belief.context) if belief.context else None
    split = _CIRCUMSTANCES.match(topic) if context is None and said is None else None
    if split is not None and terms(split["topic"]):
        topic, context = split["topic"], split["context"]
    return Rule(
        kind="taste",
        topic=topic,
        polarity=belief.polarity,
        context=context,
        said=said,
        strength=belief.strength,
        evidence=max(belief.evidence, 1),
        since=belief.valid_from or belief.recorded_at,
        belief_ids=(belief.id,),
        episode_ids=tuple(episodes),
    )


def _place(rule: Rule) -> _Place:
    return frozenset(terms(rule.topic) or [rule.topic]), frozenset(terms(rule.context or ""))


def _same(one: Rule, other: Rule) -> bool:
    return one.polarity == other.polarity and one.said == other.said


def _narrower(one: _Place, other: _Place) -> bool:
    """Whether `one` speaks of a part of what `other` does: the same thing in some circumstances, or a kind of it."""
    if one[0] == other[0]:
        return bool(one[1]) and not other[1]
    return other[0] < one[0] and other[1] <= one[1]


def _joined(before: Rule, rule: Rule) -> Rule:
    """One rule of two that say the same, in the newer one's words."""
    return rule.model_copy(
        update={
            "strength": max(before.strength, rule.strength),
            "evidence": before.evidence + rule.evidence,
            "belief_ids": tuple(dict.fromkeys([*before.belief_ids, *rule.belief_ids])),
            "episode_ids": tuple(dict.fromkeys([*before.episode_ids, *rule.episode_ids])),
        }
    )
