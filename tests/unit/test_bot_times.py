from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.times import Quiet, Schedule, last_due, next_due, period, quiet_until, zone
from schemas.errors import Code, OperationError

PARIS = ZoneInfo("Europe/Paris")
ZONES = st.sampled_from(
    ["UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kabul", "Africa/Cairo"]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SCHEDULES = st.builds(
    Schedule,
    cadence=st.sampled_from(["daily", "weekly"]),
    minute=st.integers(0, 1439),
    weekday=st.integers(0, 6),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_digest_comes_at_the_same_local_hour_on_both_sides_of_a_change() -> None:
    seven = Schedule("daily", 7 * 60)
    assert next_due(utc("2026-03-28T12:00"), seven, PARIS) == utc("2026-03-29T05:00")
    assert next_due(utc("2026-03-27T12:00"), seven, PARIS) == utc("2026-03-28T06:00")


def test_an_hour_that_is_skipped_in_spring_comes_once() -> None:
    half_past_two = Schedule("daily", 2 * 60 + 30)
    first = next_due(utc("2026-03-28T12:00"), half_past_two, PARIS)
    assert first == utc("2026-03-29T01:30")  # 03:30 on the new clock
    assert next_due(first, half_past_two, PARIS) == utc("2026-03-30T00:30")


def test_an_hour_that_comes_twice_in_autumn_counts_once() -> None:
    half_past_two = Schedule("daily", 2 * 60 + 30)
    first = next_due(utc("2026-10-24T12:00"), half_past_two, PARIS)
    assert first == utc("2026-10-25T00:30")
    assert next_due(first, half_past_two, PARIS) == utc("2026-10-26T01:30")
    assert period(first, half_past_two, PARIS) == "daily-2026-10-25"


def test_a_weekly_digest_comes_on_its_day() -> None:
    monday = Schedule("weekly", 8 * 60, 0)
    due = next_due(utc("2026-11-23T06:59"), monday, PARIS)
    assert due == utc("2026-11-23T07:00")
    assert next_due(due, monday, PARIS) == utc("2026-11-30T07:00")
    assert period(due, monday, PARIS) == "weekly-2026-W48"


@given(MOMENTS, SCHEDULES, ZONES)
def test_due_moments_never_repeat_a_period_nor_skip_one(
    after: datetime, schedule: Schedule, name: str
) -> None:
    where = ZoneInfo(name)
    dues = [after]
    for _ in range(5):
        dues.append(next_due(dues[-1], schedule, where))
    found = dues[1:]
    assert found == sorted(set(found))
    assert len({period(each, schedule, where) for each in found}) == 5
    step = timedelta(days=1 if schedule.cadence == "daily" else 7)
    assert all(later - early <= step + timedelta(hours=2) for early, later in pairwise(found))


@given(MOMENTS, SCHEDULES, ZONES)
def test_the_last_due_moment_is_the_one_before_the_next(now: datetime, schedule: Schedule, name: str) -> None:
    where = ZoneInfo(name)
    last = last_due(now, schedule, where)
    assert last <= now < next_due(last, schedule, where)


@pytest.mark.parametrize(
    "now,until",
    [
        ("2026-11-22T20:59", None),
        ("2026-11-22T21:00", "2026-11-23T05:00"),
        ("2026-11-23T04:59", "2026-11-23T05:00"),
        ("2026-11-23T05:00", None),
    ],
)
def test_quiet_hours_run_over_midnight(now: str, until: str | None) -> None:
    quiet = Quiet(22 * 60, 6 * 60)
    assert quiet_until(utc(now), quiet, PARIS) == (utc(until) if until else None)


def test_quiet_hours_in_the_night_of_a_change() -> None:
    assert quiet_until(utc("2026-03-28T23:00"), Quiet(22 * 60, 6 * 60), PARIS) == utc("2026-03-29T04:00")
    assert quiet_until(utc("2026-10-24T23:00"), Quiet(22 * 60, 6 * 60), PARIS) == utc("2026-10-25T05:00")


@given(MOMENTS, st.integers(0, 1439), st.integers(0, 1439), ZONES)
def test_quiet_hours_end(now: datetime, start: int, end: int, name: str) -> None:
    until = quiet_until(now, Quiet(start, end), ZoneInfo(name))
    assert until is None or now < until <= now + timedelta(hours=26)


def test_no_quiet_hours_never_hold() -> None:
    assert quiet_until(utc("2026-11-22T23:00"), None, PARIS) is None
    assert quiet_until(utc("2026-11-22T23:00"), Quiet(60, 60), PARIS) is None


def test_a_zone_must_exist() -> None:
    assert zone("Asia/Almaty").key == "Asia/Almaty"
    for name in ("Paris", "../etc/passwd", "", "europe/paris"):
        with pytest.raises(OperationError) as refused:
            zone(name)
        assert refused.value.code is Code.BAD_REQUEST
