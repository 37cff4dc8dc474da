"""An owner adds whom it likes to as many communities as it founds: what the hub keeps of an agency must not
grow until it no longer fits into a message, for then the hub would stop for everybody.
"""

import os

from hub.grants import MAX_PAYLOAD, endpoint_account
from hub.jwt import KeyKind, NKey, mint
from hub.registrar import COMMUNITIES_MAX, submit, submittable
from schemas.directory import Directory
from schemas.errors import Code, LiaisonError
from tests.support.frames import AgencyKit, Circle, Pair, Secretariat

NOW = 1_800_000_000_000


def outcome(directory: Directory, data: bytes, agency: str = "ken") -> tuple[Directory, Code | None]:
    try:
        return submit(directory, data, agency=agency, accounts={}, now=NOW).directory, None
    except LiaisonError as refused:
        return directory, refused.code


def test_nobody_is_crowded_out_of_the_hub() -> None:
    secretariat, kits = Secretariat(), [AgencyKit(id, id, id.upper()) for id in ("fra", "ken", "bra")]
    bra = kits[2]
    directory = Directory.pinned(secretariat.root_document(NOW))
    directory = directory.apply(secretariat.hub_document(Pair().public, NOW))
    for kit in kits:
        directory = directory.apply(secretariat.agency_document(kit, NOW)).apply(kit.keys_document(NOW))
    circles = [Circle(kits[1]) for _ in range(COMMUNITIES_MAX + 1)]

    for circle in circles[:-1]:
        directory, code = outcome(directory, circle.document(NOW))
        assert code is None
        directory, code = outcome(directory, circle.change("fra", NOW))
        assert code is None
    directory, code = outcome(directory, circles[-1].document(NOW))

    assert code is Code.FORBIDDEN
    assert len(submittable(directory, "fra")) == COMMUNITIES_MAX
    assert outcome(directory, circles[0].change("fra", NOW, op="remove"))[1] is None
    # An owner is counted already; whoever is new to a community is not.
    assert outcome(directory, circles[1].change("ken", NOW))[1] is None
    other = Circle(bra)
    directory, code = outcome(directory, other.document(NOW), "bra")
    assert code is None
    assert outcome(directory, other.change("fra", NOW), "bra")[1] is Code.FORBIDDEN


def test_an_account_at_its_limit_fits_into_a_message() -> None:
    keys = [NKey.generate(KeyKind.ACCOUNT) for _ in range(2)]
    entitlements = frozenset(("exercise", os.urandom(16).hex()) for _ in range(COMMUNITIES_MAX))
    claims = endpoint_account(keys[0].public, keys[1].public, entitlements, {})
    jwt = mint(NKey.generate(KeyKind.OPERATOR), keys[0].public, "n" * 64, 1, claims)
    assert len(jwt) < MAX_PAYLOAD / 2
