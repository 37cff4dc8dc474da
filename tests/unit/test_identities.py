"""An agency's identity key is replaced: who may say so, who may object, what counts before and after."""

from hashlib import sha256

import pytest

from hub import registrar
from hub.ceremony import CeremonyKey, read_request
from hub.registrar import check_enrolment
from hub.replacements import waiting
from hub.replacing import replacement, withdrawal
from schemas.directory import Directory
from schemas.documents import Enrolment, LogSize, Replace
from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError, TrustError
from schemas.limits import CLOCK_SKEW_MAX, COOL_DOWN, DISPUTE_FACTOR
from schemas.signing import ENROLMENT_TYPE, MEMBERSHIP_TYPE, Envelope
from subscribers.keys import SigningKey
from subscribers.owning.proposals import examine
from tests.support import federation as fed
from tests.support.federation import AT, COM, FRA, JPN, OTHER, REGISTRAR, ROOTS, code_of, envelope
from tests.support.identities import (
    LATER,
    NEW,
    NEWER,
    added,
    identity,
    object_,
    objected,
    overriding,
    proposed,
    replace,
    taken,
)

USER = "U" + "A" * 55


def submit(directory: Directory, data: bytes, now: int, agency: str | None = None) -> Directory:
    return registrar.submit(directory, data, agency=agency, accounts={}, now=now).directory


def request(key: SigningKey = NEW, *, signer: SigningKey | None = None) -> bytes:
    asked = Enrolment(
        issued=AT, id="fra", name="Agency fra", code="FRA", identity=to_base64(key.public), user=USER
    )
    return envelope(asked, signer or key, type=ENROLMENT_TYPE)


def test_the_key_counts_from_its_document_on() -> None:
    waits = fed.directory([proposed()])
    assert waits.identity("fra") == FRA.identity.public
    assert waits.identities.is_named("fra", to_base64(NEW.public))
    done = waits.apply(taken())
    assert done.identity("fra") == NEW.public
    assert done.agencies["fra"].identity == to_base64(NEW.public)
    assert done.identities.all_of("fra") == [FRA.identity.public, NEW.public]
    assert not done.identities.is_named("fra", to_base64(FRA.identity.public))
    assert not done.identities.is_named("xyz", to_base64(NEW.public))
    assert done.endpoints_of("fra")  # the endpoint's keys stay until the new identity revokes them


def test_each_entry_of_a_log_needs_the_key_of_its_time() -> None:
    done = fed.directory([proposed(), taken()])
    assert done.identities.in_log("fra", OTHER, 1) == FRA.identity.public
    assert done.identities.in_log("fra", OTHER, 2) == NEW.public
    assert done.identities.in_log("fra", "99" * 16, 0) == NEW.public
    late = Directory.pinned(fed.documents()[0])
    for each in (*fed.documents()[1:], proposed(), taken()):
        late = late.apply(each)
    for log in fed.memberships().values():
        for each in log:
            late = late.apply_membership(each)
    assert late == done


def test_owners_sign_proposals_with_the_key_of_their_time() -> None:
    done = fed.directory([proposed(), taken()])
    entry = fed.entry(fed.memberships()[COM], id="bra", nbf=LATER)
    good = envelope(entry, NEW, JPN.identity, type=MEMBERSHIP_TYPE)
    assert examine(done, good, AT, 0).signed == ("fra", "jpn")
    former = envelope(entry, FRA.identity, JPN.identity, type=MEMBERSHIP_TYPE)
    assert code_of(examine, done, former, AT, 0) is Code.UNKNOWN_KEY


def test_the_hub_begins_nothing_that_leaves_too_little_time() -> None:
    known = fed.directory()
    on_the_way = CLOCK_SKEW_MAX
    assert submit(known, proposed(), AT + on_the_way).identities.pending
    with pytest.raises(TrustError, match="too_early"):
        submit(known, proposed(), AT + on_the_way + 1)
    dated_back = proposed(issued=AT - COOL_DOWN, nbf=AT)
    assert known.apply(dated_back).identities.pending  # nothing in the log tells
    with pytest.raises(TrustError, match="too_early"):
        submit(known, dated_back, AT)
    disputed = fed.directory([proposed(), objected()])
    assert submit(disputed, overriding(), AT).identities.pending
    with pytest.raises(TrustError, match="too_early"):
        submit(disputed, overriding(issued=AT - COOL_DOWN, nbf=AT + 2 * COOL_DOWN), AT)


def test_the_hub_takes_up_nothing_before_its_time() -> None:
    waits = fed.directory([proposed()])
    assert submit(waits, taken(), LATER, "fra").identity("fra") == NEW.public
    ahead = LATER - CLOCK_SKEW_MAX
    with pytest.raises(TrustError, match="too_early"):
        submit(waits, taken(), ahead, "fra")
    with pytest.raises(TrustError, match="from_the_future"):
        submit(waits, taken(), ahead - 1, "fra")
    both = envelope(identity(issued=AT), NEW, FRA.identity)
    assert submit(waits, both, AT, "fra").identity("fra") == NEW.public


def test_the_hub_wants_every_log_at_its_length() -> None:
    waits = fed.directory([proposed()])
    assert waits.owned_logs("fra") == identity().logs
    grown = waits.apply_membership(added(OTHER, "bra", FRA.identity))
    for logs in ([], identity().logs):
        with pytest.raises(TrustError, match="not_next"):
            submit(grown, taken(logs=logs), LATER, "fra")
    sizes = [LogSize(com=each.com, size=each.size + (each.com == OTHER)) for each in identity().logs]
    assert submit(grown, taken(logs=sizes), LATER, "fra").identity("fra") == NEW.public


def test_who_hands_them_in() -> None:
    waits = fed.directory([proposed()])
    assert submit(waits, objected(), AT, "fra").identities.disputed == {"fra"}
    for data in (objected(), taken(), proposed(NEWER)):
        with pytest.raises(TrustError, match="forbidden"):
            submit(waits, data, LATER, "jpn")
    with pytest.raises(TrustError, match="forbidden"):
        submit(fed.directory(), proposed(), AT, "fra")
    assert [each["agency"] for each in waiting(waits)] == ["fra"]
    far = fed.directory([proposed(nbf=2**53 - 1)])
    assert waiting(far)[0]["effective"].startswith("2255")


def test_a_request_is_admitted_for_the_key_that_waits() -> None:
    asked, said = check_enrolment(request(), proposed())
    assert (asked.id, isinstance(said, Replace)) == ("fra", True)
    with pytest.raises(LiaisonError, match="bad_document"):
        check_enrolment(request(NEWER), proposed())


def test_the_ceremony_makes_what_the_directory_takes() -> None:
    root = fed.directory().root
    asked = read_request(request())
    with pytest.raises(LiaisonError, match="bad_signature"):
        read_request(request(signer=FRA.identity))
    said, made = replacement(asked, root, [REGISTRAR], 60_000, AT, disputed=False)
    assert said.nbf == AT + COOL_DOWN + 60_000
    waits = fed.directory([made.to_bytes()])
    told, back = withdrawal(made.to_bytes(), [REGISTRAR], AT)
    assert told == said
    ended = waits.apply(back.to_bytes())
    assert not ended.identities.pending
    assert not ended.identities.disputed
    disputed = waits.apply(objected())
    again = read_request(request(NEWER))
    late, over = replacement(again, root, [REGISTRAR, *ROOTS[:2]], 0, AT, disputed=True)
    assert late.nbf == AT + DISPUTE_FACTOR * COOL_DOWN
    assert disputed.apply(over.to_bytes()).identities.pending
    with pytest.raises(LiaisonError, match="a root document"):
        withdrawal(fed.documents()[0], [CeremonyKey.generate()], AT)


def test_an_objection_that_the_registrars_signed_too_takes_it_back() -> None:
    both = envelope(object_(), REGISTRAR, FRA.identity)
    assert not fed.directory([proposed(), both]).identities.disputed


def test_a_signature_that_does_not_count_changes_nothing() -> None:
    added_on_the_way = envelope(replace(), REGISTRAR, JPN.identity)
    waits = fed.directory([added_on_the_way])
    data = taken()
    assert sha256(data).digest() not in waits.seen
    assert isinstance(waits.check(data).envelope, Envelope)
