"""When a job is due: its slots, as every worker reckons them alike.

What enters: an interval or a crontab line, and two moments (microseconds since 1970 UTC). What leaves: the slots
between them. Which slots there are depends on nothing else: not on when a worker began, nor on how the time was cut
into questions. APScheduler's crontab is asked for times on a wall clock without summer time, and what those are in UTC
is settled here: its own answer gives a daily job a second slot on the night that an hour comes twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, timedelta, tzinfo
from typing import Any, Protocol

from memoria.clock import from_micros, to_micros
from memoria.schedule.crontab import cron_fields, runs_hourly

_HOUR = 3_600_000_000
_NEVER = 40 * 366 * 24 * _HOUR  # 29 February is eight years away at most
_SHIFT = 26 * _HOUR  # no clock was ever put forward or back by more


class Slots(Protocol):
    """A job's slots."""

    def next(self, after: int) -> int | None:
        """The first slot after a moment; None where there is none in forty years."""
        ...

    def last(self, after: int, until: int, limit: int) -> list[int]:
        """The latest slots, `limit` at most, of those after `after` and not after `until`; earliest first."""
        ...


class Every:
    """Slots at whole multiples of an interval (microseconds) since 1970 UTC."""

    def __init__(self, interval: int) -> None:
        self.interval = interval

    def next(self, after: int) -> int:
        """The first slot after a moment."""
        return (after // self.interval + 1) * self.interval

    def last(self, after: int, until: int, limit: int) -> list[int]:
        """The latest slots between two moments."""
        newest = until // self.interval
        oldest = max(after // self.interval + 1, newest - limit + 1)
        return [number * self.interval for number in range(oldest, newest + 1)]


class Cron:
    """Slots by a crontab line on the wall clock of `zone`.

    As cron does it: a slot in the hour that summer time skips is an hour later; of an hour that comes twice only the
    first counts. A line for every hour goes by real time instead: nothing in the hour that is skipped, both hours where
    there are two.
    """

    def __init__(self, line: str, zone: tzinfo = UTC) -> None:
        """Raises `ValueError` saying what is wrong with the line."""
        from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  # with its time zones, 0.1 s to import

        fields = cron_fields(line)
        self._wall: Any = CronTrigger(**fields, timezone=UTC)
        self._hourly = runs_hourly(fields)
        self._zone = zone

    def next(self, after: int) -> int | None:
        """The first slot after a moment."""
        if self._zone is UTC:
            found = self._wall.get_next_fire_time(None, from_micros(after + 1))
            return None if found is None else to_micros(found)
        size = _HOUR
        while size < _NEVER:
            slots = self._between(after, after + size)
            if slots:
                return slots[0]
            size *= 4
        return None

    def last(self, after: int, until: int, limit: int) -> list[int]:
        """The latest slots between two moments."""
        size = _HOUR
        while True:
            begin = max(after, until - size)
            slots = self._between(begin, until)
            if len(slots) >= limit or begin == after:
                return slots[-limit:]
            size *= 4

    def _between(self, after: int, until: int) -> list[int]:
        if self._zone is UTC:
            return list(self._walls(after, until))
        offset = self._offset
        low = min(offset(after - _SHIFT), offset(after), offset(after + _SHIFT))
        high = max(offset(until - _SHIFT), offset(until), offset(until + _SHIFT))
        found: set[int] = set()
        for wall in self._walls(after + low - 1, until + high):
            found.update(self._instants(wall))
        return sorted(each for each in found if after < each <= until)

    def _walls(self, after: int, until: int) -> Iterator[int]:
        """The wall clock's own slots, written as if it were UTC."""
        while True:
            found = self._wall.get_next_fire_time(None, from_micros(after + 1))
            if found is None or (after := to_micros(found)) > until:
                return
            yield after

    def _instants(self, wall: int) -> list[int]:
        shown = from_micros(wall).replace(tzinfo=self._zone)
        first = shown.astimezone(UTC)
        if not self._hourly:
            return [to_micros(first)]
        if first.astimezone(self._zone).replace(fold=0) != shown:
            return []  # the clock never shows that time
        return sorted({to_micros(first), to_micros(shown.replace(fold=1).astimezone(UTC))})

    def _offset(self, moment: int) -> int:
        offset = from_micros(moment).astimezone(self._zone).utcoffset()
        return 0 if offset is None else offset // timedelta(microseconds=1)


def jitter_of(job: str, target: str, slot: int, most: int) -> int:
    """How much later than its slot a target's run is due: from 0 to below `most` microseconds, the same for everybody
    who asks, and spread evenly over targets."""
    if most <= 0:
        return 0
    digest = hashlib.blake2b(f"{job}\n{target}\n{slot}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") * most >> 64
