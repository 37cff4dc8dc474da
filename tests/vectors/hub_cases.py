"""Cases about what a hub admits: the endpoint's key, the community, the time, the place in the chain."""

from collections.abc import Iterable, Iterator
from typing import Any

from schemas.card import Card
from schemas.chain import ChainHead
from schemas.errors import Code
from schemas.frame import CARD, parse_frame
from schemas.limits import CLOCK_SKEW_MAX, INTAKE_AGE_MAX, LIFE_MAX
from schemas.merkle import Head
from schemas.vocabulary import Precedence
from tests.support import federation as fed
from tests.support.federation import AT, BRA, COM, FRA, JPN, OTHER, UNX, Publisher, changed
from tests.vectors.recipe import NOW, Case, b64, case, code, started


def hub_cases() -> Iterator[Case]:
    """All of them."""
    yield from _taken()
    yield from _keys()
    yield from _places()
    yield from _times()
    yield from _chains()


def admits(
    name: str,
    what: str,
    expect: dict[str, Any] | Code,
    publisher: Publisher,
    raw: bytes,
    *,
    head: ChainHead | None = None,
    subject: str = "",
    now: int = NOW,
    documents: Iterable[bytes] = (),
    entries: Iterable[bytes] = (),
    suspended: Iterable[str] = (),
) -> Case:
    """A frame at the hub; its chain stands at `head`, or where the publisher thinks."""
    stands = head or publisher.head
    given = {
        "documents": [each.decode() for each in documents],
        "entries": [each.decode() for each in entries],
        "suspended": list(suspended),
        "head": [stands.seq, stands.hash],
        "now": now,
        "message": [subject or publisher.place.intake(), b64(raw)],
    }
    said = code(expect) if isinstance(expect, Code) else expect
    filled = {key: value for key, value in given.items() if value != []}
    return case(f"admit_{name}", what, "admit", said, **filled)


def admitted(raw: bytes, *, repeated: bool = False) -> dict[str, Any]:
    """It goes on, and is the head of its chain."""
    frame = parse_frame(raw)
    return {"head": [frame.header.seq, frame.hash], "repeated": repeated}


def _taken() -> Iterator[Case]:
    e, p = Publisher(), started()
    first, next_ = e.announcement(), p.bulletin(1)
    yield admits("announcement", "the first frame of a chain", admitted(first), e, first)
    yield admits("bulletin", "the next of a chain", admitted(next_), p, next_)
    beat = p.beat()
    yield admits("heartbeat", "a heartbeat", admitted(beat), p, beat)
    last = p.sent[-1]
    what = "the head again: answered again, not published again"
    yield admits("repeat", what, admitted(last, repeated=True), p, last)
    what = "the head again from an endpoint that is suspended since: answered all the same"
    again = admitted(last, repeated=True)
    yield admits("repeat_when_suspended", what, again, p, last, suspended=[FRA.endpoint])
    card = p.sealed(Card(slug="b", title="B", rules="").to_bytes(), 2, kind=CARD)
    yield admits("card", "a card by an owner", admitted(card), p, card)


def _keys() -> Iterator[Case]:
    p = started()
    raw = p.bulletin(1)
    yield admits(
        "signature_flipped", "a flipped signature", Code.BAD_SIGNATURE, p, changed(raw, len(raw) - 1)
    )
    replaced = [FRA.successor()]
    what = "a key that was replaced: readers still take it, the hub does not"
    yield admits("key_replaced", what, Code.UNKNOWN_KEY, p, raw, documents=replaced)
    revoked = [*replaced, FRA.revocation()]
    yield admits("key_revoked", "a revoked key", Code.REVOKED_KEY, p, raw, documents=revoked)
    p.iat = AT - fed.DAY
    what = "a revoked key, the frame dated before the revocation"
    yield admits("key_revoked_backdated", what, Code.REVOKED_KEY, p, p.bulletin(1), documents=revoked)
    stranger = Publisher(fed.Party("xyz", "XYZ"))
    unknown = stranger.announcement()
    yield admits("endpoint_unknown", "an endpoint without keys", Code.UNKNOWN_PUBLISHER, stranger, unknown)
    stopped = [FRA.endpoint]
    yield admits("endpoint_suspended", "a suspended endpoint", Code.SUSPENDED, p, raw, suspended=stopped)


def _places() -> Iterator[Case]:
    p = started()
    raw = p.bulletin(1)
    flash = p.place._replace(precedence=Precedence.FLASH).intake()
    yield admits("subject_other", "another precedence", Code.SUBJECT_MISMATCH, p, raw, subject=flash)
    yield admits("subject_malformed", "no such subject", Code.BAD_SUBJECT, p, raw, subject="in.live")
    reader, outsider = started(UNX), started(BRA)
    yield admits("reader", "by a reader", Code.READ_ONLY_MEMBER, reader, reader.bulletin(1))
    yield admits(
        "stranger", "by an agency that is in no community", Code.NOT_MEMBER, outsider, outsider.bulletin(1)
    )
    log = fed.memberships()[COM]
    removed = fed.by_owners(fed.entry(log, op="remove", id="fra", nbf=NOW))
    what = "after its removal, dated before it: the hub judges at its own time"
    yield admits("removed", what, Code.NOT_MEMBER, p, raw, entries=[removed])
    later = fed.by_owners(fed.entry(log, op="remove", id="fra", nbf=NOW + 1))
    what = "a millisecond before its removal takes effect"
    yield admits("until_removal", what, admitted(raw), p, raw, entries=[later])
    other = started(JPN, com=OTHER)
    card = other.sealed(Card(slug="b", title="B", rules="").to_bytes(), 2, kind=CARD)
    yield admits("card_by_non_owner", "a card by a member that owns nothing", Code.FORBIDDEN, other, card)
    nowhere = fed.replaced(raw, FRA.signing, com="99" * 16)
    where = p.place._replace(community="99" * 16).intake()
    yield admits("community_unknown", "no such community", Code.UNKNOWN_COMMUNITY, p, nowhere, subject=where)
    beyond, split = Head(99, bytes(32)), Head(2, bytes(32))
    for name, longer, other_log in (
        ("directory", p.announcement(dir=beyond), p.announcement(dir=split)),
        ("membership", p.announcement(mem=beyond), p.announcement(mem=split)),
    ):
        what = f"a {name} log that is longer than the hub's"
        yield admits(f"{name}_beyond", what, Code.LOG_BEHIND, p, longer)
        what = f"another {name} log than the hub's"
        yield admits(f"{name}_split", what, Code.SPLIT_VIEW, p, other_log)


def _times() -> Iterator[Case]:
    p = started()
    for name, what, expect, iat, exp in (
        ("at_the_skew", "ahead by all that is allowed", None, NOW + CLOCK_SKEW_MAX, 0),
        ("from_the_future", "ahead by a millisecond more", Code.FROM_THE_FUTURE, NOW + CLOCK_SKEW_MAX + 1, 0),
        ("not_yet_expired", "a millisecond before `exp`", None, AT, NOW + 1),
        ("expired", "at `exp`", Code.EXPIRED, AT, NOW),
        ("not_yet_too_old", "as old as it may be", None, NOW - INTAKE_AGE_MAX, 0),
        ("too_old", "a millisecond older", Code.TOO_OLD, NOW - INTAKE_AGE_MAX - 1, 0),
        ("longest_life", "the longest life", None, AT, AT + LIFE_MAX),
        ("life_too_long", "a millisecond longer", Code.BAD_HEADER, AT, AT + LIFE_MAX + 1),
        ("life_of_nothing", "`exp` at `iat`", Code.BAD_HEADER, NOW + 1, NOW + 1),
    ):
        raw = p.bulletin(1)
        raw = fed.replaced(raw, FRA.signing, iat=iat, exp=exp or iat + 30 * fed.DAY)
        yield admits(name, what, expect or admitted(raw), p, raw)


def _chains() -> Iterator[Case]:
    p = started()
    earlier = p.head
    p.send(p.bulletin(1))
    two = p.bulletin(2)
    yield admits("gap", "a frame is missing before it", Code.GAP, p, two, head=earlier)
    yield admits("replay", "what stands behind the head", Code.REPLAYED, p, p.sent[0])
    what = "another frame with the head's number: a machine that was rolled back to an old snapshot"
    again = Publisher(head=earlier)
    yield admits("number_again", what, Code.FORK, p, again.bulletin(3), head=p.head)
    other = fed.replaced(two, FRA.signing, prev="ab" * 32)
    yield admits("other_past", "the next number on another past", Code.FORK, p, other)
