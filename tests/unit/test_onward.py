"""Onward release: what its originator signed, carried by whom it let, and nothing else. FORMAT.md, "Onward
release".
"""

from typing import Any

import pytest

from schemas.bulletin import Bulletin
from schemas.content import plaintext_commitment
from schemas.encoding import canonical_json
from schemas.errors import Code
from schemas.frame import Header, parse_frame
from schemas.onward import check_onward, open_release, parse_grant, sign_grant
from schemas.signing import RELEASE_TYPE
from schemas.vocabulary import Kind
from tests.support.federation import (
    BRA,
    COM,
    EXE,
    FRA,
    JPN,
    OTHER,
    UNX,
    Publisher,
    bulletin,
    code_of,
    directory,
    envelope,
    uuid,
)
from tests.support.onward import Scene

SCENE = Scene()
HERE = parse_frame(Publisher(JPN, com=OTHER).announcement()).header


def code(carried: Bulletin, place: Header = HERE, agency: str = "jpn", **more: Any) -> Code | None:
    return code_of(check_onward, directory(**more), place.com, place.iat, agency, carried)


def test_what_its_originator_let_go_on_is_read() -> None:
    carried = SCENE.carried()
    check_onward(directory(), HERE.com, HERE.iat, "jpn", carried)
    again = Bulletin.model_validate_json(carried.to_bytes())
    assert again == carried
    assert again.release is not None
    original = open_release(directory(), again.release)
    assert (original.agency, original.bulletin) == ("fra", SCENE.original)
    assert code(SCENE.original) is None
    assert code(SCENE.carried(), more=[FRA.successor()]) is None  # a replaced key has honestly signed


def test_who_may_not_carry_it() -> None:
    def granted(signer: Any = FRA.signing, **changes: Any) -> Bulletin:
        return SCENE.carried(SCENE.released(grant=sign_grant(SCENE.grant(**changes), signer)))

    assert code(granted()) is None
    for changes in (
        {"bulletin": uuid(2)},
        {"pc": "ab" * 32},
        {"target": EXE},
        {"carrier": "unx"},
        {"source": OTHER},
        {"publisher": JPN.endpoint},
        {"publisher": "A" * 56},
    ):
        assert code(granted(**changes)) is Code.NOT_GRANTED
    assert code(granted(until=HERE.iat)) is Code.GRANT_EXPIRED
    assert code(granted(until=HERE.iat + 1)) is None
    assert code(granted(JPN.signing)) is Code.BAD_SIGNATURE
    assert code(granted(), agency="unx") is Code.NOT_GRANTED
    assert code(granted(), place=HERE._replace(com=EXE)) is Code.NOT_GRANTED
    assert code(granted(), more=[FRA.successor(), FRA.revocation()]) is Code.REVOKED_KEY
    newer = granted(FRA.next_signing)
    assert code(newer) is Code.BAD_SIGNATURE
    assert code(newer, more=[FRA.successor()]) is None


def test_what_was_changed_on_the_way() -> None:
    good = SCENE.released()
    text = good.payload.replace("Bulletin 1", "Bulletin 2")
    resealed = plaintext_commitment(bytes.fromhex(good.salt), text.encode()).hex()
    for changes, expected in (
        ({"payload": text}, Code.COMMITMENT_MISMATCH),
        ({"salt": "00" * 32}, Code.COMMITMENT_MISMATCH),
        ({"digest": "00" * 32}, Code.BAD_SIGNATURE),
        ({"header": good.header.replace('"seq":1', '"seq":2')}, Code.BAD_SIGNATURE),
        ({"header": good.header.replace(parse_frame(SCENE.raw).header.pc, resealed)}, Code.BAD_SIGNATURE),
        ({"header": "{}"}, Code.BAD_HEADER),
        ({"header": good.header.replace(FRA.kid, JPN.kid)}, Code.UNKNOWN_KEY),
        ({"header": good.header.replace(FRA.kid, "00" * 16)}, Code.UNKNOWN_KEY),
        ({"grant": "{}"}, Code.BAD_DOCUMENT),
    ):
        assert code(SCENE.carried(good.model_copy(update=changes))) is expected, changes
    announced = parse_frame(SCENE.publisher.sent[0])
    other = good.model_copy(update={"header": announced.header_bytes.decode()})
    assert code(SCENE.carried(other)) is Code.BAD_DOCUMENT


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Another"},
        {"tlp": "TLP:GREEN"},
        {"history": "none"},
        {"severity": "info"},
        {"body": "More."},
    ],
)
def test_a_carrier_changes_nothing(changes: dict[str, Any]) -> None:
    assert code(SCENE.carried(**changes)) is Code.CONTENT_MISMATCH


def test_red_stays_and_what_was_carried_goes_no_further() -> None:
    red = Scene(tlp="TLP:RED", history="none")
    assert code(red.carried()) is Code.RED_ONWARD
    carried = SCENE.carried()
    further = Publisher(JPN, com=OTHER)
    further.send(further.announcement())
    raw = further.send(further.sealed(carried.to_bytes(), 9))
    scene = Scene()
    scene.publisher, scene.original, scene.raw = further, carried, raw
    grant = sign_grant(
        SCENE.grant(source=OTHER, target=COM, publisher=JPN.endpoint, carrier="fra"), JPN.signing
    )
    release = scene.released(grant=grant)
    assert code(scene.carried(release), place=HERE._replace(com=COM), agency="fra") is Code.NOT_GRANTED


def test_what_the_originator_says_later_follows() -> None:
    for kind, relation in ((Kind.AMENDMENT, "amends"), (Kind.RETRACTION, "retracts")):
        later = Scene()
        links = [{"relation": relation, "id": uuid(1)}]
        later.original = bulletin(2, FRA, kind=kind, links=links)
        later.raw = later.publisher.send(later.publisher.bulletin(2, kind=kind, links=links))
        grant = sign_grant(SCENE.grant(), FRA.signing)
        own = [{"relation": relation, "id": uuid(9)}]
        carried = later.carried(later.released(grant=grant), id=uuid(10), links=own)
        assert code(carried) is None
        elsewhere = sign_grant(SCENE.grant(bulletin=uuid(3)), FRA.signing)
        assert code(later.carried(later.released(grant=elsewhere), links=own)) is Code.NOT_GRANTED


def test_grants_in_answers() -> None:
    def answer(grant: str) -> Bulletin:
        links = [{"relation": "responds-to", "id": uuid(5)}]
        return bulletin(6, FRA, kind="response", history="none", links=links, grant=grant)

    place = HERE._replace(com=COM)
    good = answer(sign_grant(SCENE.grant(), FRA.signing))
    assert code(good, place, "fra") is None
    assert code(good, place, "jpn") is Code.NOT_GRANTED
    assert code(good, HERE, "fra") is Code.NOT_GRANTED
    assert code(answer(sign_grant(SCENE.grant(), UNX.signing)), place, "fra") is Code.BAD_SIGNATURE


def test_what_is_no_grant() -> None:
    fields = SCENE.grant().model_dump(mode="json")
    assert parse_grant(sign_grant(SCENE.grant(), FRA.signing)).grant == SCENE.grant()
    for wrong in ({"carrier": "FRA"}, {"until": -1}, {"more": 1}, {"pc": "ab"}, {"type": "history"}):
        data = envelope({**fields, **wrong}, FRA.signing, type=RELEASE_TYPE)
        assert code_of(parse_grant, data.decode()) is Code.BAD_DOCUMENT
    assert code_of(parse_grant, envelope(fields, FRA.signing).decode()) is Code.BAD_DOCUMENT
    spaced = canonical_json(fields).replace(b",", b", ")

    class Spaced:
        def to_bytes(self) -> bytes:
            return spaced

    text = envelope(Spaced(), FRA.signing, type=RELEASE_TYPE).decode()
    assert code_of(parse_grant, text) is Code.BAD_ENCODING


def test_where_the_fields_may_stand() -> None:
    release = SCENE.released().model_dump()
    onward = {"bulletin": uuid(1), "community": OTHER}
    for wrong in (
        {"onward": onward},
        {"grant": "{}"},
        {"kind": "request", "onward": onward, "release": release},
    ):
        with pytest.raises(ValueError, match=r"belongs to|stands alone"):
            bulletin(1, BRA, **wrong)
    assert bulletin(1, kind="request", onward=onward).onward is not None


def test_the_files_of_the_original_go_with_it_and_no_key_is_shown() -> None:
    seal = {"key": "cd" * 32, "header": "ef" * 24, "root": "01" * 32}
    file = {"name": "map.pdf", "media": "application/pdf", "size": 7, "sha256": "ab" * 32, "seal": seal}
    scene = Scene(attachments=[file])
    carried = scene.carried()
    assert code(carried) is None
    assert code(scene.carried(attachments=[])) is Code.CONTENT_MISMATCH
    assert code(scene.carried(attachments=[{**file, "sha256": "00" * 32}])) is Code.CONTENT_MISMATCH
    shown = carried.shown()
    assert carried.to_bytes().count(b"cd" * 32) == 2
    assert "cd" * 32 not in shown.model_dump_json()
    assert shown.release is not None
    assert "map.pdf" in shown.release.payload
