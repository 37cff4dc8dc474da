"""From a payload to the submissions that carry it, read back by a real reader's trust rules."""

import dataclasses
from hashlib import sha256

import pytest

from schemas.chain import ChainHead
from schemas.directory import Directory
from schemas.encoding import to_base64
from schemas.frame import BULLETIN, CARD, EPOCH, parse_frame
from schemas.limits import WRAP_SIZE
from schemas.subjects import parse_frame_subject
from schemas.vocabulary import History
from schemas.wraps import parse_bundle
from subscribers.exchange.composer import (
    HOUR,
    WRAPS,
    Composed,
    Context,
    Item,
    Limits,
    ManyWraps,
    OwnChain,
    compose,
    readers_of,
)
from subscribers.judging.trust import Opened
from subscribers.keys import KemKey
from subscribers.sealing import unwrap
from tests.support.federation import (
    AT,
    COM,
    FRA,
    JPN,
    OTHER,
    UNX,
    Station,
    bulletin,
    by_owners,
    directory,
    entry,
    envelope,
    memberships,
    place,
    random_from,
    seed,
    uuid,
)


def context(known: Directory | None = None, now: int = AT, next_epoch: int = 0) -> Context:
    return Context(
        known or directory(),
        FRA.kid,
        FRA.signing,
        now,
        next_epoch,
        lambda: uuid(0xE000 + next_epoch),
        Limits(epoch_uses=3),
        random_from(f"composer {next_epoch}"),
    )


def item(number: int, history: History = History.MEMBERS, kind: str = BULLETIN) -> Item:
    return Item(kind, uuid(number), bulletin(number, history=history).to_bytes(), history)


def after(*numbers: int, now: int = AT) -> Composed:
    """Bulletins composed one after the other."""
    chain, composed = OwnChain(), None
    for count, number in enumerate(numbers):
        composed = compose(item(number), place(), chain, context(now=now, next_epoch=count))
        chain = composed.chain
    assert composed
    return composed


def kinds(composed: Composed) -> list[str]:
    return [each.kind for each in composed.submissions]


def test_the_first_begins_an_epoch_and_everybody_gets_its_key_and_so_do_we() -> None:
    composed = after(1)
    assert kinds(composed) == [EPOCH, WRAPS, BULLETIN]
    announcement, bundle, sealed = composed.submissions
    assert [each.seq for each in composed.submissions] == [0, None, 1]
    assert composed.chain.head == ChainHead(1, sha256(sealed.raw).hexdigest())
    assert composed.announced
    id_, epoch = composed.announced
    assert (id_.publisher, id_.ep, epoch.due) == (FRA.endpoint, 0, True)
    wraps = parse_bundle(bundle.raw)
    assert {each.kid for each in wraps} == {FRA.kem.kid, JPN.kem.kid, UNX.kem.kid}
    hash_ = sha256(announcement.raw).digest()
    parties = sorted((FRA, JPN, UNX), key=lambda each: each.kem.kid)
    for wrapped, party in zip(sorted(wraps), parties, strict=True):
        assert len(wrapped.to_bytes()) == WRAP_SIZE
        assert bytes(unwrap(wrapped, hash_, party.kem, party.endpoint, epoch.kc)) == bytes(epoch.key or b"")


def test_an_epoch_for_many_is_not_begun_where_it_would_hold_up_others() -> None:
    few = dataclasses.replace(context(), wraps_max=2)
    with pytest.raises(ManyWraps):
        compose(item(1), place(), OwnChain(), few)
    enough = dataclasses.replace(few, wraps_max=3)
    assert kinds(compose(item(1), place(), OwnChain(), enough)) == [EPOCH, WRAPS, BULLETIN]
    begun = after(1).chain
    assert kinds(compose(item(2), place(), begun, few)) == [BULLETIN], "nothing is wrapped then"


def test_a_reader_opens_what_was_composed() -> None:
    composed = after(1)
    station = Station(JPN)
    assert composed.announced
    key = composed.announced[1].key
    assert key
    station.keys[key.commitment] = key
    frames = [each for each in composed.submissions if each.seq is not None]
    verdicts = [station.take(parse_frame_subject(each.subject).traffic(), each.raw) for each in frames]
    opened = verdicts[-1]
    assert isinstance(opened, Opened)
    assert opened.bulletin == bulletin(1, history=History.MEMBERS)


def test_inside_an_epoch_there_is_only_the_bulletin() -> None:
    first = after(1)
    second = compose(item(2), place(), first.chain, context(next_epoch=1))
    assert kinds(second) == [BULLETIN]
    assert second.announced is None
    frame = parse_frame(second.submissions[0].raw)
    assert (frame.header.prev, frame.header.ep) == (first.chain.head.hash, 0)


def test_each_history_has_an_epoch_of_its_own() -> None:
    first = after(1)
    other = compose(item(2, History.NONE), place(), first.chain, context(next_epoch=1))
    assert kinds(other) == [EPOCH, WRAPS, BULLETIN]
    back = compose(item(3), place(), other.chain, context(next_epoch=2))
    assert parse_frame(back.submissions[-1].raw).header.ep == 0


@pytest.mark.parametrize("why", ["time", "use", "membership", "signing key", "a reader's key"])
def test_a_new_epoch_begins_with_the_next_bulletin_after_a_change(why: str) -> None:
    first = after(1)
    chain, next_context = first.chain, context(next_epoch=1)
    if why == "time":
        next_context = dataclasses.replace(next_context, now=AT + 24 * HOUR)
    elif why == "use":
        chain = after(1, 2, 3).chain
    elif why == "membership":
        log = memberships()[COM]
        removed = by_owners(entry(log, op="remove", id="jpn", issued=AT, nbf=AT))
        next_context = dataclasses.replace(next_context, directory=directory(entries=[removed]))
    elif why == "signing key":
        next_context = dataclasses.replace(next_context, kid="ab" * 16)
    else:
        renewed = JPN.keys(
            version=2, signing=to_base64(JPN.next_signing.public), kem=to_base64(KemKey(seed("n")).public)
        )
        next_context = dataclasses.replace(
            next_context, directory=directory([envelope(renewed, JPN.identity)])
        )
    composed = compose(item(9), place(), chain, next_context)
    assert kinds(composed)[0] == EPOCH
    assert composed.announced
    assert composed.announced[0].ep == 1
    if why == "membership":
        assert {each.kid for each in parse_bundle(composed.submissions[1].raw)} == {
            FRA.kem.kid,
            UNX.kem.kid,
        }


def test_alone_there_is_only_ourselves_to_wrap_for() -> None:
    log = memberships()[OTHER]
    alone = directory(entries=[by_owners(entry(log, com=OTHER, op="remove", id="jpn", issued=AT, nbf=AT))])
    composed = compose(item(1), place(com=OTHER), OwnChain(), context(alone))
    assert kinds(composed) == [EPOCH, WRAPS, BULLETIN]
    assert [each.kid for each in parse_bundle(composed.submissions[1].raw)] == [FRA.kem.kid]


def test_a_card_does_not_spend_an_epoch() -> None:
    composed = compose(item(1, kind=CARD), place(), OwnChain(), context())
    assert composed.chain.epochs[History.MEMBERS].uses == 0
    assert compose(item(2), place(), composed.chain, context()).chain.epochs[History.MEMBERS].uses == 1


def test_who_reads_is_who_is_a_member_with_a_key_that_holds() -> None:
    assert [each.agency for each in readers_of(directory(), COM, AT)] == sorted(
        ("fra", "jpn", "unx"), key=lambda id_: {"fra": FRA, "jpn": JPN, "unx": UNX}[id_].endpoint
    )
