"""What owners sign, and what they may not."""

from typing import Literal

import pytest

from schemas.documents import parse_document
from schemas.errors import Code, TrustError
from schemas.vocabulary import Realm
from subscribers.owning.communities import Change, Owner, card_of, change, found
from tests.support.federation import AT, BRA, COM, DAY, FRA, OTHER, code_of, directory

OWNER = Owner("fra", FRA.identity)


def test_a_community_is_founded_by_its_owner() -> None:
    community, document = found(directory(), Realm.EXERCISE, ["fra", "jpn"], AT, FRA.identity)
    log = directory([document]).communities[community]
    assert (log.community.realm, log.community.owners) == (Realm.EXERCISE, ["fra", "jpn"])
    assert found(directory(), Realm.LIVE, ["fra"], AT, FRA.identity)[0] != community
    assert parse_document(document)
    assert code_of(found, directory(), Realm.LIVE, ["fra", "xyz"], AT, FRA.identity) is Code.UNKNOWN_AGENCY


def test_members_come_and_go() -> None:
    known = directory()
    for op, agency, role, held in (
        ("add", "bra", "reader", "reader"),
        ("add", "bra", "member", "member"),
        ("remove", "bra", "member", None),
    ):
        wanted = Change(OTHER, op, agency, role, AT)  # type: ignore[arg-type] # literals
        entry = change(known, wanted, AT, OWNER)
        known = known.apply_membership(entry)
        assert known.communities[OTHER].members(AT).get("bra") == held


@pytest.mark.parametrize(
    "community,op,agency,code",
    [
        ("0" * 32, "add", "bra", Code.UNKNOWN_COMMUNITY),
        (OTHER, "add", "xyz", Code.UNKNOWN_AGENCY),
        (OTHER, "add", "jpn", Code.ALREADY_KNOWN),
        (OTHER, "remove", "bra", Code.ALREADY_KNOWN),
        (COM, "add", "bra", Code.BELOW_THRESHOLD),
    ],
)
def test_what_is_refused(community: str, op: Literal["add", "remove"], agency: str, code: Code) -> None:
    wanted = Change(community, op, agency, "member", AT + DAY)
    assert code_of(change, directory(), wanted, AT + DAY, OWNER) is code


def test_who_owns_nothing_here_is_told_so_before_anything_else() -> None:
    with pytest.raises(TrustError) as refused:
        change(directory(), Change(OTHER, "add", "xyz", "member", AT), AT, Owner("bra", BRA.identity))
    assert refused.value.code is Code.FORBIDDEN
    assert "fra" in refused.value.fix


def test_without_a_card_a_community_goes_by_its_id() -> None:
    assert card_of(COM, {}).slug == COM
