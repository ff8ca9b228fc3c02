"""The one place that reads the time.

What enters: nothing, or a moment. What leaves: aware UTC datetimes and whole microseconds since 1970.
It exists so that tests can set the clock, and so that no other module ever asks the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def utc_now() -> datetime:
    """The machine's time as an aware UTC datetime."""
    return datetime.now(UTC)


def to_micros(moment: datetime) -> int:
    """Whole microseconds from 1970-01-01 UTC to an aware `moment` (negative before it)."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime that `to_micros` came from."""
    return _EPOCH + micros * _MICROSECOND


def stopwatch() -> float:
    """Seconds on a clock that only runs forward; differences alone have a meaning."""
    return time.perf_counter()


def processor_time() -> float:
    """Seconds that this process has spent on a processor; differences alone have a meaning."""
    return time.process_time()
