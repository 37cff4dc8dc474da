"""Proposals of owners: what is signed, by whom, and every way in which a file may be wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.documents import parse_document, parse_membership
from schemas.encoding import canonical_json, parse_json, to_base64
from schemas.errors import Code, LiaisonError, TrustError
from schemas.limits import DOCUMENT_MAX
from schemas.merkle import Head
from schemas.signing import MEMBERSHIP_TYPE
from schemas.vocabulary import Realm
from subscribers.owning.communities import HOUR, SPAN_MAX, Change, Owner, found, parse_span, propose
from subscribers.owning.proposals import check_complete, check_owner, countersign, examine
from tests.support.federation import (
    AT,
    BRA,
    COM,
    DAY,
    FRA,
    JPN,
    OTHER,
    UNX,
    by_owners,
    changed,
    code_of,
    community,
    directory,
    entry,
    envelope,
    memberships,
)

FIRST = Owner("fra", FRA.identity)
SECOND = Owner("jpn", JPN.identity)


def proposed(op: Any = "add", agency: str = "bra", nbf: int = AT + DAY) -> bytes:  # a literal
    return propose(directory(), Change(COM, op, agency, "member", nbf), AT, FIRST)


def test_two_owners_sign_and_the_log_takes_it() -> None:
    known, data = directory(), proposed()
    standing = examine(known, data, AT, 0)
    assert (standing.signed, standing.may_sign, standing.lacking) == (("fra",), ("jpn",), 1)
    assert standing.content == parse_membership(data).entry
    with pytest.raises(TrustError, match="1 more of: jpn") as refused:
        check_complete(standing)
    assert refused.value.code is Code.BELOW_THRESHOLD
    assert code_of(known.apply_membership, data) is Code.BELOW_THRESHOLD
    signed = countersign(known, data, AT + HOUR, 0, SECOND)
    standing = examine(known, signed, AT + HOUR, 0)
    check_complete(standing)
    assert (standing.signed, standing.lacking) == (("fra", "jpn"), 0)
    grown = known.apply_membership(signed).communities[COM]
    assert grown.signers[-1] == ("fra", "jpn")
    assert (grown.role("bra", AT + DAY - 1), grown.role("bra", AT + DAY)) == (None, "member")
    assert code_of(examine, directory(entries=[signed]), signed, AT, 0) is Code.ALREADY_KNOWN


def test_all_owners_may_be_asked_for_and_each_must_be_known() -> None:
    known = directory()
    _, data = found(known, Realm.LIVE, ["fra", "jpn"], AT, FRA.identity, 2)
    standing = examine(known, data, AT, 0)
    assert (standing.threshold, standing.content) == (2, parse_document(data).document)
    stranger = envelope(community(id="ab" * 16, owners=["fra", "nobody"]), FRA.identity)
    with pytest.raises(LiaisonError, match=r"^unknown_agency:.*nobody.*these are: bra, fra, jpn, unx\)$"):
        examine(known, stranger, AT, 0)
    fields = {"id": "xyz", "nbf": AT + DAY}
    data = envelope(entry(memberships()[COM], **fields), FRA.identity, type=MEMBERSHIP_TYPE)
    with pytest.raises(LiaisonError, match=r"^unknown_agency:.*xyz"):
        examine(known, data, AT, 0)


def test_several_found_a_community() -> None:
    known = directory()
    id, data = found(known, Realm.LIVE, ["fra", "jpn", "unx"], AT, FRA.identity, 2)
    assert code_of(known.apply, data) is Code.BELOW_THRESHOLD
    signed = countersign(known, data, AT, 0, Owner("unx", UNX.identity))
    assert examine(known, signed, AT, 0).signed == ("fra", "unx")
    grown = known.apply(signed)
    assert grown.communities[id].community.threshold == 2
    assert code_of(examine, grown, signed, AT, 0) is Code.ALREADY_KNOWN
    assert code_of(found, known, Realm.LIVE, ["fra"], AT, FRA.identity, 2) is Code.BELOW_THRESHOLD


def test_a_file_with_any_byte_changed_is_refused() -> None:
    known = directory()
    signed = countersign(known, proposed(), AT, 0, SECOND)
    codes = {code_of(examine, known, changed(signed, at), AT, 0) for at in range(len(signed))}
    assert None not in codes
    assert {Code.BAD_JSON, Code.BAD_ENCODING, Code.BAD_SIGNATURE, Code.UNKNOWN_KEY} <= codes
    cut = {code_of(examine, known, signed[:size], AT, 0) for size in range(len(signed))}
    assert None not in cut
    assert code_of(examine, known, signed + b"\n", AT, 0) is Code.BAD_ENCODING


@pytest.mark.parametrize(
    "change,code",
    [
        ({"index": 2}, Code.NOT_NEXT),
        ({"index": 4}, Code.NOT_NEXT),
        ({"prev": "0" * 64}, Code.NOT_NEXT),
        ({"com": "0" * 32}, Code.UNKNOWN_COMMUNITY),
        ({"id": "xyz"}, Code.UNKNOWN_AGENCY),
        ({"nbf": AT - 1}, Code.EXPIRED),
        ({"nbf": AT - 1, "op": "remove"}, Code.EXPIRED),
        ({"nbf": AT, "op": "remove"}, None),
        ({"nbf": AT + HOUR - 1}, Code.FORBIDDEN),
        ({"nbf": AT + HOUR - 1, "op": "remove"}, None),
        ({}, None),
    ],
)
def test_what_may_not_be_signed_now(change: dict[str, Any], code: Code | None) -> None:
    fields = {"id": "bra", "nbf": AT + HOUR, **change}
    data = envelope(entry(memberships()[COM], **fields), FRA.identity, type=MEMBERSHIP_TYPE)
    assert code_of(countersign, directory(), data, AT, HOUR, SECOND) is code


def test_signatures_that_do_not_count() -> None:
    known, data = directory(), proposed()
    assert code_of(countersign, known, data, AT, 0, FIRST) is Code.ALREADY_KNOWN
    assert code_of(countersign, known, data, AT, 0, Owner("bra", BRA.identity)) is Code.FORBIDDEN
    alone = entry(memberships()[COM], id="bra", nbf=AT + DAY)
    foreign = envelope(alone, FRA.identity, BRA.identity, type=MEMBERSHIP_TYPE)
    assert code_of(examine, known, foreign, AT, 0) is Code.UNKNOWN_KEY
    assert code_of(check_owner, examine(known, data, AT, 0), "bra") is Code.FORBIDDEN
    fields = parse_json(data, DOCUMENT_MAX)
    twice = canonical_json({**fields, "signatures": fields["signatures"] * 2})
    assert code_of(examine, known, twice, AT, 0) is Code.BAD_DOCUMENT
    false = [{**fields["signatures"][0], "sig": to_base64(bytes(64))}]
    with pytest.raises(TrustError, match=r"^bad_signature: the signature of fra does not hold"):
        examine(known, canonical_json({**fields, "signatures": false}), AT, 0)


@pytest.mark.parametrize(
    "make,code",
    [
        (lambda: envelope(FRA.agency(), FRA.identity), Code.BAD_DOCUMENT),
        (lambda: b'{"payloadType":"text/plain"}', Code.BAD_DOCUMENT),
        (lambda: envelope(community(id="ab" * 16, owners=["fra", "xyz"]), FRA.identity), Code.UNKNOWN_AGENCY),
        (lambda: envelope(community(id="ab" * 16, owners=["fra"]), FRA.identity), Code.BELOW_THRESHOLD),
        (
            lambda: envelope(community(id="ab" * 16, owners=["fra", "fra"]), FRA.identity),
            Code.BELOW_THRESHOLD,
        ),
    ],
)
def test_what_is_no_proposal(make: Callable[[], bytes], code: Code) -> None:
    assert code_of(examine, directory(), make(), AT, 0) is code


def test_what_is_planned_may_be_hastened_or_called_off() -> None:
    later = by_owners(entry(memberships()[OTHER], com=OTHER, id="bra", nbf=AT + DAY))
    known = directory(entries=[later])
    for op, nbf, role, wanted in (
        ("add", AT + DAY, "member", Code.ALREADY_KNOWN),
        ("add", AT, "member", None),
        ("add", AT + DAY, "reader", None),
        ("remove", AT, "member", None),
    ):
        change = Change(OTHER, op, "bra", role, nbf)  # type: ignore[arg-type] # literals
        assert code_of(propose, known, change, AT, FIRST) is wanted
    off = known.apply_membership(propose(known, Change(OTHER, "remove", "bra", "member", AT), AT, FIRST))
    assert off.communities[OTHER].role("bra", AT + 2 * DAY) is None


def test_spans_of_time() -> None:
    assert [parse_span(each) for each in ("0s", "90m", "24h", "90d")] == [0, 90 * 60_000, DAY, SPAN_MAX]
    for wrong in ("", "1", "h", "-1h", "1.5h", "91d", "1w", " 1h", "1h ", "９0m"):
        assert code_of(parse_span, wrong) is Code.BAD_REQUEST


def test_an_entry_that_enough_owners_signed_is_not_hidden_by_others() -> None:
    """Whoever carries it may add signatures that do not count: the log takes it, a proposal does not."""
    extra = entry(memberships()[COM], id="bra", nbf=AT + DAY)
    data = envelope(extra, FRA.identity, BRA.identity, JPN.identity, type=MEMBERSHIP_TYPE)
    grown = directory(entries=[data]).communities[COM]
    assert grown.signers[-1] == ("fra", "jpn")
    assert isinstance(grown.head, Head)
    with pytest.raises(LiaisonError):
        examine(directory(), data, AT, 0)
