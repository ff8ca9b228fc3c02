"""Trimming what a rule caught to the phrase that is meant, and reading when it holds.

What enters: words after a verb. What leaves: a value without time, reason and afterthought, and the valid time said.
"""

from __future__ import annotations

import re
from datetime import datetime

from memoria.clock import from_micros, to_micros
from memoria.dates import spans_in

_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_NUMBER = r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|several|many|a few|a couple(?: of)?|about|almost|nearly|over|the (?:last|past))"
_TIME = (
    rf"(?:since|for (?:about |over |almost |nearly |the last |the past |around )?{_NUMBER}\b|{_NUMBER} (?:years?|months?|weeks?|days?) (?:ago|now)"
    rf"|(?:last|next|this|these|every|each|most) \w+|yesterday|today|tonight|tomorrow|nowadays|lately|recently|right now|at the moment|at present|now"
    rf"|any ?more|any longer|(?:back )?in (?:early |late |mid-?)?(?:{_MONTH}\b|(?:19|20)\d\d)|on (?:{_DAY}|{_MONTH}\b|the \d)|starting|beginning|as of|from (?:next|now)"
    rf"|until|till|once|twice|three times|again|instead|too|as well(?! as)|also|together|by the way|btw|though|actually|honestly|so far|for now|by now|soon|already)"
)
_REASON = (
    r"(?:because|when|while|which|who\b|whose|where|that\b|so\b|but\b|after|before|although|since|if|unless|as (?:i|we|it|my|a result)\b|due to|thanks to|with (?:my|our|the|a|some)\b"
    r"|and (?:i|we|my|it|she|he|they|now|then|the|love|hate|am|have|was|got)\b|to (?:be|help|get|keep|avoid|save|stay|learn|make|have|see|work|reduce)\b|rather than|instead of|not\b|using\b)"
)
_CUT = re.compile(
    rf"(?:,(?!\d)|[;(!?]|:(?=\s)|\s[–—-]{{1,2}}\s|\s+{_TIME}(?=\W|$)|\s+{_REASON}).*$", re.IGNORECASE | re.DOTALL
)
_CUT_TIME = re.compile(rf"(?:,(?!\d)|[;(!?]|\s[–—-]{{1,2}}\s|\s+{_TIME}(?=\W|$)).*$", re.IGNORECASE | re.DOTALL)
_LEAD = re.compile(
    r"^(?:an?|the|my|our|some|his|her|their|this|that|such|called|named|about|around|exactly|currently)\s+",
    re.IGNORECASE,
)
_SINCE = re.compile(
    r"\b(?:since|starting|as of|from|back in|in|last|yesterday|today|\w+ (?:years?|months?|weeks?|days?) ago|on|next|tomorrow)\b[^,;]*",
    re.IGNORECASE,
)
_LIST = re.compile(r"\s*(?:,\s*(?:and|or)?|\band\b|\bor\b|&|\bas well as\b|\bplus\b)\s*", re.IGNORECASE)


def value_of(text: str, *, keep_reason: bool = False, article: bool = False) -> str:
    """The value at the head of `text`: cut before time, reason and afterthought; leading articles go unless asked for."""
    cut = (_CUT_TIME if keep_reason else _CUT).sub("", " " + text.strip()).strip(" .'\"“”*_")
    while not article and (lead := _LEAD.match(cut)):
        cut = cut[lead.end() :]
    return cut.strip(" .'\"“”*_")


def values_of(text: str) -> list[str]:
    """The members of an enumeration at the head of `text` ("Spanish, some French and a bit of Dutch")."""
    head = re.sub(
        rf"(?:[;(!?]|:(?=\s)|\s[–—-]{{1,2}}\s|\s+{_TIME}(?=\W|$)|\s+{_REASON}).*$",
        "",
        " " + text.strip(),
        flags=re.I | re.S,
    )
    found = [
        value_of(re.sub(r"^(?:both|a (?:bit|little) of|a little|some)\s+", "", part.strip(), flags=re.I))
        for part in _LIST.split(head)
    ]
    return [each for each in found if each and len(each.split()) <= 6]


def since_of(text: str, said: datetime) -> int | None:
    """From when on, in microseconds, where `text` says so ("last month", "since 2019"); None where it does not."""
    match = _SINCE.search(text)
    if match is None:
        return None
    spans = spans_in(match.group(), said)
    return spans[0].start if spans else None


def still_ahead(since: int, said: datetime) -> int:
    """A day (microseconds), in the first year in which it lies after `said`."""
    day = from_micros(since)
    while day < said:
        leap = (day.month, day.day) == (2, 29)
        day = day.replace(year=day.year + 1, day=28 if leap else day.day)
    return to_micros(day)


def clip(text: str, most: int) -> str:
    """`text` on one line, at most `most` characters, whole words."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[:most].rsplit(" ", 1)[0]


_ADVERB = re.compile(r"^((?:always|usually|often|also|still|only|just|then|normally|mostly|sometimes|never) )*", re.I)
_IRREGULAR = {"have": "has", "do": "does", "am": "is", "are": "is", "go": "goes"}


def third_person(phrase: str) -> str:
    """A verb phrase of the first person ("take my tea black") in the third ("takes their tea black")."""
    lead = _ADVERB.match(phrase)
    begin = lead.end() if lead else 0
    verb, _, rest = phrase[begin:].partition(" ")
    low = verb.lower()
    if low in _IRREGULAR:
        verb = _IRREGULAR[low]
    elif not low.endswith("ed") and not low.endswith("ing") and low.isalpha():
        ending = "es" if re.search(r"(?:s|sh|ch|x|z|o)$", low) else "s"
        verb = f"{verb[:-1]}ies" if re.search(r"[^aeiou]y$", low) else verb + ending
    rest = re.sub(r"\b(?:my|our)\b", "their", rest, flags=re.IGNORECASE)
    return f"{phrase[:begin]}{verb} {rest}".strip()


def moment_of(said: datetime) -> int:
    """Microseconds of when something was said."""
    return to_micros(said)
