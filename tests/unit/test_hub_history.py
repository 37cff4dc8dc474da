"""Who may ask whom for old keys and hand them to whom; who gets old frames. FORMAT.md, "History"."""

import os

import pytest

from hub.admission import View
from hub.history import route, split
from hub.pages import filters
from hub.registrar import Announcements
from schemas.directory import Directory
from schemas.errors import Code
from schemas.frame import EPOCH, parse_frame
from schemas.history import Handover, HistoryRequest, sign_request
from schemas.limits import WRAP_CIPHERTEXT_SIZE
from schemas.pages import PageRequest
from schemas.vocabulary import Precedence
from schemas.wraps import Wrap, kem_key_id, parse_wrap
from tests.support.federation import code_of
from tests.support.frames import AgencyKit, Chain, Circle, Pair, Secretariat

NOW = 1_800_000_000_000
HOUR = 3_600_000
NAMES = ("fra", "ken", "bra", "out", "not")


class Scene:
    """`fra` owns the circle, `ken` is a member, `bra` a reader; `out` was removed, `not` will be let in."""

    def __init__(self) -> None:
        secretariat = Secretariat()
        self.kits = {id: AgencyKit(id, f"Agency {id}", id.upper()) for id in NAMES}
        self.circle = Circle(self.kits["fra"])
        grown = Directory.pinned(secretariat.root_document(NOW))
        grown = grown.apply(secretariat.hub_document(Pair().public, NOW))
        for kit in self.kits.values():
            grown = grown.apply(secretariat.agency_document(kit, NOW)).apply(kit.keys_document(NOW))
        grown = grown.apply(self.circle.document(NOW))
        for id, role in (("fra", "member"), ("ken", "member"), ("bra", "reader"), ("out", "member")):
            grown = grown.apply_membership(self.circle.change(id, NOW - HOUR, role=role))
        grown = grown.apply_membership(self.circle.change("out", NOW - HOUR, op="remove"))
        self.directory = grown.apply_membership(self.circle.change("not", NOW, nbf=NOW + 60_000))
        self.announced = Announcements()
        self.epochs = {}
        for precedence, hist in ((Precedence.ROUTINE, "members"), (Precedence.FLASH, "none")):
            frame = parse_frame(Chain(self.kits["fra"], self.circle, precedence).make(NOW, EPOCH, hist=hist))
            self.announced.add(frame)
            self.epochs[hist] = bytes.fromhex(frame.hash)

    def view(self, *suspended: str, now: int = NOW) -> View:
        return View.of(self.directory, frozenset(self.kits[id].endpoint for id in suspended), now)

    def asked(self, asker: str = "bra", holder: str = "fra", com: str = "", by: Pair | None = None) -> bytes:
        kit = self.kits[asker]
        request = HistoryRequest(
            issued=NOW,
            com=com or self.circle.id,
            endpoint=kit.endpoint,
            holder=self.kits[holder].endpoint,
            publisher=self.kits["fra"].endpoint,
            epochs=[self.epochs["members"].hex()],
        )
        return sign_request(request, by or kit.signing)

    def handed(self, to: str, *epochs: bytes, com: str = "", of: str = "fra") -> Handover:
        kid = kem_key_id(self.kits[to].kem)
        wraps = tuple(Wrap(each, kid, os.urandom(WRAP_CIPHERTEXT_SIZE)) for each in epochs)
        return Handover(com or self.circle.id, self.kits[of].endpoint, kid, wraps)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_a_request_goes_to_the_holder_that_it_names(scene: Scene) -> None:
    def code(data: bytes, sender: str = "bra", *suspended: str) -> Code | None:
        public = scene.kits[sender].endpoint
        return code_of(route, data, public, scene.directory, scene.view(*suspended), NOW)

    public = scene.kits["bra"].endpoint
    assert route(scene.asked(), public, scene.directory, scene.view(), NOW) == scene.kits["fra"].endpoint
    assert code(scene.asked(), "ken") is Code.SUBJECT_MISMATCH
    assert code(scene.asked(), "bra", "bra") is Code.SUSPENDED
    assert code(scene.asked(by=Pair())) is Code.BAD_SIGNATURE
    assert code(scene.asked(com="99" * 16)) is Code.UNKNOWN_COMMUNITY
    assert code(scene.asked("out"), "out") is Code.NOT_MEMBER
    assert code(scene.asked("not"), "not") is Code.NOT_MEMBER  # it is let in in a minute, not before
    assert code(scene.asked("bra", "out")) is Code.NOT_MEMBER
    assert code(b"{}") is Code.BAD_DOCUMENT
    stranger = AgencyKit("nobody")
    scene.kits["nobody"] = stranger
    assert code(scene.asked("nobody"), "nobody") is Code.UNKNOWN_PUBLISHER
    assert code(scene.asked("bra", "nobody")) is Code.NOT_MEMBER


def test_old_keys_go_to_members_only_and_only_of_epochs_for_members(scene: Scene) -> None:
    members, none = scene.epochs["members"], scene.epochs["none"]

    def code(handover: Handover, sender: str = "ken", *suspended: str) -> Code | None:
        return code_of(split, handover, scene.kits[sender].endpoint, scene.announced, scene.view(*suspended))

    good = scene.handed("bra", members)
    (delivery,) = split(good, scene.kits["ken"].endpoint, scene.announced, scene.view())
    assert delivery.recipient == scene.kits["bra"].endpoint
    assert parse_wrap(delivery.data) == good.wraps[0]
    assert code(good, "bra") is None  # a reader may pass on what it holds
    assert code(good, "out") is Code.NOT_MEMBER
    assert code(good, "ken", "ken") is Code.SUSPENDED
    assert code(scene.handed("out", members)) is Code.NOT_MEMBER
    assert code(scene.handed("not", members)) is Code.NOT_MEMBER
    assert code(scene.handed("bra", none)) is Code.HISTORY_NONE
    assert code(scene.handed("bra", members, none)) is Code.HISTORY_NONE  # whole, or not at all
    assert code(scene.handed("bra", bytes(32))) is Code.UNKNOWN_EPOCH
    assert code(scene.handed("bra", members, of="ken")) is Code.UNKNOWN_EPOCH
    assert code(scene.handed("bra", members, com="99" * 16)) is Code.UNKNOWN_COMMUNITY
    assert code(good._replace(kid=bytes(16))) is Code.UNKNOWN_KEY
    scene.kits["nobody"] = AgencyKit("nobody")
    assert code(good, "nobody") is Code.UNKNOWN_PUBLISHER


def test_an_epoch_of_another_community_is_unknown_here(scene: Scene) -> None:
    other = Circle(scene.kits["fra"])
    grown = scene.directory.apply(other.document(NOW))
    for id in ("ken", "bra"):
        grown = grown.apply_membership(other.change(id, NOW - HOUR))
    view = View.of(grown, frozenset(), NOW)
    handover = scene.handed("bra", scene.epochs["members"], com=other.id)
    assert code_of(split, handover, scene.kits["ken"].endpoint, scene.announced, view) is Code.UNKNOWN_EPOCH


def test_old_frames_are_for_those_who_are_in(scene: Scene) -> None:
    asked = PageRequest(com=scene.circle.id, after=0)

    def code(asker: str, *suspended: str, request: PageRequest = asked) -> Code | None:
        return code_of(filters, request, scene.kits[asker].endpoint, scene.view(*suspended))

    assert filters(asked, scene.kits["bra"].endpoint, scene.view()) == f"f.live.{scene.circle.id}.*.*"
    assert [code(id) for id in ("fra", "ken", "bra")] == [None] * 3
    assert [code(id) for id in ("out", "not")] == [Code.NOT_MEMBER] * 2
    assert code("bra", "bra") is Code.SUSPENDED
    assert code("bra", request=PageRequest(com="99" * 16, after=0)) is Code.UNKNOWN_COMMUNITY
    scene.kits["nobody"] = AgencyKit("nobody")
    assert code("nobody") is Code.NOT_MEMBER
