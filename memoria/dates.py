"""The dates and periods that a question names, as spans of time.

What enters: a question and its "now". What leaves: half-open spans of microseconds. A cheap pattern finds phrases that
can be dates; dateparser (many languages, relative dates) says which day they mean, and is imported only then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from memoria.clock import to_micros

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_NUMBER = r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_SEASON = {
    "spring": 3,
    "summer": 6,
    "autumn": 9,
    "fall": 9,
    "winter": 12,
}  # the month it begins, northern reckoning
# From the longest to the shortest: the first that matches at a place is the phrase.
_PHRASES = (
    r"\d{4}\s*年\s*\d{1,2}\s*月(?:\s*\d{1,2}\s*日)?",
    r"\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?",
    r"\d{1,2}[/.]\d{1,2}[/.]\d{4}",
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b\.?(?:,?\s+\d{{4}})?",
    rf"{_MONTH}\b\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?",
    rf"{_MONTH}\b\.?,?\s+(?:of\s+)?\d{{4}}",
    rf"{_NUMBER}\s+(?:day|week|month|year)s?\s+ago",
    r"(?:last|this|next)\s+(?:day|week|month|year)\b",
    rf"(?:last|this|next)\s+(?:{_DAY}|{_MONTH})\b",
    rf"(?:(?:last|this)\s+)?(?:{'|'.join(_SEASON)})\b(?:\s+(?:of\s+)?\d{{4}})?",
    r"(?:yesterday|today|tonight)\b",
    r"(?:19|20)\d{2}",
    rf"(?P<needs_lead>{_MONTH}\b|{_DAY}\b)",  # "may" and "march" are verbs, unless "in May"
)
_LEAD = r"(?P<lead>before|until|by|since|after|in|on|during|early|late|mid)"
_PHRASE = re.compile(rf"(?<![A-Za-z0-9_])(?:{_LEAD}[\s-]+)?(?P<phrase>{'|'.join(_PHRASES)})(?!\d)", re.IGNORECASE)
_RELATIVE = re.compile(r"^(last|this|next)\s+(\w+)$", re.IGNORECASE)
_NUMERIC = re.compile(r"^(\d{4})(?:[-/.]|\s*年\s*)(\d{1,2})(?:(?:[-/.]|\s*月\s*)(\d{1,2}))?")
_FAR = 1 << 62


@dataclass(frozen=True)
class Span:
    """[start, end) in microseconds since 1970 UTC."""

    start: int
    end: int


@lru_cache(maxsize=512)
def spans_in(question: str, now: datetime) -> tuple[Span, ...]:
    """The spans of time that `question` names, seen from `now` (aware). Empty when it names none."""
    found: list[Span] = []
    for match in _PHRASE.finditer(question):
        lead = (match.group("lead") or "").lower()
        if match.group("needs_lead") and not lead:
            continue
        phrase = match.group("phrase").strip()
        period = _period(phrase.lower(), now)
        if period is not None:
            found.append(_sided(*period, lead))
    return tuple(found)


def _sided(start: datetime, end: datetime, side: str) -> Span:
    first, last = to_micros(start), to_micros(end)
    if side in ("before", "until", "by"):
        return Span(-_FAR, last if side == "by" else first)
    if side in ("since", "after"):
        return Span(first if side == "since" else last, _FAR)
    return Span(first, last)


def _period(phrase: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The phrase's first moment and the first one after it; None when it is no date after all."""
    try:
        return _numeric(phrase) or _season(phrase, now) or _relative(phrase, now) or _parsed(phrase, now)
    except (ValueError, OverflowError):
        return None  # "2023-14" or a year beyond the calendar: a number that only looked like a date


def _numeric(phrase: str) -> tuple[datetime, datetime] | None:
    match = _NUMERIC.match(phrase)
    if match is None:
        if re.fullmatch(r"\d{4}", phrase):
            return _span_of(datetime(int(phrase), 1, 1, tzinfo=UTC), "year")
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3] or 1)
    return _span_of(datetime(year, month, day, tzinfo=UTC), "day" if match[3] else "month")


def _season(phrase: str, now: datetime) -> tuple[datetime, datetime] | None:
    words = phrase.split()
    name = next((word for word in words if word in _SEASON), None)
    if name is None:
        return None
    first = _SEASON[name]
    if words[-1].isdigit():
        year = int(words[-1])
    else:
        year = now.year if (now.month >= first and words[0] != "last") else now.year - 1
    start = datetime(year, first, 1, tzinfo=UTC)
    return start, _months_on(start, 3)


def _relative(phrase: str, now: datetime) -> tuple[datetime, datetime] | None:
    match = _RELATIVE.match(phrase)
    if match is None or match[2] not in ("week", "month", "year", "day"):
        return None
    step = {"last": -1, "this": 0, "next": 1}[match[1]]
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if match[2] == "year":
        return _span_of(day.replace(year=day.year + step, month=1, day=1), "year")
    if match[2] == "month":
        return _span_of(_months_on(day.replace(day=1), step), "month")
    days = 7 if match[2] == "week" else 1
    start = day - timedelta(days=day.weekday() if days == 7 else 0) + timedelta(days=days * step)
    return start, start + timedelta(days=days)


def _parsed(phrase: str, now: datetime) -> tuple[datetime, datetime] | None:
    data = _parser(now.replace(tzinfo=None)).get_date_data(phrase.removeprefix("last ").removeprefix("this "))
    if data.date_obj is None:
        return None
    date = data.date_obj.replace(tzinfo=UTC)
    period = "week" if "week" in phrase else "month" if "month" in phrase else data.period
    return _span_of(date, period)


def _span_of(date: datetime, period: str) -> tuple[datetime, datetime]:
    day = date.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "year":
        start = day.replace(month=1, day=1)
        return start, start.replace(year=start.year + 1)
    if period == "month":
        start = day.replace(day=1)
        return start, _months_on(start, 1)
    if period == "week":
        start = day - timedelta(days=day.weekday())
        return start, start + timedelta(days=7)
    return day, day + timedelta(days=1)


def _months_on(start: datetime, months: int) -> datetime:
    whole = start.year * 12 + start.month - 1 + months
    return start.replace(year=whole // 12, month=whole % 12 + 1)


def _parser(now: datetime) -> Any:
    from dateparser.date import DateDataParser  # noqa: PLC0415  # a tenth of a second to import; most questions need none

    settings = {"RELATIVE_BASE": now, "PREFER_DATES_FROM": "past", "RETURN_AS_TIMEZONE_AWARE": False}
    return DateDataParser(languages=["en"], settings=settings)
