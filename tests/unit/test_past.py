"""A chain's past, read by its own rules up to where the live chain stands. FORMAT.md, "History"."""

import dataclasses
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from schemas.chain import ChainHead, ChainKey, check_join
from schemas.directory import Directory
from schemas.errors import Code
from schemas.frame import CARD, parse_frame
from schemas.vocabulary import History
from subscribers.judging.authenticity import Pending
from subscribers.judging.past import Join, Outcome, PastChain, Step, stage, vouchers
from subscribers.judging.past import given as given_wrap
from subscribers.judging.trust import Announced, Epoch, EpochId, LogBehind, Refused, judge
from tests.support.federation import (
    AT,
    COM,
    FRA,
    JPN,
    Publisher,
    Station,
    by_owners,
    code_of,
    directory,
    entry,
    memberships,
    replaced,
    unsigned,
)

KEY = ChainKey(FRA.endpoint, COM, "routine")


def step(raw: bytes) -> Step:
    frame = parse_frame(raw)
    return Step(frame.header.seq, frame.hash, frame.header.prev, frame.header.kid)


def join(raw: bytes) -> Join:
    return Join.at(parse_frame(raw).header_bytes)


def read(
    raws: Sequence[bytes],
    anchor: bytes | None = None,
    *,
    at: Directory | None = None,
    known: Sequence[tuple[EpochId, Epoch]] = (),
) -> tuple[PastChain, list[Outcome]]:
    """A past with these frames, in this order, before this anchor."""
    known_directory = at or directory()
    where = None if anchor is None else join(anchor)
    chain = PastChain.of(KEY, JPN.id, where, known)
    proofs = vouchers(known_directory, list(map(step, raws)), where)
    outcomes = []
    for raw, by in zip(raws, proofs, strict=True):
        outcome = chain.read(known_directory, raw, by, frozenset(), AT)
        assert not isinstance(outcome, LogBehind)
        outcomes.append(outcome)
    chain.close()
    return chain, outcomes


def states(outcomes: Sequence[Outcome]) -> list[str]:
    return [str(each.error.code) if each.error else each.state for each in outcomes]


def history() -> tuple[Publisher, bytes]:
    """Two bulletins for members, one for those who were there, a heartbeat; then the anchor."""
    p = Publisher()
    p.send(p.announcement())
    p.send(p.bulletin(1))
    p.ep = 1
    p.send(p.announcement(History.NONE))
    p.send(p.bulletin(2, history="none"))
    p.send(p.beat())
    p.send(p.sealed(b"a card", 3, kind=CARD))
    p.ep = 0
    p.send(p.bulletin(4))
    p.ep = 2
    return p, p.announcement()


def test_what_may_be_read_waits_and_the_rest_is_counted() -> None:
    p, anchor = history()
    chain, outcomes = read(p.sent, anchor)
    assert states(outcomes) == ["passed", "waits", "passed", "withheld", "passed", "passed", "waits"]
    assert chain.missing == []
    assert chain.head == p.head
    assert sorted(each.ep for each in chain.learned) == [0, 1]
    assert all(epoch.key is None and not epoch.due for epoch in chain.learned.values())
    assert {each.announcement for each in outcomes if each.state == "waits"} == {
        bytes.fromhex(parse_frame(p.sent[0]).hash)
    }


def test_missing_frames_are_told_wherever_they_lie() -> None:
    p, anchor = history()
    for without, missing in ((0, range(2)), (3, range(3, 4)), (6, range(6, 7))):
        chain, _ = read([raw for place, raw in enumerate(p.sent) if place != without], anchor)
        assert chain.missing == [missing]
    chain, _ = read([], anchor)
    assert chain.missing == [range(7)]
    assert chain.head == p.head
    chain, _ = read(p.sent)
    assert chain.missing == []


def test_the_past_must_lead_to_the_chain_that_is_followed() -> None:
    p, anchor = history()
    other = dataclasses.replace(p, head=ChainHead(5, parse_frame(p.sent[5]).hash), ep=0)
    chain, outcomes = read([*p.sent[:6], other.bulletin(9)], anchor)
    assert states(outcomes)[-1] == "fork"
    assert chain.missing == [range(6, 7)]  # what the anchor stands on has not come


def test_a_fork_within_the_past() -> None:
    p, anchor = history()
    other = dataclasses.replace(p, head=ChainHead(0, parse_frame(p.sent[0]).hash), ep=0)
    _, outcomes = read([*p.sent[:2], other.bulletin(9), *p.sent[2:]], anchor)
    assert states(outcomes)[2] == "fork"


def test_a_number_that_another_frame_has_announced() -> None:
    p = Publisher()
    p.send(p.announcement())
    taken = Epoch("flash", bytes(32), bytes(32), "members", due=True)
    _, outcomes = read(p.sent, known=[(EpochId(FRA.endpoint, COM, 0), taken)])
    assert states(outcomes) == ["not_next"]
    same = taken._replace(precedence="routine", announcement=bytes.fromhex(parse_frame(p.sent[0]).hash))
    other = (EpochId(JPN.endpoint, COM, 0), taken)
    chain, outcomes = read(p.sent, known=[(EpochId(FRA.endpoint, COM, 0), same), other])
    assert states(outcomes) == ["passed"]
    assert chain.learned == {}


def test_who_was_no_member_then_is_not_believed() -> None:
    log = memberships()[COM]
    gone = by_owners(entry(log, id="fra", op="remove", nbf=AT - 1))
    p = Publisher()
    p.send(p.announcement())
    _, outcomes = read(p.sent, at=directory(entries=[gone]))
    assert states(outcomes) == ["not_member"]


def test_a_revoked_key_counts_where_a_successor_stands_on_it() -> None:
    p = Publisher()
    p.send(p.announcement())
    p.send(p.bulletin(1))
    known = directory([JPN.successor(), FRA.successor(), FRA.revocation()])
    assert states(read(p.sent, at=known)[1]) == ["revoked_key"] * 2
    p.rekey()
    anchor = p.sent.pop()
    assert states(read(p.sent, anchor, at=known)[1]) == ["passed", "waits"]  # by the anchor
    p.send(anchor)
    assert states(read(p.sent, at=known)[1]) == ["passed", "waits", "passed"]  # by a frame of the past
    lost = [p.sent[0], p.sent[2]]
    assert states(read(lost, at=known)[1]) == ["revoked_key", "passed"]


def test_an_older_key_does_not_speak_for_a_newer_one() -> None:
    p = Publisher()
    p.rekey()
    p.signer = FRA.signing
    p.send(p.bulletin(1))
    steps = list(map(step, p.sent))
    both = directory([FRA.successor()])
    assert vouchers(both, steps, None) == [each.kid for each in steps]
    newer = dataclasses.replace(both, revoked=frozenset({steps[0].kid}))
    assert vouchers(newer, steps, None) == [None, steps[1].kid]


def test_what_is_kept_for_reading_is_signed() -> None:
    p, _ = history()
    subject = p.subject
    assert not isinstance(stage(directory(), subject, p.sent[0]), (Refused, LogBehind))
    for where, raw, code in (
        (subject, b"", Code.TRUNCATED),
        (subject, unsigned(p.sent[0]), Code.BAD_SIGNATURE),
        (subject.replace("routine", "flash"), p.sent[0], Code.SUBJECT_MISMATCH),
        (subject, replaced(p.sent[0], JPN.signing, kid=JPN.kid), Code.UNKNOWN_KEY),
    ):
        found = stage(directory(), where, raw)
        assert isinstance(found, Refused)
        assert found.error.code is code
    chain = PastChain.of(KEY, JPN.id, None, ())
    outcome = chain.read(directory(), unsigned(p.sent[0]), FRA.kid, frozenset(), AT)
    assert isinstance(outcome, Outcome)
    assert states([outcome]) == ["bad_signature"]


def test_a_longer_log_is_waited_for() -> None:
    longer = directory([JPN.successor()])
    ahead = Publisher(at=longer)
    raw = ahead.announcement()
    chain = PastChain.of(KEY, JPN.id, None, ())
    assert isinstance(chain.read(directory(), raw, FRA.kid, frozenset(), AT), LogBehind)
    unknown = Publisher(at=directory([FRA.successor()]), signer=FRA.next_signing).announcement()
    assert isinstance(stage(directory(), ahead.subject, unknown), LogBehind)
    assert isinstance(chain.read(directory(), unknown, FRA.kid, frozenset(), AT), LogBehind)


def test_frames_before_the_first_announcement_are_no_use() -> None:
    p, anchor = history()
    chain, outcomes = read(p.sent[1:2], anchor)
    assert states(outcomes) == ["passed"]
    assert chain.missing == [range(7)]


def test_a_chain_that_begins_after_its_past_was_read() -> None:
    p, anchor = history()
    frame, head = parse_frame(anchor), p.head
    check_join(None, frame)
    check_join(head, frame)
    check_join(ChainHead(head.seq - 1, "ab" * 32), frame)  # something was on its way meanwhile
    for past in (head._replace(hash="ab" * 32), ChainHead(head.seq + 1, head.hash)):
        assert code_of(check_join, past, frame) is Code.FORK
    station = Station()
    reader = dataclasses.replace(station.reader, past={KEY: head._replace(hash="ab" * 32)})
    verdict = judge(reader, past_pending(anchor), by=FRA.kid, now=AT)
    assert isinstance(verdict, Refused)
    assert verdict.error.code is Code.FORK
    assert isinstance(
        judge(dataclasses.replace(reader, past={KEY: head}), past_pending(anchor), by=FRA.kid, now=AT),
        Announced,
    )


def past_pending(raw: bytes) -> Pending:
    found = stage(directory(), Publisher().subject, raw)
    assert isinstance(found, Pending)
    return found


def test_a_wrap_of_what_is_kept_from_later_joiners() -> None:
    for hist, due, code in (
        ("members", False, None),
        ("members", True, None),
        ("none", True, None),
        ("none", False, Code.HISTORY_NONE),
    ):
        assert code_of(given_wrap, hist, due=due) is code


def test_what_the_live_feed_saw_and_could_not_read() -> None:
    """A joiner's live feed may begin before it was let in: then the anchor itself is of the past."""
    p, anchor = history()
    p.send(anchor)
    p.ep = 2
    p.send(p.bulletin(5))
    first = parse_frame(p.sent[0])
    known = Epoch("routine", bytes.fromhex(first.hash), bytes(32), "members", due=False)
    mine = Epoch(
        "routine", bytes.fromhex(parse_frame(anchor).hash), bytes(32), "members", due=True, key=p.key
    )
    epochs = [(EpochId(FRA.endpoint, COM, 0), known), (EpochId(FRA.endpoint, COM, 2), mine)]
    chain = PastChain.of(KEY, JPN.id, join(p.sent[0]), epochs, p.head)
    outcomes = []
    for raw in p.sent:
        outcome = chain.read(directory(), raw, FRA.kid, frozenset(), AT)
        assert not isinstance(outcome, LogBehind)
        outcomes.append(outcome)
    chain.close()
    assert states(outcomes) == [
        "passed", "waits", "passed", "withheld", "passed", "passed", "waits", "passed", "passed",
    ]  # fmt: skip
    assert chain.missing == []
    other = dataclasses.replace(p, head=ChainHead(7, parse_frame(p.sent[7]).hash))
    chain = PastChain.of(KEY, JPN.id, join(p.sent[0]), epochs, p.head)
    for raw in p.sent[:8]:
        chain.read(directory(), raw, FRA.kid, frozenset(), AT)
    outcome = chain.read(directory(), other.bulletin(6), FRA.kid, frozenset(), AT)
    assert isinstance(outcome, Outcome)
    assert states([outcome]) == ["fork"]  # the live chain has another last frame


@given(st.lists(st.sampled_from(["members", "none", "beat", "epoch", "lost"]), max_size=12))
def test_every_frame_of_a_past_is_accounted_for(plan: list[str]) -> None:
    """Whatever is in a past: each frame waits, is withheld or has passed, and each lost one is missing."""
    p = Publisher()
    p.send(p.announcement())
    p.ep = 1
    p.send(p.announcement(History.NONE))
    lost, wanted = 0, []
    for number, what in enumerate(plan):
        p.ep = 1 if what == "none" else 0
        match what:
            case "beat":
                p.send(p.beat())
            case "epoch":
                p.ep = 10 + number
                p.send(p.announcement())
            case "lost":
                p.send(p.bulletin(number))
                p.sent.pop()
                lost += 1
                continue
            case _:
                p.send(p.bulletin(number, history=what))
        wanted.append({"members": "waits", "none": "withheld"}.get(what, "passed"))
    p.ep = 99
    chain, outcomes = read(p.sent, p.announcement())
    assert states(outcomes) == ["passed", "passed", *wanted]
    assert sum(map(len, chain.missing)) == lost
