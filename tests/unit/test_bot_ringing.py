"""Who is on duty and which calls are due, under a clock that the test moves."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bots.duty.duties import Add, read
from bots.duty.ringing import LONGEST, Bell, Called, Pace, over, rings, step
from bots.duty.roster import TAKEN_FOR, Duty, Shift, Takeover, members
from bots.duty.roster import read as read_roster
from schemas.errors import OperationError
from tests.support.node_api import make_record

PARIS, SAO_PAULO, KATHMANDU = (
    ZoneInfo(name) for name in ("Europe/Paris", "America/Sao_Paulo", "Asia/Kathmandu")
)
DAILY = frozenset(range(7))
DAY, NIGHT = Shift(1, 1, 8 * 60, 20 * 60, DAILY), Shift(2, 2, 20 * 60, 8 * 60, DAILY)
PACE = Pace(every=180.0, calls=3)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def duty(
    text: str,
    shifts: Iterable[Shift] = (DAY, NIGHT),
    zone: ZoneInfo = PARIS,
    takeover: Takeover | None = None,
) -> Duty:
    return read_roster(shifts, takeover, at(text), zone)


# --- rosters ---


@pytest.mark.parametrize(
    "zone,moment,officer",
    [
        (PARIS, "2026-01-15T06:59", 2),  # 07:59 in winter
        (PARIS, "2026-01-15T07:00", 1),
        (PARIS, "2026-07-15T06:00", 1),  # the same hour in summer
        (PARIS, "2026-07-15T05:59", 2),
        (SAO_PAULO, "2018-11-03T22:59", 1),  # 19:59; that night clocks went from 00:00 to 01:00
        (SAO_PAULO, "2018-11-04T09:59", 2),
        (SAO_PAULO, "2018-11-04T10:00", 1),  # 08:00 in the new time
        (KATHMANDU, "2026-01-15T02:14", 2),  # 07:59, UTC+5:45
        (KATHMANDU, "2026-01-15T02:15", 1),
    ],
)
def test_a_shift_follows_local_clocks(zone: ZoneInfo, moment: str, officer: int) -> None:
    assert duty(moment, zone=zone).present == (officer,)


def test_the_night_in_which_clocks_change_is_nobodys_gap() -> None:
    for change in ("2026-03-29", "2026-10-25"):
        begin = at(f"{change}T00:00") - 6 * 3600
        found = [
            read_roster((DAY, NIGHT), None, begin + minute * 60, PARIS).present for minute in range(24 * 60)
        ]
        assert all(len(each) == 1 for each in found)
    (turn,) = duty("2026-03-29T00:00").running
    assert turn.until - turn.since == 11 * 3600
    (turn,) = duty("2026-10-25T00:00").running
    assert turn.until - turn.since == 13 * 3600


def test_a_dated_shift_stands_in_the_place_of_the_weekly_one() -> None:
    dated = Shift(3, 3, 8 * 60, 20 * 60, day=date(2026, 12, 24))
    christmas = duty("2026-12-24T12:00", (DAY, NIGHT, dated))
    assert christmas.present == (3,)
    assert christmas.line == (3, 1, 2)
    assert duty("2026-12-25T12:00", (DAY, NIGHT, dated)).present == (1,)


def test_between_shifts_the_next_one_is_first_in_line() -> None:
    weekdays = Shift(1, 1, 9 * 60, 17 * 60, frozenset({0, 1, 2, 3, 4}))
    monday = Shift(2, 2, 7 * 60, 9 * 60, frozenset({0}))
    saturday = duty("2026-11-28T12:00", (weekdays, monday))
    assert saturday.present == ()
    assert saturday.line == (2, 1)
    assert saturday.until == at("2026-11-29T00:00")  # taking over now lasts twelve hours
    assert saturday.until - saturday.now == TAKEN_FOR
    assert duty("2026-11-30T05:00", (weekdays, monday)).until == at("2026-11-30T06:00")


def test_taking_over_lasts_to_the_end_of_the_shift() -> None:
    noon = duty("2026-01-15T12:00")
    taken = Takeover(7, noon.until)
    assert noon.until == at("2026-01-15T19:00")
    assert duty("2026-01-15T18:59", takeover=taken).present == (7,)
    assert duty("2026-01-15T18:59", takeover=taken).line == (7, 1, 2)
    assert duty("2026-01-15T19:00", takeover=taken).present == (2,)
    assert members((DAY, NIGHT), taken) == {1, 2, 7}
    assert members((DAY,), None) == {1}


@pytest.mark.parametrize(
    "text,wanted",
    [
        ("", "show"),
        ("take", "take"),
        ("BACK", "back"),
        ("add Amina K. mon-fri 8:00-20:00", Add("Amina K.", Shift(0, 0, 480, 1200, frozenset(range(5))))),
        ("add Ed sat,sun 20:00-08:00", Add("Ed", Shift(0, 0, 1200, 480, frozenset({5, 6})))),
        ("add Ed fri-mon 00:00-00:00", Add("Ed", Shift(0, 0, 0, 0, frozenset({4, 5, 6, 0})))),
        ("add Ed daily 20:00-08:00", Add("Ed", Shift(0, 0, 1200, 480, DAILY))),
        ("add Ed 2026-12-24 20:00\u201308:00", Add("Ed", Shift(0, 0, 1200, 480, day=date(2026, 12, 24)))),
    ],
)
def test_a_roster_is_typed(text: str, wanted: object) -> None:
    assert read(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["add", "add Ed", "add mon 08:00-20:00", "add Ed 2026-02-30 08:00-20:00", "add Ed mon 8-20",
     "add Ed x 8:00-9:00", "add Ed mon 08:00-24:00", "take it"],
)  # fmt: skip
def test_what_is_no_shift_is_refused(text: str) -> None:
    with pytest.raises(OperationError):
        read(text)


# --- ringing ---


def ring_through(
    seconds: int, *, every: int = 60, reachable: Iterable[int] = (1, 2, 3)
) -> list[tuple[int, object]]:
    """What happens in so many seconds with three on the roster, each minute looked at: (second, step)."""
    three = (*(DAY, NIGHT), Shift(3, 3, 6 * 60, 7 * 60, frozenset({6})))
    start = at("2026-01-15T12:00")
    bell = Bell("x", start)
    log: list[tuple[int, object]] = []
    for second in range(0, seconds, every):
        now = read_roster(three, None, start + second, PARIS)
        due = step(bell, now, tuple(reachable), PACE)
        called = {each.officer: each for each in bell.called}
        called |= {officer: Called(officer, number, start + second) for officer, number in due.calls}
        bell = replace(bell, called=tuple(called.values()), told=bell.told or due.unheard)
        if due.calls or due.unheard:
            log.append((second // 60, (*due.calls, *(["unheard"] if due.unheard else []))))
    return log


def test_it_rings_three_times_then_for_the_next_too_and_at_last_for_administrators() -> None:
    assert ring_through(31 * 60) == [
        (0, ((1, 1),)),
        (3, ((1, 2),)),
        (6, ((1, 3),)),
        (9, ((2, 1), (1, 4))),
        (12, ((1, 5), (2, 2))),
        (15, ((1, 6), (2, 3))),
        (18, ((3, 1), (1, 7), (2, 4))),
        (21, ((1, 8), (2, 5), (3, 2))),
        (24, ((1, 9), (2, 6), (3, 3))),
        (27, ((1, 10), (2, 7), (3, 4), "unheard")),
        (30, ((1, 11), (2, 8), (3, 5))),
    ]


def test_who_cannot_be_reached_is_passed_over() -> None:
    assert ring_through(60, reachable=(2, 3)) == [(0, ((2, 1),))]
    assert ring_through(11 * 60, reachable=(2,))[-1] == (9, ((2, 4), "unheard"))
    assert ring_through(120, reachable=()) == [(0, ("unheard",))]


def test_after_an_hour_without_power_each_is_called_once() -> None:
    start = at("2026-01-15T12:00")
    bell = Bell("x", start, (Called(1, 2, start),))
    assert step(bell, duty("2026-01-15T13:00"), (1, 2), PACE).calls == ((1, 3),)


def test_who_comes_on_duty_is_called_at_once() -> None:
    evening = at("2026-01-15T18:59")
    bell = Bell("x", evening, (Called(1, 1, evening),))
    assert step(bell, duty("2026-01-15T19:00"), (1, 2), PACE).calls == ((2, 1),)
    taken = Takeover(9, evening + 3600)
    assert step(bell, duty("2026-01-15T18:59", takeover=taken), (1, 2, 9), PACE).calls == ((9, 1),)


def test_what_rings() -> None:
    flash = make_record(1, severity="flash")
    assert rings(flash)
    assert not rings(make_record(1, severity="high"))
    assert not rings(flash.model_copy(update={"own": True}))
    assert not rings(flash.model_copy(update={"flags": frozenset({"history"})}))
    assert not rings(flash.model_copy(update={"state": "retracted"}))
    assert not rings(
        make_record(
            1, severity="flash", kind="retraction", links=[{"relation": "retracts", "id": flash.bulletin.id}]
        )
    )


def test_a_bell_falls_silent_when_there_is_nothing_more_to_acknowledge() -> None:
    flash = make_record(1, severity="flash", valid_until="2026-01-15T13:00:00Z")
    bell = Bell("x", at("2026-01-15T12:00"))
    assert not over(bell, flash, at("2026-01-15T12:59"))
    assert over(bell, flash, at("2026-01-15T13:00"))
    assert over(bell, None, at("2026-01-15T12:00"))
    assert over(bell, flash.model_copy(update={"state": "retracted"}), at("2026-01-15T12:00"))
    assert over(bell, make_record(1, severity="flash"), bell.began + LONGEST)
