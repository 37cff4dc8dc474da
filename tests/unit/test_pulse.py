"""The schedule of heartbeats, in simulated time: what a writer keeps and what a reader may count on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.frame import BULLETIN, HEARTBEAT, Header, parse_frame
from schemas.limits import HEARTBEAT_FIRST, HEARTBEAT_LONGEST
from schemas.pulse import SILENT_PERIODS, Pulse
from subscribers.exchange.heart import is_due
from tests.support.federation import AT, Publisher

MINUTE = 60_000
HEADER = parse_frame(Publisher().announcement()).header


def made(kind: str, iat: int) -> Header:
    return HEADER._replace(k=kind, iat=iat)


def beats(first: int, until: int) -> list[int]:
    """When a chain that said one thing at 0 beats, looked at each second."""
    pulse, found = Pulse(0, 0), []
    for now in range(0, until, 1_000):
        if is_due(pulse, 0, first, now, changed=False):
            found.append(now)
            pulse = Pulse(0, now)
    return found


def test_a_quiet_chain_backs_off_to_hourly() -> None:
    assert [each // MINUTE for each in beats(HEARTBEAT_FIRST, 300 * MINUTE)] == [
        5, 10, 20, 40, 80, 140, 200, 260,
    ]  # fmt: skip


@given(first=st.integers(1_000, HEARTBEAT_FIRST), quiet=st.integers(0, 10 * HEARTBEAT_LONGEST))
def test_no_writer_is_slower_than_readers_count_on(first: int, quiet: int) -> None:
    pulse = Pulse(AT, AT + quiet)
    assert pulse.period(first) <= pulse.period() <= HEARTBEAT_LONGEST


@pytest.mark.parametrize("first", [1_000, 30_000, HEARTBEAT_FIRST])
def test_an_honest_writer_is_never_called_silent(first: int) -> None:
    last = 0
    for now in beats(first, 300 * MINUTE):
        assert not Pulse(0, last).is_silent(last, now)
        last = now
    period = Pulse(0, last).period()
    assert not Pulse(0, last).is_silent(last, last + SILENT_PERIODS * period)
    assert Pulse(0, last).is_silent(last, last + SILENT_PERIODS * period + 1)


def test_what_is_said_makes_it_quick_again() -> None:
    said = Pulse.of(made(BULLETIN, AT), None)
    beat = Pulse.of(made(HEARTBEAT, AT + 40 * MINUTE), said)
    assert (beat, beat.period()) == (Pulse(AT, AT + 40 * MINUTE), 40 * MINUTE)
    again = Pulse.of(made(BULLETIN, AT + 41 * MINUTE), beat)
    assert again.period() == HEARTBEAT_FIRST
    assert Pulse.of(made(HEARTBEAT, AT), None) == Pulse(AT, AT)


def test_a_change_is_told_soon_and_a_refused_beat_is_not_repeated_at_once() -> None:
    idle = Pulse(0, 10 * HEARTBEAT_LONGEST)
    soon = idle.last + HEARTBEAT_FIRST
    assert is_due(idle, 0, HEARTBEAT_FIRST, soon, changed=True)
    assert not is_due(idle, 0, HEARTBEAT_FIRST, soon, changed=False)
    assert not is_due(idle, soon, HEARTBEAT_FIRST, soon + 1, changed=True)
