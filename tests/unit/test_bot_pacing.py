import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.telling.pacing import Bucket, Pacer, Rate, Rates


def test_a_bucket_starts_full_and_refills_at_its_rate() -> None:
    bucket = Bucket(Rate(2.0, 3.0))
    for _ in range(3):
        assert bucket.wait(10.0) == 0.0
        bucket.take(10.0)
    assert bucket.wait(10.0) == pytest.approx(0.5)
    assert bucket.wait(10.25) == pytest.approx(0.25)
    assert bucket.wait(10.5) == 0.0
    assert bucket.wait(1_000.0) == 0.0
    assert bucket.tokens == 3.0


def test_a_clock_that_steps_back_gives_no_tokens() -> None:
    bucket = Bucket(Rate(1.0, 1.0))
    bucket.take(100.0)
    assert bucket.wait(50.0) == pytest.approx(1.0)
    assert bucket.wait(50.5) == pytest.approx(0.5)


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=200), st.floats(0.5, 50.0), st.integers(1, 20))
def test_never_more_than_the_burst_and_the_rate(steps: list[float], per_second: float, burst: int) -> None:
    bucket, now, taken = Bucket(Rate(per_second, float(burst))), 0.0, 0
    for step in steps:
        now += step
        while bucket.wait(now) == 0.0:
            bucket.take(now)
            taken += 1
        assert taken <= burst + now * per_second + 1e-6


def test_chats_and_groups_have_their_own_rates_and_share_the_overall_one() -> None:
    pacer = Pacer(Rates(overall=Rate(30.0, 3.0), chat=Rate(1.0, 1.0), group=Rate(0.5, 1.0)))
    for chat in (1, -1):
        assert pacer.wait(chat, 0.0) == 0.0
        pacer.take(chat, 0.0)
    assert pacer.wait(1, 0.0) == pytest.approx(1.0)
    assert pacer.wait(-1, 0.0) == pytest.approx(2.0)
    assert pacer.wait(2, 0.0) == 0.0
    pacer.take(2, 0.0)
    assert pacer.wait(3, 0.0) == pytest.approx(1 / 30)
    assert pacer.overall_wait(0.0) == pytest.approx(1 / 30)


def test_a_hold_lasts_as_long_as_the_service_said() -> None:
    pacer = Pacer(Rates())
    pacer.hold(1, 7.0)
    pacer.hold(1, 3.0)
    assert pacer.wait(1, 0.0) == pytest.approx(7.0)
    assert pacer.wait(2, 0.0) == 0.0
    assert pacer.unready(0.0) == {1: pytest.approx(7.0)}
    assert pacer.unready(7.0) == {}
    pacer.hold(None, 9.0)
    assert pacer.wait(2, 8.0) == pytest.approx(1.0)


def test_chats_that_are_as_good_as_new_are_forgotten() -> None:
    pacer = Pacer(Rates(chat=Rate(1.0, 1.0)))
    for chat in range(1, 50):
        pacer.take(chat, 0.0)
    assert len(pacer.unready(0.5)) == 49
    assert pacer.unready(2.0) == {}
    assert pacer.unready(2.0) == {}
