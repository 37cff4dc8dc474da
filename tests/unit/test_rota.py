"""Who of several hubs does what: taken when it is free, given back when it is more than a fair share, and
never held by two.
"""

import random
from collections.abc import Iterable

import pytest

from hub.rota import OFFICE, PATIENCE, Rota, Watch, leave, partition_duty, turn
from schemas.errors import OperationError

NOBODY: frozenset[str] = frozenset()


def turns(rota: Rota, members: Iterable[str], partitions: int = 4) -> Rota:
    for member in members:
        rota = turn(rota, member, NOBODY, partitions=partitions)
    return rota


def test_the_first_takes_all_and_shares_with_who_comes() -> None:
    alone = turns(Rota(4), "a")
    assert alone.of("a") == set(alone.names)
    assert alone.complete
    both = turns(alone, "bab")
    assert both.of("a") == {OFFICE, partition_duty(0), partition_duty(1)}
    assert both.of("b") == {partition_duty(2), partition_duty(3)}
    assert both.complete
    three = turns(both, "cabcabc")
    assert sorted(len(three.of(each) - {OFFICE}) for each in "abc") == [1, 1, 2]
    assert three.complete


def test_nothing_moves_while_all_are_there() -> None:
    settled = turns(Rota(5), "abababab", partitions=5)
    assert turns(settled, "babaab", partitions=5).duties == settled.duties


def test_who_leaves_is_followed_at_once() -> None:
    both = turns(Rota(4), "abab")
    gone = leave(both, "a")
    assert not gone.of("a")
    assert OFFICE not in gone.duties
    assert turns(gone, "b").of("b") == set(gone.names)


def test_who_is_silent_for_so_many_beats_is_dead_and_not_before() -> None:
    rota, watch = turns(Rota(4), "abab"), Watch()
    for _ in range(PATIENCE):
        watch = watch.look(rota)
        assert watch.dead == NOBODY
        rota = turn(rota, "b", watch.dead, partitions=4)
    watch = watch.look(rota)
    assert watch.dead == {"a"}
    after = turn(rota, "b", watch.dead, partitions=4)
    assert after.of("b") == set(after.names)
    assert set(after.beats) == {"b"}
    # It comes back, is a newcomer, and is heard again.
    back = turns(after, "aba")
    assert back.of("a")
    assert watch.of_those_in(after).look(back).dead == NOBODY


def test_a_beat_is_enough_to_be_alive() -> None:
    rota, watch = turns(Rota(4), "abab"), Watch()
    for beat in range(3 * PATIENCE):
        watch = watch.look(rota)
        rota = turn(rota, "b", watch.dead, partitions=4)
        if beat % (PATIENCE - 1) == 0:
            rota = turn(rota, "a", NOBODY, partitions=4)
    assert set(rota.beats) == {"a", "b"}


def test_hubs_that_divide_otherwise_are_told() -> None:
    with pytest.raises(OperationError, match="bad_settings"):
        turn(turns(Rota(4), "a"), "b", NOBODY, partitions=8)
    # Alone, or when the others are dead, one may divide as it likes.
    assert turn(turns(Rota(4), "a"), "a", NOBODY, partitions=8).partitions == 8
    later = turn(turns(Rota(8), "a", 8), "b", frozenset("a"), partitions=2)
    assert later.of("b") == {OFFICE, partition_duty(0), partition_duty(1)}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_and_goes_all_is_done_in_the_end_in_fair_shares(seed: int) -> None:
    chance = random.Random(seed)
    partitions, rota = chance.randint(1, 16), Rota(1)
    alive: set[str] = set()
    for _ in range(200):
        member = chance.choice("abcde")
        if member in alive and chance.random() < 0.1:
            alive.discard(member)
            rota = leave(rota, member)
        else:
            alive.add(member)
            dead = frozenset(each for each in alive - {member} if chance.random() < 0.02)
            alive -= dead
            rota = turn(rota, member, dead, partitions=partitions)
        assert set(rota.duties) <= set(rota.names)
        assert set(rota.duties.values()) <= set(rota.beats) == alive
    for member in [*sorted(alive)] * 3:
        rota = turn(rota, member, NOBODY, partitions=partitions)
    if alive:
        assert rota.complete
        shares = [len(rota.of(member) - {OFFICE}) for member in alive]
        assert max(shares) <= -(-partitions // len(alive))


def test_it_is_read_as_it_was_written() -> None:
    rota = turns(Rota(4), "abab")
    assert Rota.parse(rota.to_bytes()) == rota


@pytest.mark.parametrize("data", [b"", b"{}", b'{"v":2,"partitions":1,"beats":{},"duties":{}}', b"\xff"])
def test_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(OperationError, match="store_corrupt"):
        Rota.parse(data)
