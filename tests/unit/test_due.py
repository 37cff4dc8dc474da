"""When reports and corrections are due: gathered for a while, given up on a sink that is stuck, told again
after a refusal, ever more rarely.
"""

import pytest

from schemas.limits import LIST_MAX
from subscribers.telling.due import PAUSE, STUCK, Change, Listed, again_at, corrections, reports

NOW = 1_769_848_200_000
WAIT = 5_000
MINUTE = 60_000


def change(
    number: int, applied: int | None = NOW, *, by: str = "kz", refused: int = 0, tried: int = 0
) -> Change:
    return Change(f"change-{number}", "com", by, number, NOW - 1_000, applied, "applied", refused, tried)


def listed(digest: str, number: int, received: int = NOW, refused: int = 0, tried: int = 0) -> Listed:
    return Listed(digest, f"change-{number}", received, refused, tried)


@pytest.mark.parametrize("refused, minutes", [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (5_000, 60)])
def test_what_was_refused_is_told_again_ever_more_rarely(refused: int, minutes: int) -> None:
    assert again_at(refused, NOW) == NOW + minutes * MINUTE


def test_what_was_never_refused_does_not_wait() -> None:
    assert again_at(0, 0) == 0


def test_changes_of_one_originator_are_gathered() -> None:
    changes = [change(1), change(2, NOW + 2_000), change(3, by="gb")]
    assert reports(changes, WAIT, NOW + 2_000) == ([], 3.0)
    due, pause = reports(changes, WAIT, NOW + WAIT)
    assert due == [changes[:2], changes[2:]]
    assert pause == PAUSE
    assert reports([], WAIT, NOW) == ([], PAUSE)


def test_a_full_report_waits_for_nothing_more() -> None:
    few = [change(number) for number in range(LIST_MAX - 1)]
    assert reports(few, WAIT, NOW) == ([], 5.0)
    many = [change(number) for number in range(LIST_MAX + 1)]
    due, _ = reports(many, WAIT, NOW)
    assert [len(each) for each in due] == [LIST_MAX, 1]
    assert [each for batch in due for each in batch] == many


def test_a_change_that_a_sink_does_not_take_is_told_when_it_is_given_up() -> None:
    stuck = change(1, None)
    given_up = stuck.received + STUCK
    assert reports([stuck], WAIT, given_up - 2_000) == ([], 2.0)
    assert reports([stuck], WAIT, given_up) == ([], 5.0)
    assert reports([stuck], WAIT, given_up + WAIT) == ([[stuck]], PAUSE)
    # However long changes are gathered: it does not get younger.
    assert reports([stuck], 2 * STUCK, given_up + 2 * STUCK) == ([[stuck]], PAUSE)


def test_a_refused_report_keeps_no_other_waiting() -> None:
    refused, other = change(1, refused=1, tried=NOW + WAIT), change(2)
    assert reports([refused, other], WAIT, NOW + WAIT) == ([[other]], PAUSE)
    assert reports([refused], WAIT, NOW + WAIT + MINUTE - 4_000) == ([], 4.0)
    assert reports([refused], WAIT, NOW + WAIT + MINUTE) == ([[refused]], PAUSE)


def test_changes_of_one_digest_are_gathered() -> None:
    changes = [listed("first", 1), listed("second", 1, NOW + 1_000), listed("first", 2, NOW + 4_000)]
    assert corrections(changes, WAIT, NOW + 4_000) == ({}, 1.0)
    assert corrections(changes, WAIT, NOW + WAIT) == ({"first": ["change-1", "change-2"]}, 1.0)
    assert corrections([], WAIT, NOW) == ({}, PAUSE)


def test_a_refused_correction_waits_with_what_came_since() -> None:
    changes = [
        listed("first", 1, NOW - MINUTE, 2, NOW),
        listed("first", 2, NOW, 2, NOW),
        listed("other", 1),
    ]
    assert corrections(changes, WAIT, NOW + 2 * MINUTE - 3_000) == ({"other": ["change-1"]}, 3.0)
    due, _ = corrections(changes, WAIT, NOW + 2 * MINUTE)
    assert due == {"first": ["change-1", "change-2"], "other": ["change-1"]}
