import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.chain import ChainHead, ChainKey
from schemas.errors import Code
from schemas.frame import CARD, parse_frame
from schemas.merkle import Head
from schemas.vocabulary import Precedence
from subscribers.judging.trust import (
    Announced,
    Beat,
    Carded,
    Chain,
    Epoch,
    EpochId,
    LogBehind,
    Opened,
    Refused,
    Skipped,
    accept_wrap,
    open_bulletin,
    receive,
)
from subscribers.keys import KemKey
from subscribers.sealing import EpochKey
from tests.support.federation import (
    AT,
    BRA,
    COM,
    DAY,
    FRA,
    JPN,
    Publisher,
    Station,
    by_owners,
    changed,
    code_of,
    directory,
    entry,
    memberships,
    seed,
)
from tests.vectors.recipe import started
from tests.vectors.trust_cases import CARD_OF_COM
from tests.vectors.wrap_cases import recorded


@pytest.fixture
def chain() -> Publisher:
    publisher = started()
    for number in range(1, 6):
        publisher.send(publisher.bulletin(number))
    return publisher


def test_a_forged_frame_moves_nothing(chain: Publisher) -> None:
    station = Station()
    verdict = station.take(chain.subject, changed(chain.sent[0], len(chain.sent[0]) - 40))
    assert isinstance(verdict, Refused)
    assert station.chains == {}


def test_a_refusal_keeps_the_frame_where_there_is_one(chain: Publisher) -> None:
    nothing = Station().judge(chain.subject, b"no frame")
    elsewhere = Station().judge(Publisher(JPN).subject, chain.sent[0])
    strangers = Publisher(signer=FRA.next_signing).announcement()
    stranger = Station().judge(chain.subject, strangers)
    for verdict, code, frame in (
        (nothing, Code.BAD_VERSION, None),
        (elsewhere, Code.SUBJECT_MISMATCH, parse_frame(chain.sent[0])),
        # The log that it cites is one that we have to its end: the key will not come.
        (stranger, Code.UNKNOWN_KEY, parse_frame(strangers)),
    ):
        assert isinstance(verdict, Refused)
        assert (verdict.error.code, verdict.frame, verdict.chain) == (code, frame, None)


def test_a_key_that_no_head_vouches_for_is_not_believed(chain: Publisher) -> None:
    doubted = Station(withheld=frozenset({FRA.kid})).judge(chain.subject, chain.sent[0])
    assert isinstance(doubted, Refused)
    assert doubted.error.code is Code.STALE_HEAD
    assert isinstance(Station(withheld=frozenset({JPN.kid})).judge(chain.subject, chain.sent[0]), Announced)


def test_without_its_epochs_key_a_bulletin_stays_closed(chain: Publisher) -> None:
    station = Station(keys={chain.key.commitment: chain.key})
    station.take(chain.subject, chain.sent[0])
    (epoch,) = station.epochs.values()
    frame, closed = parse_frame(chain.sent[1]), epoch._replace(key=None)
    assert code_of(open_bulletin, station.directory, frame, closed, "fra") is Code.MISSING_WRAP
    opened = station.take(chain.subject, chain.sent[1])
    assert isinstance(opened, Opened)
    found = open_bulletin(station.directory, frame, epoch, "fra")
    assert found == (opened.salt, opened.payload, opened.bulletin)
    assert opened.payload == opened.bulletin.to_bytes()


def test_a_frame_that_cannot_be_opened_leaves_no_gap(chain: Publisher) -> None:
    station = Station(keys={chain.key.commitment: chain.key})
    station.take(chain.subject, chain.sent[0])
    other = Publisher(head=ChainHead(0, parse_frame(chain.sent[0]).hash))
    bad = other.send(other.sealed(b"not a bulletin", 9))
    good = other.bulletin(10)
    refused = station.take(other.subject, bad)
    assert isinstance(refused, Refused)
    assert refused.error.code is Code.BAD_JSON
    opened = station.take(other.subject, good)
    assert isinstance(opened, Opened)
    assert not opened.missing


def test_our_own_frames_come_back_to_us(chain: Publisher) -> None:
    """The node knows its own epochs, with their keys, before the hub returns the announcement."""
    station = Station(FRA)
    own = Epoch(
        "routine",
        bytes.fromhex(parse_frame(chain.sent[0]).hash),
        chain.key.commitment,
        "members",
        due=True,
        key=chain.key,
    )
    station.epochs[EpochId(FRA.endpoint, COM, 0)] = own
    announced = station.take(chain.subject, chain.sent[0])
    assert isinstance(announced, Announced)
    assert announced.epoch == own
    opened = station.take(chain.subject, chain.sent[1])
    assert isinstance(opened, Opened)
    assert opened.agency == "fra"


def test_catching_up_after_the_directory() -> None:
    """A new member's first announcement waits for the logs, and then is what it should be."""
    added = by_owners(entry(memberships()[COM], id="bra"))
    ahead = Publisher(BRA, at=directory(entries=[added]))
    raw = ahead.announcement()
    station = Station()
    assert station.take(ahead.subject, raw) == LogBehind("membership", 4)
    station.directory = station.directory.apply_membership(added)
    assert isinstance(station.take(ahead.subject, raw), Announced)


def test_a_heartbeat_shows_what_was_held_back() -> None:
    routine, flash = started(), started(precedence=Precedence.FLASH, ep=1)
    station = Station()
    station.follow(routine)
    station.follow(flash)
    flash.send(flash.beat(routine.head))
    verdict = station.take(routine.subject, routine.send(routine.beat(flash.head)))
    assert isinstance(verdict, Beat)
    assert verdict.behind == (ChainKey(FRA.endpoint, COM, "flash"),)
    assert isinstance(station.take(flash.subject, flash.sent[-1]), Beat)
    later = station.take(routine.subject, routine.send(routine.beat(flash.head)))
    assert isinstance(later, Beat)
    assert later.behind == ()


def test_a_heartbeat_stands_on_its_own_past_even_where_the_other_chain_is_unknown() -> None:
    flash = started(precedence=Precedence.FLASH)
    station = Station()
    station.follow(flash)
    other = ChainHead(flash.head.seq, "1" * 64)
    verdict = station.judge(flash.subject, flash.beat(heads=(ChainHead(), other)))
    assert isinstance(verdict, Refused)
    assert verdict.error.code is Code.FORK
    assert isinstance(station.judge(flash.subject, flash.beat(ChainHead(7, "1" * 64))), Beat)


def test_an_epoch_that_was_never_announced_is_no_older_one(chain: Publisher) -> None:
    """From where the chain is followed on, every epoch must have been seen; older ones are passed over."""
    station = Station()
    station.take(chain.subject, chain.sent[0])
    station.epochs.clear()
    verdict = station.judge(chain.subject, chain.sent[1])
    assert isinstance(verdict, Refused)
    assert verdict.error.code is Code.UNKNOWN_EPOCH
    (name, known), *_ = station.chains.items()
    station.chains[name] = known._replace(since=1)
    frame = parse_frame(chain.sent[2])
    older = station.judge(chain.subject, chain.sent[2])
    assert older == Skipped(frame, Chain(ChainHead(2, frame.hash), 1), range(1, 2), Code.UNKNOWN_EPOCH)


def test_a_bulletin_expires_at_its_time(chain: Publisher) -> None:
    station = Station(keys={chain.key.commitment: chain.key})
    station.take(chain.subject, chain.sent[0])
    for now, expired in ((AT + 30 * DAY - 1, False), (AT + 30 * DAY, True)):
        verdict = station.judge(chain.subject, chain.sent[1], now)
        assert isinstance(verdict, Opened)
        assert verdict.expired is expired


def test_a_key_is_due_to_those_who_stood_in_the_log_that_was_cited(chain: Publisher) -> None:
    added = by_owners(entry(memberships()[COM], id="bra"))
    for party, due in ((JPN, True), (BRA, False)):
        verdict = Station(party, directory(entries=[added])).judge(chain.subject, chain.sent[0])
        assert isinstance(verdict, Announced)
        assert verdict.epoch.due is due


def test_every_verdict_says_of_which_frame_it_is_and_what_is_missing_before_it(chain: Publisher) -> None:
    station = Station(keys={chain.key.commitment: chain.key})
    station.take(chain.subject, chain.sent[0])
    later = dataclasses.replace(chain, ep=1)
    cases: dict[bytes, tuple[object, ...]] = {
        chain.beat(): (Beat, ()),
        chain.bulletin(9): (Opened, False),
        chain.sealed(CARD_OF_COM.to_bytes(), 9, kind=CARD): (Carded, CARD_OF_COM, "fra"),
        later.announcement(): (Announced, EpochId(FRA.endpoint, COM, 1)),
    }
    for raw, (kind, *rest) in cases.items():
        verdict, frame = station.judge(chain.subject, raw), parse_frame(raw)
        assert type(verdict) is kind
        assert verdict[: 3 + len(rest)] == (frame, Chain(ChainHead(6, frame.hash), 0), range(1, 6), *rest)
    (name, epoch), *_ = station.epochs.items()
    station.epochs[name] = epoch._replace(due=False, key=None)
    raw = chain.bulletin(9)
    frame = parse_frame(raw)
    placed = (frame, Chain(ChainHead(6, frame.hash), 0), range(1, 6))
    assert station.judge(chain.subject, raw) == Skipped(*placed, Code.MISSING_WRAP)
    station.epochs[name] = epoch._replace(due=True, key=None)
    closed = station.judge(chain.subject, raw)
    assert isinstance(closed, Refused)
    assert (closed.error.code, *closed[1:]) == (Code.MISSING_WRAP, *placed[:2])
    assert Station().judge(chain.subject, raw) == Skipped(frame, None, range(0), Code.UNKNOWN_EPOCH)


@pytest.mark.parametrize("field, name", [("dir", "directory"), ("mem", "membership")])
def test_a_publisher_that_was_shown_another_log_is_told_of_by_its_name(field: str, name: str) -> None:
    publisher = Publisher()
    changes: Any = {field: Head(publisher.logs[field].size, bytes(32))}
    raw = publisher.announcement(**changes)
    verdict = Station().judge(publisher.subject, raw)
    assert isinstance(verdict, Refused)
    assert (verdict.error.code, verdict.frame) == (Code.SPLIT_VIEW, parse_frame(raw))
    assert f"another {name} log" in verdict.error.message


def test_a_gap_is_reported_once(chain: Publisher) -> None:
    station = Station(keys={chain.key.commitment: chain.key})
    station.take(chain.subject, chain.sent[0])
    verdicts = [station.take(chain.subject, raw) for raw in chain.sent[3:]]
    assert [list(each.missing) for each in verdicts if isinstance(each, Opened)] == [[1, 2], [], []]


def test_wraps_find_their_announcement() -> None:
    publisher = started()
    station = Station()
    station.follow(publisher)
    announced = {epoch.announcement: epoch for epoch in station.epochs.values()}
    announcement, key = accept_wrap(recorded()["epoch 0 for jpn"], announced, [JPN.kem], JPN.endpoint)
    assert announcement in announced
    assert key == publisher.key
    # The key may have been replaced while the wrap was on its way: the one that it names opens it.
    newer = [KemKey(seed("jpn kem two")), JPN.kem]
    assert accept_wrap(recorded()["epoch 0 for jpn"], announced, newer, JPN.endpoint)[1] == publisher.key
    code = code_of(accept_wrap, recorded()["epoch 0 for jpn"], announced, newer[:1], JPN.endpoint)
    assert code is Code.BAD_WRAP
    code = code_of(accept_wrap, recorded()["another key for jpn"], announced, [JPN.kem], JPN.endpoint)
    assert code is Code.KEY_MISMATCH


@given(st.binary(max_size=400), st.text(max_size=80))
def test_any_bytes_under_any_subject_are_refused(raw: bytes, subject: str) -> None:
    station = Station()
    verdict = station.judge(subject, raw)
    assert isinstance(verdict, Refused)
    assert verdict.chain is None


@given(st.data())
def test_any_change_to_a_message_is_refused(data: st.DataObject) -> None:
    publisher = started()
    raw = data.draw(st.sampled_from([publisher.bulletin(1), publisher.beat()]))
    station = Station()
    station.follow(publisher)
    at = data.draw(st.integers(min_value=0, max_value=len(raw) - 1))
    wrong = changed(raw, at, data.draw(st.integers(min_value=1, max_value=255)))
    verdict = receive(station.reader, publisher.subject, wrong, AT)
    # A head of a longer log, in a header whose kid has changed as well, would only be waited for.
    assert isinstance(verdict, Refused)
    assert verdict.chain is None


@given(st.binary(max_size=1300))
def test_any_bytes_as_a_wrap_are_refused(raw: bytes) -> None:
    assert code_of(accept_wrap, raw, {}, [JPN.kem], JPN.endpoint) in {Code.BAD_WRAP, Code.UNKNOWN_EPOCH}


def test_nothing_is_opened_with_another_epochs_key(chain: Publisher) -> None:
    station = Station(keys={chain.key.commitment: EpochKey(seed("wrong"))})
    station.take(chain.subject, chain.sent[0])
    verdict = station.take(chain.subject, chain.sent[1])
    assert isinstance(verdict, Refused)
    assert verdict.error.code is Code.DECRYPTION_FAILED
    assert verdict.chain is not None
    assert verdict.chain.head == ChainHead(1, parse_frame(chain.sent[1]).hash)
