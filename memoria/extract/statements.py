"""What a clause states of its subject.

What enters: a clause read for its subject. What leaves: proposals: facts and tastes from the verb phrase, values of
attributes ("my phone number is ..."), and what it says has ended or never was so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from memoria.extract.changes import Ended, Turned, ended_by, instead_of, is_gone, turn_round
from memoria.extract.facts import Finding, read_phrase
from memoria.extract.ontology import Ontology
from memoria.extract.people import People
from memoria.extract.phrases import moment_of, value_of, values_of
from memoria.extract.proposals import SELF, Proposal
from memoria.extract.subjects import ADJECTIVE, About
from memoria.extract.tastes import Taste, read_tastes

_FAVOURITE = re.compile(
    r"^(?:(?:all[- ]time|absolute|new|current|personal|top|\w+'s) )*(?:favou?rite|preferred|go-to|fave) (?P<what>[\w' -]+)$",
    re.IGNORECASE,
)
_IS_FAVOURITE = re.compile(
    r"^(?:is|are|has become|became|have become|was|were)(?: now| definitely| easily| probably| still)* (?:my|our)(?: new| all[- ]time| absolute| current)* (?:favou?rite|fave|go-to) (?P<what>[\w -]+)",
    re.IGNORECASE,
)
_COPULA = re.compile(
    r"^(?P<verb>is|are|was|will be|has been|has always been|became|has become|changed to|has changed to|is now|starts(?: at| on)?|begins(?: at| on)?|ends(?: at| on)?|finishes(?: at| on)?|opens(?: at| on)?|closes(?: at| on)?|takes(?: me| us)?|lasts|rehearses(?: on| at)?|trains(?: on| at)?|plays(?: on| at)?|weighs|expires(?: on| in)?|gets together|meets|falls on|runs on|takes place|moved to|got moved to|has moved to|was moved to|costs|is called|are called|is named|will now be|is actually|is going to be|turned out to be)\s+(?P<value>.+)$",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"^(?:(?:now|actually|really|called|named|currently|still|on|at|every|around|about|in|from|the|an?|probably|definitely|officially)\s+)*[A-Z0-9\"'“+#€$£]|^\w*[_@\d][\w@.-]*$|^(?:on|at|every|in)\s+\w+|^(?:an?|the)\s+\w+",
    0,
)
_JUNK = re.compile(
    r"^(?:head|heart|brain|legs|feet|face|mouth|stomach|life|bowl|mind|voice|question|problem|guess|code|point|concern|idea|issue|understanding|thought|thinking|goal|plan|hope|answer|opinion|advice|file|function|program|query|data|table|model|app|website|day|week|weekend|bad|turn|fault|intention|aim|assignment|homework|essay|task|project|input|output|only \w+|main \w+|first \w+|biggest \w+|next \w+|last \w+|other \w+)$",
    re.IGNORECASE,
)
_OUTRIGHT = re.compile(
    r"^(?:(?:really|absolutely|also|still|always|just|truly|secretly) )*(?:loves?|loved|likes?|enjoys?|adores?|hates?|dislikes?|prefers?|avoids?|can not stand|detests?|(?:do|does) not (?:like|enjoy|eat|drink)"
    r"|(?:is|are) (?:allergic to|(?:a |an )?(?:\w+ )?(?:fan of|fond of|obsessed with|crazy about|afraid of|scared of|terrified of)))\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"^(?:to(?= \w+$)|now|actually|really|in fact|currently|still|called|named|probably|definitely|officially|always|also|not .*? but)\s+",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(
    r"^(?:not|so|very|too|really|quite|being|getting|going|coming|killing|broken|dead|ready|sick|fine|okay|ok|good|great|bad)\b",
    re.IGNORECASE,
)
_SORT = re.compile(rf"^(?:{ADJECTIVE}|real|actual|correct|full|usual|regular|current|whole)\s+(?=\w)", re.IGNORECASE)
_WHEN = re.compile(r"^(?:on|at|every|in|from)\s+", re.IGNORECASE)
_DOING = re.compile(
    r"^(?:\w+ly )?(?:am|have|has|go|goes|do|does|use|take|see|attend|play|eat|drink)\w*(?: to| with)?\s+", re.IGNORECASE
)
_OF = re.compile(r" (?:by|in|at|for|to|from|on|with|of) .*$")
_OTHER = re.compile(r"\b(?:dream|ideal|next|last|previous|first|ex|former|old|future|worst|best|second|part[- ]time)\b")
_MORE = re.compile(r"\b(?:any ?more|any longer|no longer)\b", re.IGNORECASE)
_NOT_BUT = re.compile(r"\bnot\b.*(?:\bbut\b|,)", re.IGNORECASE)
_PAST_STATE = re.compile(
    r"^(?:worked|lived|studied|owned|drove|belonged|dated|taught|played|spoke|used)\b(?! to\b)", re.I
)
_ANIMALS = frozenset(("dog", "cat", "pet"))
_LONGEST_VALUE = 8  # words


class Statements:
    """Reads clauses by an ontology. `correcting`: the turn takes back something said before."""

    def __init__(self, ontology: Ontology, people: People) -> None:
        self._ontology, self._people = ontology, people

    def read(self, about: About, base: Proposal, said: datetime, speaker: str, *, correcting: bool) -> list[Proposal]:
        """The proposals of one clause; `base` has its subject and its place in the turn."""
        if about.noun is not None:
            return self._attribute(about, base, correcting)
        favourite = _IS_FAVOURITE.match(about.phrase)
        if favourite:
            what = value_of(favourite.group("what")).lower()
            return [_favourite(replace(base, subject=speaker), what, about.subject)]
        mine = self._people.mine(about, base)
        if mine:
            return mine
        turned = turn_round(about.phrase)
        if turned is not None:
            return self._turned(turned, about, base, said, speaker)
        ended = ended_by(about.phrase)
        if ended is not None:
            return _endings(base, ended, read_phrase(about.phrase))
        if is_gone(about.phrase) and about.relation in (None, *_ANIMALS):
            own = about.subject == speaker
            gone = replace(base, subject=SELF, kind="ending", object=about.named or about.subject, act="end")
            return [] if own else [gone]
        return self._plain(about, base, said, speaker, correcting)

    def _plain(self, about: About, base: Proposal, said: datetime, speaker: str, correcting: bool) -> list[Proposal]:
        told = [each for each in read_phrase(about.phrase) if each.predicate != "name" or about.relation is None]
        if _PAST_STATE.match(about.phrase) and told and base.until is None:  # "I worked at Nokia": a thing of the past
            base = replace(base, until=moment_of(said), since=None)
        diets = [each for each in told if each.predicate == "diet" and about.subject == speaker]
        found = [_fact(base, each) for each in told if each not in diets]
        wrong = instead_of(about.phrase)
        if wrong and found:
            found = [replace(found[0], object=wrong, act="deny", since=None), *found]
        if correcting:
            found = [replace(each, context="correction") if each.act != "deny" else each for each in found]
        found += [_diet(base, each) for each in diets]  # how one eats is a preference too, one at a time
        tastes = () if diets else _tastes(about, about.phrase, speaker)
        return found + [taste_proposal(base, each) for each in tastes]

    def _turned(self, turned: Turned, about: About, base: Proposal, said: datetime, speaker: str) -> list[Proposal]:
        """ "no longer ...", "used to ...", "do not ..."."""
        tastes = _tastes(about, about.phrase, speaker)
        mine = [p for each in turned.phrases for p in self._people.mine(replace(about, phrase=each), base)]
        if mine and not turned.past:  # "Marcus is not my boyfriend any more"
            return [replace(each, act="end", since=None) for each in mine if each.kind != "alias"]
        found = [finding for each in turned.phrases for finding in read_phrase(each)]
        if turned.past:
            liked = [taste for each in turned.phrases for taste in read_tastes(each)][:1]
            past = replace(base, until=moment_of(said), since=None)
            return [taste_proposal(past, each) for each in liked] or [_fact(past, each) for each in found]
        if turned.never and tastes:  # "I am not into running": a dislike, and no end of a hobby
            return [taste_proposal(base, each) for each in tastes]
        if found:
            over, own = replace(base, act="end", since=None), about.subject == speaker
            return [_diet(over, each) if own and each.predicate == "diet" else _fact(over, each) for each in found]
        if tastes:
            return [taste_proposal(base, each) for each in tastes]
        words = value_of(_DOING.sub("", turned.phrases[0]))
        return [] if turned.never or not words else [replace(base, kind="ending", object=words, act="end")]

    def _attribute(self, about: About, base: Proposal, correcting: bool) -> list[Proposal]:
        noun = about.noun or ""
        if is_gone(about.phrase):
            return [replace(base, kind="ending", object=noun, act="end")]
        if turn_round(about.phrase) is not None and not _NOT_BUT.search(
            about.phrase
        ):  # "my office is not there any more"
            name = self._predicate(_SORT.sub("", noun))
            over = bool(_MORE.search(about.phrase)) and self._ontology.predicate(name).single
            return [replace(base, kind="ending", predicate=name, object="", act="end")] if over else []
        copula = _COPULA.match(about.phrase)
        if copula is None:
            ended = ended_by(about.phrase)
            if ended is None or not ended.instead:
                return []
            return [replace(base, kind="ending", object=ended.what, instead=ended.instead, act="end")]
        raw = _HEDGE.sub("", copula.group("value"))
        noun = _SORT.sub("", noun)
        favourite = _FAVOURITE.match(noun)
        wrong = instead_of(raw)
        if favourite:
            values = values_of(raw)[:1] if wrong else [value_of(raw)]
            return [_favourite(base, favourite.group("what").lower(), value) for value in values if value]
        predicate = self._predicate(noun)
        known = predicate in self._ontology.predicates or noun in self._ontology.attributes
        value = value_of(raw, article=bool(_WHEN.match(raw)) and not known) or raw
        wordy = len(value.split()) > _LONGEST_VALUE
        if wordy or _JUNK.match(noun) or _NO_VALUE.match(raw) or not (known or _VALUE.match(raw)):
            return []
        fact = replace(base, predicate=predicate, object=value, context="correction" if correcting else None)
        denied = [replace(fact, object=wrong, act="deny", since=None, context=None)] if wrong else []
        if predicate == "name" and "'s " in about.subject:
            return [*denied, *self._people.named(about, base, value)]
        return [*denied, fact]

    def _predicate(self, noun: str) -> str:
        """The predicate of an attribute's noun: "commute by train" is a commute, "offices" an office, "morning
        medication" a medication."""
        last = noun.rsplit(" ", 1)[-1] if "'" not in noun else noun
        for each in (noun, _OF.sub("", noun), noun.removesuffix("s"), last):
            name = self._ontology.attributes.get(each) or self._ontology.relations.get(each)
            if name is None and each in self._ontology.predicates:
                name = each
            if name and (each == noun or not _OTHER.match(noun)):
                return name
        return noun


def _fact(base: Proposal, finding: Finding) -> Proposal:
    act = finding.act if base.act == "affirm" else base.act
    return replace(base, predicate=finding.predicate, object=finding.value, act=act)


def _tastes(about: About, phrase: str, speaker: str) -> tuple[Taste, ...]:
    """Of others only what is said outright of a person: "my wife loves orchids"."""
    return read_tastes(phrase) if about.subject == speaker or _OUTRIGHT.match(phrase) else ()


def taste_proposal(base: Proposal, taste: Taste) -> Proposal:
    """A taste as a proposal."""
    return replace(
        base,
        kind="preference",
        object=taste.topic,
        polarity=taste.polarity,
        strength=taste.strength,
        explicit=taste.explicit,
    )


def _favourite(base: Proposal, what: str, value: str) -> Proposal:
    return replace(base, kind="preference", predicate=f"favourite {what}", object=value, strength=0.9)


def _diet(base: Proposal, finding: Finding) -> Proposal:
    statement = f"{base.subject} is {finding.value}"
    act = finding.act if base.act == "affirm" else base.act
    return replace(
        base, kind="preference", predicate="diet", object=finding.value, strength=0.9, statement=statement, act=act
    )


def _endings(base: Proposal, ended: Ended, findings: Sequence[Finding]) -> list[Proposal]:
    base = replace(base, act="end")
    found = [replace(base, kind="ending", predicate=slot, object="") for slot in ended.slots]
    if ended.what and not (ended.slots and ended.slots[0] == "employer"):
        found.append(replace(base, kind="ending", object=ended.what, instead=ended.instead))
    began = [f for f in findings if f.act == "change" or f.predicate in ("occupation", "relationship status")]
    return found + [_fact(replace(base, act="affirm"), f) for f in began]
