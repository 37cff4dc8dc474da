"""The intake of several hubs: every endpoint in one slot, every slot in one partition."""

import pytest

from hub.jwt import KeyKind, NKey
from hub.partitions import SLOTS, filters, partition_of, sent_to, slot_of


@pytest.mark.parametrize(
    "text, slot",  # FNV-1a, 32 bit, of the published test vectors
    [("", 0x811C9DC5 % SLOTS), ("a", 0xE40C292C % SLOTS), ("foobar", 0xBF9CF968 % SLOTS)],
)
def test_the_hash_is_the_servers(text: str, slot: int) -> None:
    assert slot_of(text) == slot


@pytest.mark.parametrize("partitions", range(1, SLOTS + 1))
def test_every_slot_is_in_one_partition(partitions: int) -> None:
    every = [each for partition in range(partitions) for each in filters(partition, partitions)]
    assert sorted(every) == sorted(f"i.{slot}.>" for slot in range(SLOTS))


def test_an_endpoint_is_where_its_partition_looks() -> None:
    for _ in range(20):
        public = NKey.generate(KeyKind.ACCOUNT).public
        for partitions in (1, 3, 4, 16):
            assert f"i.{slot_of(public)}.>" in filters(partition_of(public, partitions), partitions)


@pytest.mark.parametrize(
    "stored, sent",
    [
        ("i.7.in.live.com.flash.PK", "in.live.com.flash.PK"),
        ("i.15.s.doc.PK", "s.doc.PK"),
        ("in.live.com.flash.PK", "in.live.com.flash.PK"),
        ("s.doc.PK", "s.doc.PK"),
    ],
)
def test_what_was_sent_is_found_again(stored: str, sent: str) -> None:
    assert sent_to(stored) == sent
