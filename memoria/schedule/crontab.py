"""Crontab lines as everybody writes them, for APScheduler's crontab, which numbers the days of the week otherwise.

What enters: `minute hour day month weekday`, or @daily and its like. What leaves: APScheduler's fields. It takes Monday
for 0 where cron takes Sunday, so weekdays are handed over by name; and it would need both days to fit where cron takes
either, so a line that names both is refused.
"""

from __future__ import annotations

import re

_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def cron_fields(line: str) -> dict[str, str]:
    """The fields of a line. Raises `ValueError` saying what is wrong with it."""
    values = _NAMED.get(line.strip().lower(), line).split()
    if len(values) != 5:
        raise ValueError(f"it has {len(values)} fields, not five: minute hour day month weekday")
    minute, hour, day, month, weekday = values
    if day != "*" and weekday != "*":
        raise ValueError("it names days of the month and of the week; name one, and make a second job for the other")
    return {"minute": minute, "hour": hour, "day": day, "month": month, "day_of_week": _weekdays(weekday)}


def runs_hourly(fields: dict[str, str]) -> bool:
    """Whether the line means every hour of the day."""
    return fields["hour"] in ("*", "*/1", "0-23")


def _weekdays(text: str) -> str:
    if text == "*":
        return text
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no day of the week; write 0 (Sunday) to 6, or sun to sat")
        first = 0 if match[1] else _day(match[2])
        last = 6 if match[1] else _day(match[3]) if match[3] else 6 if match[4] else first
        if last < first:
            last += 7  # fri-mon, or 5-7
        found.update(number % 7 for number in range(first, last + 1, max(int(match[4] or 1), 1)))
    return ",".join(_DAYS[number] for number in sorted(found))


def _day(name: str) -> int:
    if name.isdecimal() and int(name) <= 7:
        return int(name) % 7
    if name.lower() in _DAYS:
        return _DAYS.index(name.lower())
    raise ValueError(f"{name!r} is no day of the week; write 0 (Sunday) to 6, or sun to sat")
