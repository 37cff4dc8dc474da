"""Turns between endpoints, and what one of them may submit."""

import random
from collections import Counter, defaultdict
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.arrival import Arrival, Mark
from hub.fairness import TURN, WINDOW, Allowance, Taken, Tokens, Window
from hub.settlement import over_quota
from subscribers.exchange.holding import FIRST_SECONDS, LONGEST_SECONDS, Holding

FREE = Allowance(per_second=0)


def message(sequence: int, publisher: str, *, flash: bool = False, size: int = 8) -> Msg:
    """As a pull on the intake delivers it."""
    where = "flash" if flash else "routine"
    reply = f"$JS.ACK.INTAKE.admission.1.{sequence}.{sequence}.{10**18 + sequence}.0"
    return Msg(Client(), f"in.live.c.{where}.{publisher}", reply, bytes(size))


def window(*messages: Msg, allowance: Allowance = FREE) -> Window:
    made = Window(Tokens(allowance))
    made.add(messages)
    return made


def take(made: Window, most: int = 900, now: int = 0, answered: int = 0) -> list[Taken]:
    return made.take(most, now, lambda each: each.mark.sequence <= answered)


def sequences(taken: list[Taken]) -> list[int]:
    return [each.arrival.mark.sequence for each in taken]


def test_alone_an_endpoint_is_read_in_order() -> None:
    made = window(*(message(n, "A") for n in range(1, 1001)))
    assert sequences(take(made)) == list(range(1, 901))
    assert sequences(take(made)) == list(range(901, 1001))
    assert not made
    assert take(made) == []


def test_a_flash_waits_for_a_turn_and_not_for_what_came_before_it() -> None:
    """A flood of 5,000 frames, and one flash behind it: it is the first of the next batch."""
    flood = [message(n, "NOISY", flash=n % 2 == 0) for n in range(1, 5001)]
    made = window(*flood, message(5001, "OTHER", flash=True))
    place = sequences(take(made)).index(5001)
    assert place <= TURN
    routine = window(*(message(n, "NOISY") for n in range(1, 5001)), message(5001, "OTHER", flash=True))
    assert sequences(take(routine))[0] == 5001
    late = window(*flood)
    take(late)
    late.add([message(5001, "OTHER")])
    assert sequences(take(late)).index(5001) <= TURN, "routine, too, has its turn"


def test_turns_are_taken_from_batch_to_batch() -> None:
    many = [message(n, f"P{n % 100}") for n in range(1, 5001)]
    made = window(*many)
    shares = Counter(each.arrival.publisher for _ in range(10) for each in take(made, most=160))
    assert max(shares.values()) - min(shares.values()) <= TURN


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 40_000)), max_size=120),
    st.integers(1, 40),
)
def test_what_an_endpoint_sends_keeps_its_order_and_all_of_it_comes_once(
    sent: list[tuple[int, bool, int]], most: int
) -> None:
    numbers = count(1)
    messages = [message(next(numbers), f"P{who}", flash=flash, size=size) for who, flash, size in sent]
    made, seen = window(allowance=Allowance(burst=10, per_second=1)), list[Taken]()
    for at in range(0, len(messages), 7):
        made.add(messages[at : at + 7])
        seen += take(made, most=most)
    while batch := take(made, most=most):
        assert sum(not each.over for each in batch) <= most
        seen += batch
    assert sorted(sequences(seen)) == list(range(1, len(sent) + 1))
    by_publisher = defaultdict[str, list[int]](list)
    for each in seen:
        by_publisher[each.arrival.publisher].append(each.arrival.mark.sequence)
    assert all(each == sorted(each) for each in by_publisher.values())
    assert len(made) == 0
    assert not made.full


def test_beyond_its_allowance_an_endpoint_is_over_quota_and_nobody_else() -> None:
    flood = [message(n, "NOISY") for n in range(1, 3001)]
    others = [message(3000 + n, "OTHER") for n in range(1, 6)]
    made = window(*flood, *others, allowance=Allowance(burst=100, per_second=10))
    first = take(made)
    passed = Counter(each.arrival.publisher for each in first if not each.over)
    assert passed == {"NOISY": 100, "OTHER": 5}
    assert len(first) == 3005, "what is over quota costs no turn"
    made.add([message(4000 + n, "NOISY") for n in range(50)])
    assert sum(not each.over for each in take(made, now=2_000)) == 20


def test_large_submissions_take_more_and_flash_has_its_own_allowance() -> None:
    tokens = Tokens(Allowance(burst=100, per_second=1))
    large = [tokens.take("A", flash=False, size=64 * 1024, now=0) for _ in range(30)]
    assert sum(large) == 20
    assert tokens.take("A", flash=True, size=1, now=0)
    assert not tokens.take("A", flash=False, size=64 * 1024, now=4_000)
    assert tokens.take("A", flash=False, size=64 * 1024, now=5_000)
    assert tokens.take("A", flash=False, size=1, now=10**9), "and never more than the burst"
    assert sum(tokens.take("A", flash=False, size=1, now=10**9) for _ in range(200)) == 99
    assert not tokens.take("A", flash=False, size=1, now=0), "a clock that was set back gives nothing"


def test_what_comes_again_after_a_crash_takes_nothing() -> None:
    made = window(*(message(n, "A") for n in range(1, 301)), allowance=Allowance(burst=100, per_second=1))
    taken = take(made, answered=150)
    assert [each.over for each in taken] == [False] * 250 + [True] * 50


def test_nothing_is_acknowledged_past_a_gap() -> None:
    made = window(*(message(n, "NOISY") for n in range(1, 51)), message(51, "OTHER", flash=True))
    first = take(made, most=1)
    assert (sequences(first), made.floor) == ([51], 1)
    assert made.settled(sequences(first)) is None, "the flash was settled first"
    rest = take(made)
    half = sequences(rest[:20])
    last = made.settled(reversed(half))
    assert (last and Mark.of(last).sequence, made.floor) == (20, 21)
    assert made.settled(sequences(rest[49:50])) is None
    last = made.settled(sequences(rest[20:49]))
    assert (last and Mark.of(last).sequence, made.floor) == (51, 52)
    made.add([message(51, "OTHER", flash=True)])  # it comes again
    assert made.floor == 51
    assert made.settled(sequences(take(made))) is not None


def test_no_more_is_read_than_there_is_room_for() -> None:
    made = window(*(message(n, f"P{n % 7}") for n in range(WINDOW)))
    before = made.full
    take(made)
    assert (before, made.full) == (True, False)
    assert window(*(message(n, "A", size=500_000) for n in range(100))).full


def test_what_is_over_quota_is_not_looked_at() -> None:
    submission = over_quota(Arrival.of(message(7, "A")))
    assert submission.refusal is not None
    assert (submission.refusal.code, submission.opened, submission.publisher) == ("over_quota", None, "A")


def test_a_node_waits_ever_longer_and_begins_again_when_all_was_calm() -> None:
    holding, now = Holding(), 1_000.0
    assert holding.left(now) == 0
    waits = []
    for _ in range(8):
        holding.refused(now)
        holding.refused(now)  # what was on its way
        waits.append(holding.left(now))
        now += waits[-1]
        assert holding.left(now) == 0
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    holding.refused(now + 61)
    assert holding.left(now + 61) == FIRST_SECONDS < LONGEST_SECONDS


def test_turns_in_a_random_flood_are_bounded() -> None:
    """However much one heaps up, whoever comes next is among the first turns of the next batch."""
    rng, made, number = random.Random(5), window(), count(1)
    for _ in range(50):
        made.add(
            [message(next(number), "NOISY", flash=rng.random() < 0.5) for _ in range(rng.randrange(400))]
        )
        mine = message(next(number), f"P{rng.randrange(5)}", flash=rng.random() < 0.5)
        made.add([mine])
        place = {each: at for at, each in enumerate(sequences(take(made, most=200)))}
        assert place[Mark.of(mine).sequence] <= 5 * TURN
