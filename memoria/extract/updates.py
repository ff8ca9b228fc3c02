"""What is said anew of a matter that the clause itself only hints at.

What enters: a clause. What leaves: the matter that it says has changed or was told wrong ("I changed dentists", "I got
Dad's birthday wrong"), the new value where a later clause gives it without its noun ("I see Dr. Lee now"), and news of
something that only the memory knows the owner of ("the exam is on Friday").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from memoria.extract.phrases import value_of

_OWN = r"(?:my |our |the )?"
_WRONG = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^(?:i |we )?(?:gave|told|said|wrote|typed)(?: you)?(?: down)? the wrong (?:day|date|time|name|number|place|city|one|address|spelling) (?:for|of|to|about) (?:my |our |the )?(?P<what>[\w' -]{3,40}?)$",
        rf"^(?:i |we )?(?:got|had|have|said|gave you|told you|wrote|typed|spelt|spelled|put)(?: down)? {_OWN}(?P<what>(?!the\b|it\b|you\b)[\w' -]{{3,40}}?) wrong(?:ly)?\b",
        rf"^{_OWN}(?P<what>[\w' -]{{3,40}}?) (?:i (?:gave|told|mentioned)(?: you)?|you have(?: for me)?) (?:is|was) (?:wrong|out of date|old|not right|incorrect)\b",
        rf"^(?:i |we )?(?:made|there (?:is|was)) a (?:mistake|typo|slip|mix-?up) (?:about|with|in|on) {_OWN}(?P<what>[\w' -]{{3,40}}?)$",
        rf"^(?:i |we )?(?:mixed|muddled) up {_OWN}(?P<what>[\w' -]{{3,40}}?)$",
    )
)
_CHANGED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^(?:i|we) (?:have )?(?:just |recently |finally )?(?:chang(?:ed|e)|switch(?:ed)?|swapped|replaced|updated|moved) {_OWN}(?P<what>(?!to\b|from\b|over\b|out\b|in\b|into\b|house\b|away\b|on\b|here\b|back\b)[\w' -]{{3,40}}?)$",
        r"^(?:i|we) (?:have |have got |got |now have )(?:just )?(?:got |started )?an? (?:brand[- ]new|new|different) (?P<what>[\w' -]{3,30}?)$",
        r"^(?:i|we) (?:just |have )?(?:started|got|found|took|landed) an? (?:new |different )?(?P<what>job|position|role)$",
        r"^(?:my|our) (?P<what>[\w' -]{3,40}?) (?:has |have |was |were |got )*(?:changed|been changed|is different|is new)(?: now| again| recently)?$",
    )
)
_GIVEN = re.compile(
    r"^(?:i|we) (?:now )?(?:see|have|use|go to|am (?:with|at|on|seeing|using|going to|working (?:at|for))|are (?:with|at|on)|went with|work (?:at|for)|train at|chose|picked|am) (?:an? )?(?P<what>(?:(?:dr|mr|mrs|ms)\.? )?(?-i:[A-Z\d]).*)$",
    re.IGNORECASE,
)
_TIME = r"(?:(?:on |at |every |each |from |an? )+)?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\d|half past|noon|midday|midnight|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]* \d|the \d|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b|quarter)"
_NEWS = re.compile(
    rf"^(?P<the>the |our |this )?(?P<noun>[\w' -]{{3,40}}?) (?:is|are|starts|begins|meets|runs|(?:has |have |was |got |been )*(?:moved|changed|switched|rescheduled|pushed(?: back)?|brought forward)(?: to)?|will be|takes place|falls)(?: actually| now| really)* (?P<value>{_TIME}.*)$",
    re.IGNORECASE,
)
_WEEKLY = re.compile(
    r"^(?:i|we) (?P<phrase>(?:go|do|take|have|play|attend|teach|practi[sc]e|sing|run|see|meet|volunteer|work)(?: to| at| my| the| an?| our| with| in)* (?P<noun>[\w'’ -]{3,30}?) (?P<when>(?:on|every|each) (?:\w+ ){0,2}?(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b.*))$",
    re.IGNORECASE,
)
_SHIFTED = re.compile(
    rf"\b(?:shifted|moved|switched|changed|pushed|put|brought|rescheduled|postponed)(?: back| forward)? (?:my|our|the) (?P<noun>[\w' -]{{3,30}}?)(?: back| forward| over)? to (?P<value>{_TIME}.*)$",
    re.IGNORECASE,
)
_RAISED = re.compile(
    r"^my (?P<drug>[\w-]{4,})(?: dose| dosage)? (?:is|was|has been|got|went)(?: now)? (?:put |gone |brought |turned )?(?:up|down|raised|lowered|increased|reduced|doubled|halved|cut)(?: from .+?)? to (?P<value>\d[\d.,]* ?\w+)",
    re.IGNORECASE,
)
_DOSE = re.compile(
    r"\b(?:lowered|raised|increased|reduced|upped|cut|changed|dropped|put up|doubled|halved|brought down|adjusted|switched|moved)(?: up| down| back)? (?:my|the|me on) (?P<drug>[\w-]{4,})(?: dose| dosage)?(?: down| up| back)?(?: from .+?)? to (?P<value>\d[\d.,]* ?\w+)",
    re.IGNORECASE,
)
_NO_NOUN = frozenset("it he she they that this there i we you what which who today tomorrow".split())


@dataclass(frozen=True)
class Matter:
    """What a clause speaks of without its value: "dentist", "dad's birthday". `changed`: the old value is over."""

    what: str
    changed: bool


def matter_of(text: str) -> Matter | None:
    """The matter that a clause says has changed or was told wrong, without saying how."""
    for patterns, changed in ((_WRONG, False), (_CHANGED, True)):
        for pattern in patterns:
            match = pattern.match(text)
            if match:
                what = match["what"].strip()
                single = what if not what.endswith("s") or what.endswith(("ss", "'s")) else what[:-1]
                return Matter(single, changed)
    return None


def given(text: str) -> str | None:
    """The value that a clause gives without its noun: "I see Dr. Lee now" gives "Dr. Lee"."""
    match = _GIVEN.match(text)
    return value_of(match["what"]) or None if match else None


def news_of(text: str) -> tuple[str, str] | None:
    """What a clause says of a thing whose owner it leaves out, where it is a day or a time: (thing, value)."""
    match = _NEWS.match(text) or _SHIFTED.search(text)
    if match is None or match["noun"].casefold().split()[0] in _NO_NOUN:
        return None
    return match["noun"].strip(), value_of(match["value"], article=True) or match["value"]


def weekly_of(text: str) -> tuple[str, str, str] | None:
    """What the person does on which day of the week: (what, when, the verb phrase)."""
    match = _WEEKLY.match(text)
    if match is None:
        return None
    when = value_of(match["when"], article=True) or match["when"]
    return match["noun"].strip(), when, match["phrase"]


def dose_of(text: str) -> tuple[str, str] | None:
    """A medicine and its new dose: "the doctor lowered my ramipril to 5 mg"."""
    match = _RAISED.match(text) or _DOSE.search(text)
    return (match["drug"].lower(), match["value"].strip()) if match else None
