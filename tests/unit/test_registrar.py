from hashlib import sha256

import pytest

from hub.admission import LEAD, View
from hub.registrar import (
    ANNOUNCEMENTS_PER_ENDPOINT,
    Announcements,
    announcement_of,
    check_enrolment,
    entitlements,
    split_bundle,
    submit,
    submittable,
)
from schemas.directory import Directory
from schemas.errors import Code, LiaisonError
from schemas.frame import EPOCH, parse_frame
from schemas.wraps import parse_wrap
from tests.support.frames import AgencyKit, Chain, Circle, Pair, Secretariat, renewed, wraps

NOW = 1_800_000_000_000


@pytest.fixture(scope="module")
def secretariat() -> Secretariat:
    return Secretariat()


@pytest.fixture(scope="module")
def kits() -> dict[str, AgencyKit]:
    return {id: AgencyKit(id, f"Agency {id}", id.upper()) for id in ("fra", "ken", "bra")}


@pytest.fixture(scope="module")
def directory(secretariat: Secretariat, kits: dict[str, AgencyKit]) -> Directory:
    grown = Directory.pinned(secretariat.root_document(NOW))
    grown = grown.apply(secretariat.hub_document(Pair().public, NOW))
    for kit in kits.values():
        grown = grown.apply(secretariat.agency_document(kit, NOW)).apply(kit.keys_document(NOW))
    return grown


@pytest.fixture
def circle(kits: dict[str, AgencyKit]) -> Circle:
    return Circle(kits["fra"])


def refusal(directory: Directory, data: bytes, agency: str | None, accounts: dict[str, str]) -> Code:
    with pytest.raises(LiaisonError) as refused:
        submit(directory, data, agency=agency, accounts=accounts, now=NOW)
    return refused.value.code


def test_an_owner_makes_a_community_and_fills_it(directory: Directory, circle: Circle) -> None:
    made = submit(directory, circle.document(NOW), agency="fra", accounts={}, now=NOW)
    assert (made.subject, made.affected, made.repeated) == ("d.doc", frozenset({"fra"}), False)
    data = circle.change("ken", NOW)
    grown = submit(made.directory, data, agency="fra", accounts={}, now=NOW)
    assert grown[1:] == (f"m.{circle.id}", frozenset({"ken"}), False)
    again = submit(grown.directory, data, agency="fra", accounts={}, now=NOW)
    assert again[1:] == (f"m.{circle.id}", frozenset(), True)
    assert again.directory is grown.directory
    assert refusal(grown.directory, circle.change("bra", NOW), "ken", {}) is Code.FORBIDDEN


def test_a_document_is_known_again(directory: Directory, kits: dict[str, AgencyKit]) -> None:
    document = kits["fra"].revocation(NOW)
    made = submit(directory, document, agency="fra", accounts={}, now=NOW)
    assert made[1:] == ("d.doc", frozenset(), False)
    again = submit(made.directory, document, agency="fra", accounts={}, now=NOW)
    assert again[1:] == ("d.doc", frozenset(), True)
    assert again.directory is made.directory


def test_every_entry_is_known_again(directory: Directory, circle: Circle) -> None:
    grown = submit(directory, circle.document(NOW), agency="fra", accounts={}, now=NOW).directory
    for agency in ("fra", "ken", "bra"):
        grown = submit(grown, circle.change(agency, NOW), agency="fra", accounts={}, now=NOW).directory
    assert all(submit(grown, each, agency="fra", accounts={}, now=NOW).repeated for each in circle.entries)
    rival = Circle(circle.owner, id=circle.id)
    assert refusal(grown, rival.change("bra", NOW), "fra", {}) is Code.NOT_NEXT
    rival.entries = [b"another log"] * 3
    assert refusal(grown, rival.change("bra", NOW), "fra", {}) is Code.NOT_NEXT


def test_a_membership_needs_its_community(directory: Directory, circle: Circle) -> None:
    for agency in ("fra", None):
        with pytest.raises(LiaisonError, match=r"^unknown_community:"):
            submit(directory, circle.change("ken", NOW), agency=agency, accounts={}, now=NOW)


def test_keys_come_from_the_account_that_they_bind(directory: Directory, kits: dict[str, AgencyKit]) -> None:
    france = renewed(kits["fra"])
    document = france.keys_document(NOW, version=2)
    accounts = {kit.endpoint: kit.id for kit in kits.values()}
    assert submit(directory, document, agency="fra", accounts=accounts, now=NOW).directory.head.size == 9
    assert refusal(directory, document, "ken", accounts) is Code.FORBIDDEN
    assert refusal(directory, document, "fra", {**accounts, france.endpoint: "ken"}) is Code.FORBIDDEN
    stolen = france.keys_document(NOW, endpoint=kits["ken"].endpoint)
    assert refusal(directory, stolen, "fra", accounts) is Code.FORBIDDEN


def test_a_revocation_comes_from_its_agency_or_through_the_operator(
    directory: Directory, kits: dict[str, AgencyKit]
) -> None:
    document = kits["fra"].revocation(NOW)
    assert refusal(directory, document, "ken", {}) is Code.FORBIDDEN
    for agency in ("fra", None):
        grown = submit(directory, document, agency=agency, accounts={}, now=NOW).directory
        assert kits["fra"].kid in grown.revoked


def test_what_the_secretariat_signs_comes_through_the_operator(
    directory: Directory, secretariat: Secretariat
) -> None:
    document = secretariat.agency_document(AgencyKit("per", "Agency", "PER"), NOW)
    assert refusal(directory, document, "fra", {}) is Code.FORBIDDEN
    assert "per" in submit(directory, document, agency=None, accounts={}, now=NOW).directory.agencies
    assert submit(directory, secretariat.root_document(NOW), agency=None, accounts={}, now=NOW).repeated is (
        sha256(secretariat.root_document(NOW)).digest() in directory.seen
    )


@pytest.mark.parametrize(
    "data, code",
    [(b"{}", Code.BAD_DOCUMENT), (b"", Code.BAD_JSON), (b'{"payloadType":"x"}', Code.BAD_DOCUMENT)],
)
def test_what_is_no_document(directory: Directory, data: bytes, code: Code) -> None:
    assert refusal(directory, data, "fra", {}) is code


def test_entitlements_follow_the_log_and_its_times(directory: Directory, circle: Circle) -> None:
    grown = directory.apply(circle.document(NOW))
    pair = ("live", circle.id)
    assert entitlements(grown, "fra", NOW) == {pair}
    begins = NOW + 10 * LEAD
    grown = grown.apply_membership(circle.change("ken", NOW, nbf=begins))
    assert entitlements(grown, "ken", begins - LEAD - 1) == frozenset()
    assert submittable(grown, "ken") == {pair}
    assert entitlements(grown, "ken", begins - LEAD) == {pair}
    ends = begins + 10 * LEAD
    grown = grown.apply_membership(circle.change("ken", NOW, op="remove", nbf=ends))
    assert entitlements(grown, "ken", ends - 1) == {pair}
    assert entitlements(grown, "ken", ends) == frozenset()
    assert submittable(grown, "ken") == {pair}
    assert entitlements(grown, "bra", NOW) == submittable(grown, "bra") == frozenset()


def test_an_enrolment_and_its_agency_document(secretariat: Secretariat) -> None:
    kit = AgencyKit("per", "Agency", "PER")
    request = kit.enrolment(NOW)
    enrolment, agency = check_enrolment(request, secretariat.agency_document(kit, NOW))
    assert (enrolment.id, enrolment.user, agency.issued) == ("per", kit.user.public, NOW)
    for other in (AgencyKit("per", "Agency", "PER"), AgencyKit("per", "Agent", "PER", identity=kit.identity)):
        with pytest.raises(LiaisonError, match="bad_document"):
            check_enrolment(request, secretariat.agency_document(other, NOW))
    with pytest.raises(LiaisonError, match="bad_document: a keys document"):
        check_enrolment(request, kit.keys_document(NOW))
    forged = AgencyKit("per", "Agency", "PER", identity=Pair())
    forged.identity.public = kit.identity.public
    with pytest.raises(LiaisonError, match="bad_signature"):
        check_enrolment(forged.enrolment(NOW), secretariat.agency_document(kit, NOW))


def test_a_bundle_is_split_for_members_only(
    directory: Directory, kits: dict[str, AgencyKit], circle: Circle
) -> None:
    grown = directory.apply(circle.document(NOW))
    for agency in ("fra", "ken"):
        grown = grown.apply_membership(circle.change(agency, NOW))
    old, fresh = kits["ken"], renewed(kits["ken"])
    grown = grown.apply(fresh.keys_document(NOW, version=2))
    view = View.of(grown, frozenset(), NOW)
    publisher = kits["fra"].endpoint
    bundle = wraps(b"e", kits["fra"], old, fresh, kits["bra"])
    for several in (bundle, wraps(b"e", kits["bra"])):
        assert announcement_of(several) == sha256(b"e").digest()
    found = split_bundle(bundle, publisher, circle.id, view)
    # A publisher that has not seen the rotation yet wraps to the old key: it still arrives.
    assert [each.recipient for each in found] == [publisher, old.endpoint, old.endpoint]
    assert {parse_wrap(each.data).announcement for each in found} == {sha256(b"e").digest()}
    revoked = View.of(grown.apply(old.revocation(NOW)), frozenset(), NOW)
    assert len(split_bundle(bundle, publisher, circle.id, revoked)) == 2
    suspended = View.of(grown, frozenset({publisher}), NOW)
    for args, code in (
        ((wraps(b"e", kits["bra"]), publisher, circle.id, view), "not_member"),
        ((bundle, kits["bra"].endpoint, circle.id, view), "not_member"),
        ((bundle, publisher, None, view), "unknown_epoch"),
        ((bundle, AgencyKit("x").endpoint, circle.id, view), "unknown_publisher"),
        ((bundle, publisher, circle.id, suspended), "suspended"),
        ((b"junk", publisher, circle.id, view), "bad_version"),
    ):
        with pytest.raises(LiaisonError, match=f"^{code}:"):
            split_bundle(*args)


def test_announcements_are_remembered_up_to_a_bound(kits: dict[str, AgencyKit], circle: Circle) -> None:
    known, chain = Announcements(), Chain(kits["fra"], circle)
    frame = parse_frame(chain.make(NOW, EPOCH, hist="members"))
    fra = kits["fra"].endpoint
    hashes = []
    for number in range(ANNOUNCEMENTS_PER_ENDPOINT + 1):
        hashes.append(number.to_bytes(32, "big"))
        known.add(frame._replace(hash=hashes[-1].hex()))
    assert known.community(fra, hashes[0]) is None
    assert known.community(fra, hashes[1]) == circle.id
    assert known.find(fra, hashes[1]) == (circle.id, "members")
    assert known.community("B", hashes[1]) is None
