"""What a reader with a backlog believes, against one that verifies frame by frame and the rule itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.chain import ChainHead
from schemas.directory import Directory
from schemas.errors import Code
from schemas.frame import Frame, parse_frame
from schemas.signing import key_id
from schemas.vocabulary import Precedence
from subscribers.judging.authenticity import Pending, bind, prove, read_frame, signature_holds
from subscribers.judging.reading import Reading
from subscribers.judging.trust import Announced, LogBehind, Opened, Refused, Verdict, judge
from tests.support.federation import (
    AT,
    FRA,
    JPN,
    UNX,
    Publisher,
    Station,
    changed,
    directory,
    replaced,
    unsigned,
)
from tests.vectors.recipe import sent, started

NOW: Final = AT + 1000
Messages = list[tuple[str, bytes]]


def said(verdict: Verdict) -> tuple[object, ...]:
    """A verdict as far as it can be compared: errors are equal when their codes are."""
    if isinstance(verdict, Refused):
        return (Refused, verdict.error.code, verdict.frame, verdict.chain)
    return (type(verdict), *verdict)


def run(*numbers: int) -> Publisher:
    publisher = started()
    for number in numbers:
        publisher.send(publisher.bulletin(number))
    return publisher


def station(*publishers: Publisher, at: Directory | None = None) -> Station:
    keys = {each.key.commitment: each.key for each in publishers}
    return Station(UNX, at or directory(), keys=keys)


def pending(known: Directory, messages: Messages) -> list[Pending | None]:
    frames = [read_frame(*each) for each in messages]
    bound = [bind(known, each) if isinstance(each, Frame) else each for each in frames]
    return [each if isinstance(each, Pending) else None for each in bound]


def test_live_frames_need_their_own_signatures() -> None:
    p = run(1)
    p.send(unsigned(p.bulletin(2)))
    p.send(p.bulletin(3))
    live = station(p).read(sent(p), each=True)
    assert [type(each) for each in live] == [Announced, Opened, Refused, Opened]
    behind = station(p).read(sent(p))
    assert [type(each) for each in behind] == [Announced, Opened, Opened, Opened]


def test_live_frames_of_a_revoked_key_count_as_ancestors() -> None:
    p = run(1)
    p.send(unsigned(p.bulletin(2)))
    p.rekey()
    p.send(p.bulletin(3))
    known = directory([FRA.successor(), FRA.revocation()])
    live = station(run(), p, at=known).read(sent(p), each=True)
    assert [type(each) for each in live] == [Announced, Opened, Opened, Announced, Opened]


def test_one_signature_for_a_run() -> None:
    """What is behind the last frame is never held against its own signature."""
    p = run(1)
    for number in range(2, 40):
        p.send(unsigned(p.bulletin(number)))
    assert prove(p.at, pending(p.at, sent(p)), each=False) == [FRA.kid, FRA.kid, *[None] * 38]
    p.send(p.bulletin(40))
    assert prove(p.at, pending(p.at, sent(p)), each=False) == [FRA.kid] * 41


def test_what_comes_before_its_own_ancestor_does_not_vouch_for_it() -> None:
    p = run(1)
    first, second = sent(p)
    late = (p.subject, unsigned(p.sent[0]))
    child = (p.subject, replaced(p.sent[1], FRA.signing, prev=parse_frame(late[1]).hash))
    assert prove(p.at, pending(p.at, [child, late]), each=False) == [FRA.kid, None]
    assert prove(p.at, pending(p.at, [late, child]), each=False) == [FRA.kid, FRA.kid]
    assert prove(p.at, pending(p.at, [first, (p.subject, b"no frame"), second]), each=False) == [
        FRA.kid,
        None,
        FRA.kid,
    ]


def test_of_two_that_cite_a_frame_the_newer_key_vouches_for_it() -> None:
    p, newer = run(1), key_id(FRA.next_signing.public).hex()
    first = unsigned(p.sent[0])
    prev = parse_frame(first).hash
    second = replaced(p.sent[1], FRA.signing, prev=prev)
    rival = replaced(p.sent[1], FRA.next_signing, prev=prev, kid=newer)
    known = directory([FRA.successor()])
    for order, kids in (
        ((first, second, rival), [newer, FRA.kid, newer]),
        ((first, rival, second), [newer, newer, FRA.kid]),
    ):
        messages = [(p.subject, raw) for raw in order]
        assert prove(known, pending(known, messages), each=False) == kids


def test_a_key_revoked_while_a_batch_is_judged() -> None:
    p = run(1, 2)
    reader = station(p)
    reading = Reading(sent(p), each=False)
    first = reading.judge(reader.reader, 0, NOW)
    reader.apply(first)
    reader.directory = directory([FRA.revocation()])
    assert isinstance(first, Announced)
    for index in (1, 2):
        verdict = reading.judge(reader.reader, index, NOW)
        assert isinstance(verdict, Refused)
        assert verdict.error.code is Code.REVOKED_KEY
        assert verdict.chain is None


def test_a_key_revoked_after_its_signature_was_checked() -> None:
    p = run(1)
    (first, _) = pending(directory(), sent(p))
    assert first
    reader = station(p, at=directory([FRA.revocation()]))
    for by in (FRA.kid, None):
        verdict = judge(reader.reader, first, by=by, now=NOW)
        assert isinstance(verdict, Refused)
        assert verdict.error.code is Code.REVOKED_KEY


def test_a_key_that_comes_while_a_batch_is_judged() -> None:
    """A successor's announcement waits for the directory; then its chain counts, by the key in it."""
    p = run(1)
    p.at = directory([FRA.successor()])
    p.rekey()
    p.send(unsigned(p.bulletin(2)))
    p.send(p.bulletin(3))
    reader = station(run(), p)
    reading = Reading(sent(p), each=False)
    verdicts = []
    for index in range(len(p.sent)):
        verdict = reading.judge(reader.reader, index, NOW)
        if isinstance(verdict, LogBehind):
            assert (index, verdict) == (2, LogBehind("directory", p.at.head.size))
            reader.directory = p.at
            verdict = reading.judge(reader.reader, index, NOW)
        reader.apply(verdict)
        verdicts.append(type(verdict))
    assert verdicts == [Announced, Opened, Announced, Opened, Opened]


def test_a_key_that_a_head_sets_free_while_a_batch_is_judged() -> None:
    p = run(1)
    reader = station(p)
    first = unsigned(p.sent[0])
    second = replaced(p.sent[1], FRA.signing, prev=parse_frame(first).hash)
    reading = Reading([(p.subject, first), (p.subject, second)], each=False)
    for withheld, kind in ((frozenset({FRA.kid}), Refused), (frozenset[str](), Announced)) * 2:
        reader.withheld = withheld
        assert isinstance(reading.judge(reader.reader, 0, NOW), kind)


def test_what_a_batch_stands_on() -> None:
    p = run(1, 2)
    whole = sent(p)
    reading = Reading([*whole[1:2], (p.subject, b"no frame"), *whole[2:]], each=False)
    hashes = [parse_frame(raw).hash for raw in p.sent]
    assert list(reading.cited(p.at)) == [(0, hashes[0]), (2, hashes[1])]
    forged = Reading([(p.subject, unsigned(p.sent[1]))], each=False)
    assert list(forged.cited(p.at)) == []


def test_a_citation_by_another_does_not_hide_that_by_its_own_publisher() -> None:
    """Both cite one hash: the successor's word for its own past must not be lost to a stranger's claim."""
    p, q = run(1), started(JPN)
    last = p.head
    p.rekey()
    q.head = last
    claim = (q.subject, q.bulletin(9))
    known = directory([FRA.successor(), FRA.revocation()])
    first, second, third = sent(p)
    for messages in ([first, second, claim, third], [first, second, third, claim]):
        verdicts = station(run(), p, q, at=known).read(messages)
        kinds = [type(each) for each, (_, raw) in zip(verdicts, messages, strict=True) if raw != claim[1]]
        assert kinds == [Announced, Opened, Announced]


FAULTS: Final = (
    "none", "none", "none", "none", "none",
    "unsigned", "flipped", "gap", "link", "fork", "replay", "swap", "lost", "newer", "other_key",
    "forged_link",
)  # fmt: skip


@dataclass
class History:
    """Chains of two publishers with faults in them, in the order in which a hub gives them out."""

    chains: list[Publisher]
    messages: Messages = field(default_factory=list)
    number: int = 0

    def step(self, chain: Publisher, fault: str) -> None:
        """One more frame, or what the fault makes of it."""
        self.number += 1
        raw = chain.beat() if chain.precedence is Precedence.FLASH else chain.bulletin(self.number)
        before = chain.head
        match fault:
            case "unsigned":
                raw = unsigned(raw)
            case "flipped":
                raw = changed(raw, len(raw) - 1)
            case "newer":
                kid = key_id(chain.party.next_signing.public).hex()
                raw = replaced(raw, chain.signer or chain.party.signing, kid=kid)
            case "other_key":
                raw = replaced(raw, chain.signer or chain.party.signing, kid=UNX.kid)
            case "gap":
                chain.head = ChainHead(before.seq + 1, before.hash)
                raw = chain.beat()
            case "link" | "forged_link":
                chain.head = ChainHead(before.seq, "1" * 64)
                raw = chain.beat()
                raw = unsigned(raw) if fault == "forged_link" else raw
            case _:
                pass
        chain.send(raw)
        if fault != "lost":
            self.messages.append((chain.subject, raw))
        if fault == "fork":
            chain.head = before
        if fault == "replay":
            self.messages.append(self.messages[self.number // 2 % len(self.messages)])
        if fault == "swap" and len(self.messages) > 1:
            self.messages[-2:] = self.messages[:-3:-1]


@st.composite
def histories(draw: st.DrawFn, faults: Sequence[str] = FAULTS) -> History:
    """Up to 24 steps on three chains; the first may go over to the next key on its way."""
    chains = [started(), started(JPN), started(precedence=Precedence.FLASH, ep=7)]
    history = History(chains, [each for chain in chains for each in sent(chain)])
    steps = draw(st.lists(st.tuples(st.sampled_from((0, 0, 1, 2)), st.sampled_from(faults)), max_size=24))
    rekey = draw(st.none() | st.integers(min_value=0, max_value=24))
    for index, (which, fault) in enumerate(steps):
        if index == rekey:
            chains[0].rekey()
            history.messages.append((chains[0].subject, chains[0].sent[-1]))
        history.step(chains[which], fault)
    return history


def by_the_rule(known: Directory, frames: list[Pending | None], *, each: bool) -> list[bool]:
    """FORMAT.md, "Frame" and "Directory", word for word, and slowly."""

    def own(one: Pending) -> bool:
        return one.frame.header.kid not in known.revoked and signature_holds(one)

    def stands_on(later: Pending, one: Pending) -> bool:
        mine, its = one.frame.header, later.frame.header
        place = (its.pub, its.com, its.pr, its.seq, its.prev)
        return place == (mine.pub, mine.com, mine.pr, mine.seq + 1, one.frame.hash)

    def reached(index: int) -> set[int]:
        """Versions of the keys whose signatures reach a frame: its own, and its successors'."""
        one = frames[index]
        if one is None:
            return set()
        heard = set[int]()
        for later in range(index + 1, len(frames)):
            successor = frames[later]
            if successor is not None and stands_on(successor, one):
                heard |= reached(later)
        version, revoked = one.keys.version, one.frame.header.kid in known.revoked
        needs_own = each and not revoked
        vouched = not needs_own and any(other >= version for other in heard)
        if not vouched and not own(one):
            return set()
        return heard | ({version} if own(one) else set())

    return [bool(reached(index)) for index in range(len(frames))]


@given(histories(), st.booleans(), st.booleans())
@settings(max_examples=150)
def test_the_batch_says_what_the_rule_says(history: History, revoked: bool, each: bool) -> None:
    known = directory([FRA.successor(), *([FRA.revocation()] if revoked else [])])
    frames = pending(known, history.messages)
    proofs = prove(known, frames, each=each)
    assert [by is not None for by in proofs] == by_the_rule(known, frames, each=each)
    assert not known.revoked & {by for by in proofs if by}


@given(histories(), st.booleans(), st.integers(min_value=1, max_value=30))
@settings(max_examples=150)
def test_batches_and_single_frames_agree(history: History, revoked: bool, size: int) -> None:
    """The same verdicts, whatever the faults and the size of batches, but for what the format says: a frame
    whose own signature does not hold, or whose key is revoked, counts where a later one stands on it. A
    frame-by-frame reader that is told of just these frames differs in nothing.
    """
    known = directory([FRA.successor(), *([FRA.revocation()] if revoked else [])])
    epochs = [*history.chains, started(), Publisher(ep=1)]
    batched, single = station(*epochs, at=known), station(*epochs, at=known)
    for start in range(0, len(history.messages), size):
        batch = history.messages[start : start + size]
        verdicts = batched.read(batch)
        frames = pending(known, batch)
        shown = by_the_rule(known, frames, each=False)
        for (subject, raw), verdict, one, good in zip(batch, verdicts, frames, shown, strict=True):
            alone = single.judge(subject, raw)
            if (
                one is not None
                and good
                and isinstance(alone, Refused)
                and (alone.error.code in {Code.BAD_SIGNATURE, Code.REVOKED_KEY})
            ):
                alone = judge(single.reader, one, by=key_id(FRA.next_signing.public).hex(), now=NOW)
            single.apply(alone)
            assert said(verdict) == said(alone)
    assert batched.chains == single.chains
    assert batched.epochs == single.epochs


@given(histories([each for each in FAULTS if each not in {"unsigned", "flipped", "newer", "forged_link"}]))
@settings(max_examples=80)
def test_without_forgeries_nothing_differs(history: History) -> None:
    known = directory([FRA.successor()])
    epochs = [*history.chains, started(), Publisher(ep=1)]
    batched, single = station(*epochs, at=known), station(*epochs, at=known)
    verdicts = [single.take(subject, raw) for subject, raw in history.messages]
    assert list(map(said, batched.read(history.messages))) == list(map(said, verdicts))
