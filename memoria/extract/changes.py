"""What is so no longer, and what was never so.

What enters: a clause's verb phrase. What leaves: the phrase turned round ("no longer live in Boston" is the end of
"live in Boston"), or an `Ended`: the words for what ended ("gave up coffee"), perhaps with what took its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from memoria.extract.phrases import value_of

_MORE = r"(?:any ?more|any longer)"
_NO_LONGER = re.compile(
    rf"^(?:(?:am|is|are|do|does|have|has) )?no longer (?P<vp>.+)$|^(?P<be>am|is|are|was) not (?P<bevp>.+?)(?:,? {_MORE}\b.*)$|^(?:do|does|can|will) not (?P<dovp>.+?),? {_MORE}\b.*$|^(?:have|has) not (?P<havevp>.+?),? {_MORE}\b.*$",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"^(?:(?P<be>am|is|are) not (?P<bevp>.+)|(?:do|does) not (?:actually |really |even )?(?P<dovp>.+))$", re.IGNORECASE
)
_USED_TO = re.compile(r"^(?:used to|would always|once) (?P<vp>.+)$", re.IGNORECASE)
_STOP = re.compile(
    r"^(?:(?:have|has|had|was|were|am|is|got|decided to|had to|finally|officially|recently|ended up|have decided to|has to) )*(?:just |finally |also |recently |officially )?"
    r"(?P<verb>stop(?:ped|ping)?|quit(?:ting)?|gave up|given up|giving up|give up|ditch(?:ed|ing)?|dropped(?: out of)?|done with|cancel(?:l?ed|l?ing)?|ended|sold|selling|sell|got rid of|gave away|lost|returned|donated|let go of|left|leaving|resign(?:ed)? from|retired from"
    r"|stepped down (?:from|as)|laid off from|fired from|let go (?:from|by)|unsubscribed from|deleted|uninstalled|moved out of|moved away from|broke up with|split up with|split with|separated from|divorced|broke off|called off|rehomed|traded in|closed down|closed|shut down|wound up|took a break from|on a break from|kicked|dropped|cut out|off|weaned off|come off|came off|finished|wrapped up|graduated from|junked|scrapped|totall?ed|gave back|handed in|handed back|let .{3,30}? lapse)"
    r"(?:\s+(?P<o>.+))?$",
    re.IGNORECASE,
)
_OUT_OF_WORK = re.compile(
    r"^(?:(?:have|has|was|were|got|been|am|is|are|decided to|handed in|had to) )*(?:just |finally |recently )?(?:laid off|made redundant|fired|let go|quit|resigned|resign|retired|retire|lost|left|notice|unemployed|out of work|between jobs|my (?:two weeks'? )?notice|quit working|stopped working|not working)(?: (?:my|the|this|that|her|his) (?:\w+ ){0,2}?(?:job|position|role|work|post|gig)\b.*)?(?:$|(?: (?:last|this|in|on|from my job|from work|yesterday|today|for good|as|entirely|altogether|because)\b).*)",
    re.IGNORECASE,
)
_LEFT_JOB = re.compile(
    r"^(?:(?:have|has|just|finally|got|was|been|had to) )*(?:quit|left|lost|gave up|given up|resigned from|stepped down from|leaving|laid off from|fired from|let go from|quitting)(?: from)? (?:my|the|that|her|his|this)(?: \w+){0,3}? (?:job|position|role|gig|post|work)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"^(?:(?:have|has|had|are|am|is|got|were|recently|finally|just|decided to|went through a|called it) )*(?:broke up|broken up|break up|split up|split|separated|divorced|divorce|getting divorced|getting a divorce|breakup|quits|single again|parted ways|not together|called off (?:the|our) (?:wedding|engagement)|broke off (?:the|our) engagement|ended things|ended it|ended (?:my|our) (?:relationship|engagement|marriage))\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_SWITCH = re.compile(
    r"^(?:(?:have|has|had|just|finally|recently|decided to|ended up) )*(?:switch(?:ed|ing)?|chang(?:ed|e|ing)|moved|swap(?:ped)?|went|migrat(?:ed|e)|transition(?:ed)?|replac(?:ed|e)|trad(?:ed|e)(?: in)?|exchang(?:ed|e)|convert(?:ed)?|downgraded|upgraded|pushed|shifted|rescheduled)"
    r"(?:(?P<what> (?:my|the|our) [\w' ]+?))?(?:(?: over| jobs| careers?| things)? from (?P<old>.+?) (?:to|into|for) (?P<new>.+)|(?: in)? (?P<old2>(?:my|our|the|an?) .+?) (?:for|with|by) (?P<new2>.+))$",
    re.IGNORECASE,
)
_MOVED = re.compile(r"^(?:(?:have|has|had|just|recently|finally) )*(?:moved|relocated) from\b", re.IGNORECASE)
_GONE = re.compile(
    r"^(?:(?:has|have|had|was|were|is|are|got|sadly|unfortunately|suddenly|finally) )*(?:just |recently |finally )?(?:passed away|passed(?=$| (?:last|this|on|in|yesterday))|died|cancel?led|expired|lapsed|put down|put to sleep|run out|ran out|ended|over|closed(?: down)?|shut down|discontinued|stolen|totall?ed|gone|sold|finished|dissolved|disbanded|crossed the rainbow bridge)\b",
    re.IGNORECASE,
)
_INSTEAD_OF = re.compile(
    r"(?:,?\s*(?:and\s+)?\bnot|\binstead of|\brather than)\s+(?P<old>(?!only\b|just\b|because\b|that\b|very\b|really\b|sure\b|too\b|yet\b|going\b|far\b|as\b)[^,;.]+)",
    re.IGNORECASE,
)
CORRECTING = re.compile(
    r"\b(?:actually|correction|i misspoke|misspoke|i meant|i mean(?=,|\s+\w+ not)|scratch that|my mistake|my bad|oops|i was wrong|(?:got|had|have|wrote|typed|spelt|spelled|said|told you|gave you|put)\b.{0,40}\bwrong\b|made a (?:mistake|typo|slip)|misspel(?:t|led)|mixed up|told you wrong|that was wrong|that's wrong|not right|typo|mixed (?:it|that|them|those)? ?up|i said .{2,60}? but|wait,? no|strike that|let me correct|to correct|got confused|wrong about|wrong (?:name|day|date|number|city|place)|mistyped|misremembered|should be|i told you wrong)\b",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"^(?:i (?:meant|mean)(?: to say)?|it is|that is|that should be|it should be|should be|make that|it was|that was|should have said)\s+(?:actually |really |in fact )?(?P<new>.+)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Ended:
    """What ended, in the speaker's words; `slots` end whole; `instead` took its place. `never`: it never was so."""

    what: str = ""
    slots: tuple[str, ...] = ()
    instead: str | None = None
    never: bool = False


@dataclass(frozen=True)
class Turned:
    """The same phrase said the right way round, and what it is an end of: `never` for plain denials."""

    phrases: tuple[str, ...]
    past: bool = False
    never: bool = False


_COUPLE = ("partner", "wife", "husband", "girlfriend", "boyfriend", "fiance")
_JOB = ("employer", "occupation")


def turn_round(phrase: str) -> Turned | None:
    """The positive of a phrase that says that something is so no longer, or used to be, or is not; None for others."""
    match = _NO_LONGER.match(phrase)
    if match:
        be = match.group("be")
        said = next(
            g for g in (match.group("vp"), match.group("bevp"), match.group("dovp"), match.group("havevp")) if g
        )
        return Turned(_forms(said, be))
    used = _USED_TO.match(phrase)
    if used:
        return Turned((used.group("vp"), re.sub(r"^be\b", "am", used.group("vp"))), past=True)
    stop = _STOP.match(phrase)
    if stop and stop.group("o") and re.match(r"(?:\w+ly )?\w+ing\b", stop.group("o")):
        return Turned(_forms(stop.group("o"), None))
    negated = _NOT.match(phrase)
    if negated:
        return Turned(_forms(negated.group("bevp") or negated.group("dovp"), negated.group("be")), never=True)
    return None


def _forms(said: str, be: str | None) -> tuple[str, ...]:
    """Ways in which the rules may know the phrase: as it is, with "am", and with the gerund taken back."""
    forms = [f"{be} {said}"] if be else [said, f"am {said}"]
    gerund = re.match(r"(\w+?)(?:(\w)\2)?ing\b(.*)$", said)
    if gerund:
        stem, double, rest = gerund.group(1), gerund.group(2) or "", gerund.group(3)
        forms += [f"{stem}{double}{rest}", f"{stem}{double}e{rest}", f"{stem}{double}{double}{rest}"]
    return tuple(forms)


def ended_by(phrase: str) -> Ended | None:
    """What the verb phrase of a first person says has ended; None where it says no such thing."""
    split = _SPLIT.match(phrase)
    if split:
        return Ended(value_of(re.sub(r"^\s*with\s+", "", split.group("rest"))), slots=_COUPLE)
    if _OUT_OF_WORK.match(phrase) or _LEFT_JOB.match(phrase):
        return Ended(slots=_JOB)
    switch = _SWITCH.match(phrase)
    if switch:
        old = switch.group("old") or switch.group("old2")
        new = switch.group("new") or switch.group("new2")
        if _MOVED.match(phrase) and value_of(old)[:1].isupper():  # "moved from Paris to Lyon" is where one lives
            return None
        return Ended(value_of(old), instead=value_of(new))
    stop = _STOP.match(phrase)
    if stop is None or not stop.group("o"):
        return None
    what = value_of(stop.group("o"))
    verb = stop.group("verb").lower()
    if verb.startswith("dropped out"):
        return Ended(what, slots=("school", "field of study"))
    if verb in ("finished", "lost", "returned", "ended", "closed", "off") and not re.match(
        r"(?:my|our|the)\b", stop.group("o"), re.I
    ):
        return None
    return Ended(what) if what and len(what.split()) <= 8 else None


def is_gone(phrase: str) -> bool:
    """Whether the verb phrase says that its subject is no more ("passed away", "was cancelled")."""
    return bool(_GONE.match(phrase))


def instead_of(text: str) -> str | None:
    """The value that a clause says was wrong: "Carla, not Clara" gives Clara."""
    match = _INSTEAD_OF.search(text)
    return value_of(match.group("old")) or None if match else None


def meant(text: str) -> str | None:
    """The value of a bare correction: "I meant Thursday", "it's Carla"."""
    match = _MEANT.match(text)
    return value_of(match.group("new")) or None if match else None
