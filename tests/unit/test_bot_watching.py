"""Saved searches: what one bulletin means to all those of an officer, and when its alert sounds."""

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bots.clock import moment
from bots.searches.watching import (
    NEVER_QUIET,
    Mode,
    Search,
    Sight,
    Snooze,
    Subscription,
    Telling,
    decide,
    may_sound,
    rests_until,
    snooze_until,
    stands_in_digest,
)
from bots.showing.release import Ceiling
from bots.times import Quiet
from subscribers.records import Filters, Record
from tests.support.node_api import make_record

PARIS = ZoneInfo("Europe/Paris")
OPEN = make_record(1, title="Drones over the stadium", regions=["FR-75"], severity="high")
AMBER = make_record(2, title="Drones over the stadium", regions=["FR-75"], tlp="TLP:AMBER")
RED = make_record(3, title="Drones over the stadium", tlp="TLP:RED", event={"name": "Great Games"})
FLASH = make_record(4, title="Drones over the stadium", severity="flash")
RED_FLASH = make_record(5, title="Fire", severity="flash", tlp="TLP:RED")
NIGHT = Quiet(22 * 60, 6 * 60)


def search(words: str = "", mode: Mode = Mode.ALERT, quiet: Quiet | None = None, **given: object) -> Search:
    return Search(words=words, mode=mode, quiet=quiet, filters=Filters.model_validate(given))


def held(*searches: Search, paused: Iterable[int] = (), snoozed: float = 0.0) -> list[Subscription]:
    return [
        Subscription(number, 1, each, number in paused, snoozed) for number, each in enumerate(searches, 1)
    ]


DRONES, PORTS = search("drone"), search("port")
DIGEST, SILENT = search("stadium", Mode.DIGEST), search("stadium", Mode.SILENT)
IN_FRANCE = search(regions={"FR"})


@pytest.mark.parametrize(
    "record,searches,telling",
    [
        (OPEN, [], None),
        (OPEN, [PORTS], None),
        (OPEN, [DRONES], Telling(Mode.ALERT, (1,))),
        (OPEN, [DRONES, IN_FRANCE, PORTS], Telling(Mode.ALERT, (1, 2))),
        (OPEN, [DIGEST, SILENT], Telling(Mode.DIGEST, (1, 2))),
        (OPEN, [SILENT], Telling(Mode.SILENT, (1,))),
        (OPEN, [SILENT, DIGEST, DRONES], Telling(Mode.ALERT, (1, 2, 3))),
        (OPEN, [search(severity_at_least="flash")], None),
        # Flash sounds whatever the mode, for those whose search it answers to.
        (FLASH, [DIGEST], Telling(Mode.ALERT, (1,))),
        (FLASH, [SILENT], Telling(Mode.ALERT, (1,))),
        (FLASH, [PORTS], None),
        # What the ceiling withholds is asked for nothing that only its text tells.
        (AMBER, [DRONES], Telling(Mode.ALERT, (1,), hushed=True)),
        (AMBER, [PORTS], Telling(Mode.ALERT, (1,), hushed=True)),
        (AMBER, [PORTS, IN_FRANCE], Telling(Mode.ALERT, (1, 2))),
        (AMBER, [search("port", regions={"DE"})], None),
        (RED, [search(events={"Great Games"})], Telling(Mode.ALERT, (1,), hushed=True)),
        (RED, [search(events={"Small games"})], Telling(Mode.ALERT, (1,), hushed=True)),
        (RED, [search(tactics={"T1566"})], Telling(Mode.ALERT, (1,), hushed=True)),
        (RED, [search(subjects={"QDi.001"})], Telling(Mode.ALERT, (1,), hushed=True)),
        (RED, [search()], Telling(Mode.ALERT, (1,))),
        (RED, [DIGEST], Telling(Mode.DIGEST, (1,), hushed=True)),
        (RED_FLASH, [PORTS], Telling(Mode.ALERT, (1,))),
    ],
)
def test_one_telling_and_the_loudest_mode(
    record: Record, searches: list[Search], telling: Telling | None
) -> None:
    assert decide(Sight(record, Ceiling()), held(*searches)) == telling


def test_what_is_paused_answers_to_nothing_not_even_flash() -> None:
    assert decide(Sight(FLASH, Ceiling()), held(DRONES, paused=[1])) is None
    assert decide(Sight(OPEN, Ceiling()), held(DRONES, IN_FRANCE, paused=[2])) == Telling(Mode.ALERT, (1,))


def test_words_that_are_none_any_more_keep_nothing_away() -> None:
    assert decide(Sight(OPEN, Ceiling()), held(search("???"))) == Telling(Mode.ALERT, (1,))


@pytest.mark.parametrize("words", ["drone", "port", "“great secret”"])
@pytest.mark.parametrize("record", [AMBER, RED])
def test_what_is_withheld_comes_alike_whatever_the_words(record: Record, words: str) -> None:
    def outcome(text: str, title: str) -> Telling | None:
        bulletin = record.bulletin.model_copy(update={"title": title})
        other = record.model_copy(update={"bulletin": bulletin})
        return decide(Sight(other, Ceiling()), held(search(text)))

    assert outcome(words, "A great secret about drones") == outcome(words, "Nothing") is not None


@pytest.mark.parametrize(
    "searches,listed",
    [
        ([DIGEST], True),
        ([DRONES], True),
        ([SILENT], False),
        ([PORTS, SILENT], False),
        ([SILENT, DRONES], True),
    ],
)
def test_a_digest_lists_what_is_not_silent(searches: list[Search], listed: bool) -> None:
    assert stands_in_digest(Sight(OPEN, Ceiling()), held(*searches)) is listed
    assert not stands_in_digest(Sight(OPEN, Ceiling()), held(*searches, paused=range(9)))


def at(text: str) -> float:
    """A time of day of Paris, in Unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def utc(seconds: float | None) -> str:
    return "" if seconds is None else moment(seconds).astimezone(UTC).strftime("%m-%dT%H:%M")


LOUD = search(quiet=NEVER_QUIET)
SIESTA = search(quiet=Quiet(13 * 60, 15 * 60))


@pytest.mark.parametrize(
    "now,searches,quiet,until",
    [
        ("2026-07-01T12:00", [search()], NIGHT, ""),
        ("2026-07-01T23:00", [search()], NIGHT, "07-02T04:00"),
        ("2026-07-01T23:00", [search()], None, ""),
        ("2026-07-01T23:00", [LOUD], NIGHT, ""),
        ("2026-07-01T23:00", [search(), LOUD], NIGHT, ""),
        ("2026-07-01T14:00", [SIESTA], NIGHT, "07-01T13:00"),
        ("2026-07-01T23:00", [SIESTA], NIGHT, ""),
        ("2026-07-01T14:00", [SIESTA, search()], NIGHT, ""),
        # What only lists does not make an alert sound, nor keep it.
        ("2026-07-01T23:00", [search(), search(mode=Mode.DIGEST, quiet=NEVER_QUIET)], NIGHT, "07-02T04:00"),
        # Told of a change, or its subscription is gone: the officer's own hours.
        ("2026-07-01T23:00", [], NIGHT, "07-02T04:00"),
        ("2026-07-01T12:00", [], NIGHT, ""),
        # The clocks change in these nights: 06:00 is 04:00 UTC in summer, 05:00 in winter.
        ("2026-03-28T23:00", [search()], NIGHT, "03-29T04:00"),
        ("2026-10-24T23:00", [search()], NIGHT, "10-25T05:00"),
        ("2026-03-29T01:00", [search(quiet=Quiet(0, 150))], None, "03-29T01:30"),
    ],
)
def test_an_alert_waits_for_the_first_search_that_may_sound(
    now: str, searches: list[Search], quiet: Quiet | None, until: str
) -> None:
    assert utc(rests_until(at(now), held(*searches), quiet, PARIS)) == until


@pytest.mark.parametrize(
    "one,other,quiet,sounds",
    [
        (search(quiet=NIGHT), search(), None, True),
        (search(quiet=NIGHT), search(), NIGHT, False),
        (search(quiet=NIGHT), search(quiet=NEVER_QUIET), NIGHT, True),
        (search(), search(quiet=Quiet(21 * 60, 7 * 60)), NIGHT, False),
        (search(), search(quiet=Quiet(23 * 60, 7 * 60)), NIGHT, True),
        (search(), search(quiet=Quiet(21 * 60, 5 * 60)), NIGHT, True),
        (search(), search("port", Mode.DIGEST), NIGHT, False),
        (search(quiet=NEVER_QUIET), search(), NIGHT, None),
        (search(mode=Mode.DIGEST), search(quiet=NEVER_QUIET), NIGHT, None),
    ],
)
def test_who_asks_for_quiet_learns_which_other_search_may_sound_in_it(
    one: Search, other: Search, quiet: Quiet | None, *, sounds: bool | None
) -> None:
    others = held(other)
    assert may_sound(one, others, quiet) == (others if sounds else None if sounds is None else [])
    if sounds:
        assert may_sound(one, held(other, paused=[1]), quiet) == []


def test_a_snooze_puts_off_and_its_end_may_lie_in_quiet_hours() -> None:
    now = at("2026-07-01T21:30")
    snoozed = held(search(), snoozed=now + 3_600)
    assert rests_until(now, snoozed, NIGHT, PARIS) == now + 3_600
    assert utc(rests_until(now + 3_600, snoozed, NIGHT, PARIS)) == "07-02T04:00"
    assert rests_until(now + 3_600, snoozed, None, PARIS) is None
    both = [*snoozed, *held(search())]
    assert rests_until(now, both, None, PARIS) is None


@pytest.mark.parametrize(
    "choice,now,end",
    [
        ("hour", "2026-07-01T12:00", "07-01T11:00"),
        ("night", "2026-07-01T22:00", "07-02T04:00"),
        ("monday", "2026-07-01T12:00", "07-06T06:00"),
        ("monday", "2026-07-06T07:59", "07-06T06:00"),
        ("monday", "2026-07-06T08:00", "07-13T06:00"),
        ("monday", "2026-07-05T23:59", "07-06T06:00"),
        # Over a change of the clocks: eight hours are eight hours, and Monday 08:00 is local.
        ("night", "2026-03-28T22:00", "03-29T05:00"),
        ("monday", "2026-03-27T12:00", "03-30T06:00"),
        ("monday", "2026-10-23T12:00", "10-26T07:00"),
    ],
)
def test_a_snooze_ends_by_the_officers_clock(choice: Snooze, now: str, end: str) -> None:
    assert utc(snooze_until(choice, at(now), PARIS)) == end
