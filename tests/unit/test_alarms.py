"""Alarms: which refusal raises which, counted instead of flooding, ended and acknowledged."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from schemas.chain import ChainKey
from schemas.errors import Code, LiaisonError, TrustError
from schemas.merkle import Head
from schemas.subjects import DIRECTORY_DOCUMENTS, membership_log, wraps_for
from schemas.vocabulary import Precedence
from subscribers.judging.alarms import (
    STANDING_MAX,
    Alarm,
    AlarmKey,
    AlarmName,
    acknowledge,
    alarm_of,
    end_alarms,
    listed,
    raise_alarms,
    standing,
)
from subscribers.judging.missed import Us, unheard, unread
from subscribers.judging.refused import Refused
from subscribers.judging.trust import Beat, Skipped
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import AT, BRA, COM, FRA, JPN, Party, Publisher, Station, directory
from tests.vectors.recipe import started

FRAME = f"f.live.{COM}.routine.{FRA.endpoint}"
GAP = AlarmKey(AlarmName.GAP, COM, FRA.endpoint)
SILENCE = AlarmKey(AlarmName.SILENCE, COM, FRA.endpoint)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    async with await Store.open(path / "node.db", bytes(32), tables.NODE) as store:
        yield store


async def raised(store: Store, alarms: Iterable[Alarm]) -> None:
    await store.transact(lambda connection: raise_alarms(connection, alarms))


@pytest.mark.parametrize(
    "code, name",
    [
        (Code.SPLIT_VIEW, AlarmName.SPLIT_VIEW),
        (Code.LOG_BEHIND, AlarmName.LOG_BEHIND),
        (Code.FORK, AlarmName.FORK),
        (Code.REPLAYED, AlarmName.REPLAYED),
        (Code.MISSING_WRAP, AlarmName.MISSING_WRAP),
        (Code.UNKNOWN_EPOCH, AlarmName.MISSING_WRAP),
        (Code.DECRYPTION_FAILED, AlarmName.EQUIVOCATION),
        (Code.NOT_MEMBER, AlarmName.GHOST_MEMBER),
        (Code.BAD_SIGNATURE, AlarmName.FORGERY),
        (Code.BAD_DRAFT, None),
    ],
)
def test_a_refused_frame_names_its_chain_and_an_example(code: Code, name: AlarmName | None) -> None:
    expected = name and Alarm(AlarmKey(name, COM, FRA.endpoint), AT, "words", sha256(b"bytes").hexdigest())
    assert alarm_of(code, AT, FRAME, "words", b"bytes") == expected


@pytest.mark.parametrize(
    "subject, code, key",
    [
        (membership_log(COM), Code.BELOW_THRESHOLD, AlarmKey(AlarmName.GHOST_MEMBER, COM)),
        (membership_log(COM), Code.SPLIT_VIEW, AlarmKey(AlarmName.SPLIT_VIEW, COM)),
        (DIRECTORY_DOCUMENTS, Code.BELOW_THRESHOLD, AlarmKey(AlarmName.FORGERY)),
        (DIRECTORY_DOCUMENTS, Code.SPLIT_VIEW, AlarmKey(AlarmName.SPLIT_VIEW)),
        (wraps_for(FRA.endpoint), Code.KEY_MISMATCH, AlarmKey(AlarmName.EQUIVOCATION)),
        (wraps_for(FRA.endpoint), Code.UNKNOWN_EPOCH, None),
        ("f.what.ever", Code.BAD_SUBJECT, AlarmKey(AlarmName.FORGERY)),
    ],
)
def test_what_is_no_frame_is_named_by_where_it_stood(subject: str, code: Code, key: AlarmKey | None) -> None:
    alarm = alarm_of(code, AT, subject, "words", b"bytes")
    assert (alarm and alarm.key) == key


async def test_the_same_again_counts_up(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await raised(store, [Alarm(GAP, AT, "frame 3", "aa"), Alarm(GAP, AT + 5, "frames 7 to 8", "bb")])
        await raised(store, [Alarm(GAP, AT + 9)])
        (only,) = await listed(store, 10)
    assert (only.key, only.first, only.last, only.times) == (GAP, AT, AT + 9, 3)
    assert (only.detail, only.frame) == ("frame 3", "aa")


async def test_acknowledged_it_is_over_and_the_next_is_new(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await raised(store, [Alarm(GAP, AT)])
        (first,) = await listed(store, 10)
        seen = await acknowledge(store, first.number, AT + 1)
        assert (seen.acked, seen.ended) == (AT + 1, AT + 1)
        assert await listed(store, 10) == []
        assert await standing(store) == 0
        await raised(store, [Alarm(GAP, AT + 2)])
        second, older = await listed(store, 10, past=True)
        assert (second.number > first.number, second.times, older) == (True, 1, seen)
        assert await listed(store, 10, past=True, after=first.number) == [second]
        with pytest.raises(LiaisonError, match="not_found"):
            await acknowledge(store, 99, AT)


async def test_a_state_lasts_until_its_cause_is_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await raised(store, [Alarm(SILENCE, AT)])
        (first,) = await listed(store, 10)
        assert (await acknowledge(store, first.number, AT + 1)).ended is None
        await raised(store, [Alarm(SILENCE, AT + 2)])
        (still,) = await listed(store, 10, past=True)
        assert (still.number, still.times, still.acked) == (first.number, 2, AT + 1)
        await store.transact(lambda connection: end_alarms(connection, [SILENCE, GAP], AT + 3))
        (over,) = await listed(store, 10, past=True)
        assert over.ended == AT + 3


async def test_a_flood_of_names_is_counted_together(tmp_path: Path) -> None:
    flood = [Alarm(AlarmKey(AlarmName.FORGERY, f"{n:032x}"), AT) for n in range(STANDING_MAX + 5)]
    async with opened(tmp_path) as store:
        await raised(store, flood)
        newest, *others = await listed(store, 2 * STANDING_MAX)
    assert (newest.key, newest.times) == (AlarmKey(AlarmName.FORGERY), 5)
    assert len(others) == STANDING_MAX


async def test_a_refusal_and_its_alarm_are_one_transaction(tmp_path: Path) -> None:
    error = TrustError(Code.FORK, "frame 3 does not continue the chain that was seen")
    async with opened(tmp_path) as store:
        ledger = await Ledger.load(store)
        await ledger.refuse([Refused.of(error, AT, FRAME, b"frame"), Refused.of(error, AT, "", b"other")])
        await ledger.alarm([Alarm(SILENCE, AT)])
        changes = ledger.changes()
        changes.ended.append((SILENCE, AT + 1))
        await store.transact(changes.save)
        names = [
            (each.key.name, each.key.community, each.ended) for each in await listed(store, 9, past=True)
        ]
        assert await ledger.quarantined() == 2
    assert names == [
        (AlarmName.SILENCE, COM, AT + 1),
        (AlarmName.FORK, "", None),
        (AlarmName.FORK, COM, None),
    ]


MINUTE = 60_000
LATER = AT + 6 * MINUTE
"""More than five minutes after the reader's keys came."""


@pytest.mark.parametrize(
    "us, iat, told",
    [
        (JPN, LATER, True),
        (JPN, AT + 5 * MINUTE, False),  # the publisher may not have seen us yet
        (BRA, LATER, False),  # is no member: nothing was due to it
        (FRA, LATER, False),  # its own
        (Party("xyz", "XYZ"), LATER, False),  # has no keys that anybody could seal to
    ],
    ids=["due", "too soon", "no member", "our own", "no keys"],
)
def test_a_bulletin_whose_announcement_was_kept_from_us_is_told(us: Party, iat: int, told: bool) -> None:
    publisher = started(iat=iat)
    for raw, is_told in ((publisher.bulletin(1), told), (publisher.beat(), False)):
        verdict = Station(us).judge(publisher.subject, raw, iat)
        assert isinstance(verdict, Skipped)
        found = unread(verdict, directory(), Us(us.id, us.endpoint), iat)
        names = [AlarmKey(AlarmName.MISSING_WRAP, COM, FRA.endpoint)] if is_told else []
        assert [each.key for each in found] == names
        assert [each.frame for each in found] == [sha256(raw).hexdigest()] * is_told


@pytest.mark.parametrize("hours, heard, told", [(3, False, True), (3, True, False), (2, False, False)])
def test_a_chain_that_was_hidden_from_its_beginning_is_told_by_the_other(
    hours: int, heard: bool, told: bool
) -> None:
    publisher = started(iat=AT + hours * 60 * MINUTE)
    station = Station(JPN)
    station.follow(publisher)
    flash = started(precedence=Precedence.FLASH)
    verdict = station.judge(publisher.subject, publisher.beat(flash.head), publisher.iat)
    assert isinstance(verdict, Beat)
    known = {ChainKey(FRA.endpoint, COM, each) for each in ("routine", "flash")[: 1 + heard]}
    found = unheard(verdict, known, directory(), Us(JPN.id, JPN.endpoint), publisher.iat)
    names = [AlarmKey(AlarmName.SUPPRESSED_TAIL, COM, FRA.endpoint)] if told else []
    assert [each.key for each in found] == names


def test_an_epoch_that_was_not_announced_to_us_as_readers_is_told() -> None:
    """The publisher cites a log that is older than our entry, long after we were added."""
    publisher = Publisher(iat=LATER)
    mem = Head(1, publisher.at.communities[COM].roots[1])
    publisher.send(publisher.announcement(mem=mem))
    station = Station(JPN)
    station.take(publisher.subject, publisher.sent[0], LATER)
    verdict = station.judge(publisher.subject, publisher.bulletin(1), LATER)
    assert isinstance(verdict, Skipped)
    assert verdict.code is Code.MISSING_WRAP
    assert len(unread(verdict, directory(), Us(JPN.id, JPN.endpoint), LATER)) == 1
