"""Slots: the same whoever asks, however often; jitter; summer time; crontab lines as cron reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memoria.clock import from_micros, to_micros
from memoria.schedule.config import Job, jobs_of
from memoria.schedule.plan import due_slots
from memoria.schedule.slots import Cron, Every, Slots, jitter_of

DAY = 86_400_000_000
BERLIN = ZoneInfo("Europe/Berlin")
START = to_micros(datetime(2026, 1, 1, tzinfo=UTC))
LINES = ("*/20 * * * *", "30 2 * * *", "0 */6 * * *", "15 3 * * sun", "0 0 1 * *", "59 1-3 * * mon-fri", "0 2,3 * * *")
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia")
CRONS = st.builds(
    lambda line, zone: Cron(line, UTC if zone == "UTC" else ZoneInfo(zone)), *map(st.sampled_from, (LINES, ZONES))
)
TRIGGERS = st.one_of(st.integers(200_000, 3 * DAY).map(Every), CRONS)
MOMENTS = st.integers(START, START + 400 * DAY)
LENGTHS = st.integers(0, 12 * DAY)
few = settings(max_examples=150, deadline=None)


def moments(slots: Slots, after: str, until: str, limit: int = 1000) -> list[str]:
    begin, end = (to_micros(datetime.fromisoformat(each).replace(tzinfo=UTC)) for each in (after, until))
    return [f"{from_micros(slot):%m-%d %H:%M}" for slot in slots.last(begin, end, limit)]


@few
@given(TRIGGERS, MOMENTS, LENGTHS, LENGTHS)
def test_however_time_is_cut_the_slots_are_the_same(slots: Slots, begin: int, first: int, second: int) -> None:
    first, second = (min(each, 2000 * slots.interval) if isinstance(slots, Every) else each for each in (first, second))
    middle, end = begin + first, begin + first + second
    whole = slots.last(begin, end, 100_000)
    assert whole == slots.last(begin, middle, 100_000) + slots.last(middle, end, 100_000)
    assert all(begin < slot <= end for slot in whole)
    assert whole == sorted(set(whole))
    assert slots.last(begin, end, 3) == whole[-3:]


@few
@given(TRIGGERS, MOMENTS)
def test_next_is_the_first_of_what_comes(slots: Slots, after: int) -> None:
    found = slots.next(after)
    assert found is not None
    assert found > after
    assert slots.last(after, found, 10) == [found]


@few
@given(st.sampled_from(("all", "last", "none")), st.integers(1, 5), MOMENTS, LENGTHS, st.integers(0, 3 * DAY))
def test_catching_up_runs_the_latest_and_passes_over_the_rest(
    catch_up: str, limit: int, planned: int, length: int, grace: int
) -> None:
    values = {"cron": "0 */6 * * *", "catch_up": catch_up, "catch_up_limit": limit, "grace": f"{grace / 1e6:.6f}s"}
    job = jobs_of({"jobs": {"some": values}}, "test").job("some")
    now = planned + length
    every = job.slots.last(planned, now, 1000)
    slots, passed = due_slots(job, planned, now)
    want = {"all": every[-limit:], "last": every[-1:], "none": [s for s in every[-limit:] if now - s <= job.grace]}
    assert slots == want[catch_up]
    left = every[: len(every) - len(slots)]
    assert passed == (left[-1] if left else None)


@given(st.text(max_size=8), st.text(max_size=8), MOMENTS, st.integers(0, DAY))
def test_jitter_is_the_same_for_everybody_who_asks(job: str, target: str, slot: int, most: int) -> None:
    late = jitter_of(job, target, slot, most)
    assert 0 <= late <= max(most - 1, 0)
    assert late == jitter_of(job, target, slot, most)


def test_jitter_spreads_people_over_the_hour() -> None:
    quarters = [jitter_of("reflect", str(person), START, 3600) // 900 for person in range(1000)]
    assert all(200 < quarters.count(each) < 300 for each in range(4))


def test_a_daily_job_runs_once_on_the_nights_when_the_clock_changes() -> None:
    daily = Cron("30 2 * * *", BERLIN)
    assert moments(daily, "2026-03-27", "2026-03-31") == ["03-27 01:30", "03-28 01:30", "03-29 01:30", "03-30 00:30"]
    assert moments(daily, "2026-10-23T12", "2026-10-26T12") == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]


def test_two_slots_that_fall_together_when_an_hour_is_skipped_are_one() -> None:
    assert moments(Cron("30 2,3 * * *", BERLIN), "2026-03-29", "2026-03-29T12") == ["03-29 01:30"]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_job_of_every_hour_goes_by_real_time(day: str, hours: int) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
    begin = to_micros(midnight) - 1
    end = to_micros(midnight.replace(hour=23, minute=59))
    slots = Cron("0 * * * *", BERLIN).last(begin, end, 100)
    assert len(slots) == hours
    assert {after - before for before, after in pairwise(slots)} == {DAY // 24}


@pytest.mark.parametrize(
    ("line", "weekdays"),
    [
        ("0 4 * * 0", "6"),
        ("0 4 * * 7", "6"),
        ("0 4 * * 1-5", "01234"),
        ("0 4 * * sat,sun", "56"),
        ("0 4 * * */3", "256"),
    ],
)
def test_days_of_the_week_are_crons_own(line: str, weekdays: str) -> None:
    slots = Cron(line).last(START, START + 14 * DAY, 100)
    assert "".join(sorted({str(from_micros(slot).weekday()) for slot in slots})) == weekdays


def test_the_29th_of_february_comes() -> None:
    for zone in (UTC, BERLIN):
        found = Cron("0 12 29 2 *", zone).next(START)
        assert found is not None
        assert f"{from_micros(found):%Y-%m-%d}" == "2028-02-29"


def test_an_interval_counts_from_one_beginning() -> None:
    job = Job(name="some", interval="7h")  # type: ignore[arg-type]
    assert moments(job.slots, "2026-01-01", "2026-01-02") == moments(job.slots, "2026-01-01", "2026-01-02", 4)
    assert all(slot % (7 * DAY // 24) == 0 for slot in job.slots.last(START, START + 9 * DAY, 100))
