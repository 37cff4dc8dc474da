"""Ages, schedules and readers: pure, from the directory and a clock."""

import pytest

from schemas.directory import Directory
from schemas.documents import Keys
from schemas.encoding import to_base64
from subscribers.keyring.key_life import (
    DAY,
    Policy,
    expired_kems,
    is_due,
    keys_of,
    locked_out,
    overdue,
    readers,
)
from subscribers.keys import KemKey, SigningKey
from tests.support.federation import AT, COM, FRA, JPN, UNX, directory, envelope, seed

POLICY = Policy(rotate=30 * DAY, overlap=7 * DAY, longest=90 * DAY)
NEW_KEM = KemKey(seed("fra kem two"))
NEW_SIGNING = SigningKey(seed("fra signing two"))


def rotated(known: Directory, at: int, **changes: object) -> Directory:
    """The directory after a rotation by fra."""
    fields = {"version": 2, "issued": at, "signing": to_base64(NEW_SIGNING.public)}
    made = FRA.keys(**{**fields, "kem": to_base64(NEW_KEM.public), **changes})
    return known.apply(envelope(made, FRA.identity))


def states(known: Directory, now: int, policy: Policy = POLICY) -> dict[tuple[str, str], str]:
    """Use and kid to state."""
    return {(each.use, each.kid): each.state for each in keys_of(known, "fra", policy, now)}


def test_a_rotation_moves_the_states() -> None:
    known = rotated(directory(), AT + DAY)
    old = FRA.kem.kid.hex()
    assert states(known, AT + DAY)["encryption", old] == "overlap"
    assert states(known, AT + 8 * DAY - 1)["encryption", old] == "overlap"
    assert states(known, AT + 8 * DAY)["encryption", old] == "expired"
    assert states(known, AT + DAY)["encryption", NEW_KEM.kid.hex()] == "current"
    signing = [each.state for each in keys_of(known, "fra", POLICY, AT + DAY) if each.use == "signing"]
    assert signing == ["current", "replaced"]
    assert expired_kems(known, FRA.endpoint, POLICY, AT + 8 * DAY - 1) == set()
    assert expired_kems(known, FRA.endpoint, POLICY, AT + 8 * DAY) == {old}


def test_an_endpoint_that_the_directory_does_not_hold_yet_has_nothing_to_be_done() -> None:
    unknown = "A" + "Z" * 55
    assert expired_kems(directory(), unknown, POLICY, AT + 90 * DAY) == set()
    assert not is_due(directory(), unknown, POLICY, AT + 90 * DAY)
    assert overdue(directory(), unknown, POLICY, AT + 90 * DAY) == ""


def test_a_signing_key_alone_leaves_the_other_its_age() -> None:
    known = rotated(directory(), AT + DAY, kem=to_base64(FRA.kem.public))
    (kem,) = [each for each in keys_of(known, "fra", POLICY, AT + 2 * DAY) if each.use == "encryption"]
    assert (kem.state, kem.age_days) == ("current", 2)
    assert is_due(known, FRA.endpoint, POLICY, AT + 30 * DAY)


@pytest.mark.parametrize(
    "rotate,after,due", [(30, 30 * DAY - 1, False), (30, 30 * DAY, True), (0, 3000 * DAY, False)]
)
def test_when_a_rotation_is_due(rotate: int, after: int, due: bool) -> None:
    policy = POLICY._replace(rotate=rotate * DAY)
    assert is_due(directory(), FRA.endpoint, policy, AT + after) is due
    assert not is_due(directory(), "A" * 56, policy, AT + after)


@pytest.mark.parametrize(
    "after,words",
    [(83 * DAY, ""), (83 * DAY + 1, "in 7 days"), (89 * DAY + 1, "in 1 days"), (90 * DAY, "older than")],
)
def test_people_are_told_before_a_key_is_too_old(after: int, words: str) -> None:
    said = overdue(directory(), FRA.endpoint, POLICY, AT + after)
    assert words in said
    assert bool(said) is bool(words)
    assert overdue(directory(), "A" * 56, POLICY, AT + after) == ""


def test_who_reads() -> None:
    known = directory()
    seen = {FRA.endpoint, JPN.endpoint}
    found = {each.agency: each for each in readers(known, COM, AT, POLICY, seen, lambda _: True)}
    assert {agency: each.can_read for agency, each in found.items()} == {
        "fra": True,
        "jpn": True,
        "unx": True,
    }
    # A reader never publishes: that it was not seen says nothing.
    assert (found["unx"].role, found["unx"].problems) == ("reader", ())
    assert [each.problems for each in readers(known, COM, AT, POLICY, (), lambda _: True)] == [
        ("never_seen",),
        ("never_seen",),
        (),
    ]


def test_who_cannot_read_comes_first() -> None:
    known = directory().apply(envelope(JPN.revoke(), JPN.identity))

    def usable(keys: Keys) -> bool:
        return keys.agency != "unx"

    found = readers(known, COM, AT + 91 * DAY, POLICY, {FRA.endpoint}, usable)
    assert [(each.agency, each.can_read, each.problems) for each in found] == [
        ("jpn", False, ("revoked", "old_keys", "never_seen")),
        ("unx", False, ("unusable_key", "old_keys")),
        ("fra", True, ("old_keys",)),
    ]
    assert locked_out(found) == ["jpn", "unx"]
    assert UNX.endpoint in {each.endpoint for each in found}


def test_an_agency_without_keys_cannot_read() -> None:
    known = directory()
    bare = Directory(
        known.root,
        known.tree,
        known.roots,
        known.seen,
        agencies=known.agencies,
        endpoints={FRA.endpoint: known.endpoints[FRA.endpoint]},
        signers=known.signers,
        communities=known.communities,
    )
    found = readers(bare, COM, AT, POLICY, {FRA.endpoint}, lambda _: True)
    assert locked_out(found) == ["jpn", "unx"]
    assert found[0].problems == ("no_keys",)


def test_a_given_up_endpoint_is_no_news_beside_one_that_reads() -> None:
    kem, signing = KemKey(seed("jpn kem two")), SigningKey(seed("jpn signing two"))
    second = JPN.keys(endpoint="A" + "B" * 55, signing=to_base64(signing.public), kem=to_base64(kem.public))
    known = directory().apply(envelope(second, JPN.identity)).apply(envelope(JPN.revoke(), JPN.identity))
    found = readers(known, COM, AT, POLICY, {FRA.endpoint, "A" + "B" * 55}, lambda _: True)
    assert [each.endpoint for each in found if each.agency == "jpn"] == ["A" + "B" * 55]
    assert locked_out(found) == []
