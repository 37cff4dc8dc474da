from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.admission import LEAD, Admitted, View, decide, next_change, open_frame
from schemas.chain import ChainHead
from schemas.directory import Directory
from schemas.errors import Code, FormatError, LiaisonError
from schemas.frame import BULLETIN, CARD, EPOCH
from schemas.limits import CLOCK_SKEW_MAX, INTAKE_AGE_MAX, LIFE_MAX
from schemas.merkle import Head
from schemas.subjects import FrameSubject
from schemas.vocabulary import Precedence, Realm
from tests.support.frames import HOUR, AgencyKit, Chain, Circle, Pair, Secretariat, flipped, renewed

NOW = 1_800_000_000_000


@dataclass
class Scene:
    """France owns a community in which Kenya reads and Brazil writes; Peru is outside."""

    directory: Directory
    secretariat: Secretariat
    kits: dict[str, AgencyKit]
    circle: Circle
    drill: Circle

    def view(self, now: int = NOW, suspended: frozenset[str] = frozenset()) -> View:
        return View.of(self.directory, suspended, now)

    def chain(self, agency: str = "fra", circle: Circle | None = None) -> Chain:
        return Chain(self.kits[agency], circle or self.circle)

    def judge(
        self,
        frame: bytes,
        subject: FrameSubject,
        head: ChainHead | None = None,
        suspended: frozenset[str] = frozenset(),
    ) -> Admitted:
        seen = self.view(suspended=suspended)
        return decide(open_frame(frame, seen.keys), subject, seen, head or ChainHead(), NOW)


@pytest.fixture(scope="module")
def scene() -> Scene:
    secretariat = Secretariat()
    directory = Directory.pinned(secretariat.root_document(NOW))
    directory = directory.apply(secretariat.hub_document(Pair().public, NOW))
    kits = {id: AgencyKit(id, f"Agency {id}", id.upper()) for id in ("fra", "ken", "bra", "per")}
    for kit in kits.values():
        directory = directory.apply(secretariat.agency_document(kit, NOW)).apply(kit.keys_document(NOW))
    circle, drill = Circle(kits["fra"]), Circle(kits["fra"], Realm.EXERCISE)
    directory = directory.apply(circle.document(NOW)).apply(drill.document(NOW))
    for agency, role in (("fra", "member"), ("ken", "reader"), ("bra", "member")):
        directory = directory.apply_membership(circle.change(agency, NOW - HOUR, role=role))
    return Scene(directory, secretariat, kits, circle, drill)


def test_a_good_frame_is_admitted_and_becomes_the_head(scene: Scene) -> None:
    chain = scene.chain()
    first = chain.make(NOW)
    admitted = scene.judge(first, chain.subject)
    assert admitted == Admitted(ChainHead(0, sha256(first).hexdigest()), repeated=False)
    second = chain.make(NOW)
    assert scene.judge(second, chain.subject, admitted.head).head.seq == 1


def test_the_head_again_is_a_repeat_whatever_has_changed_since(scene: Scene) -> None:
    chain = scene.chain()
    frame = chain.make(NOW - 2 * HOUR)
    head = ChainHead(0, sha256(frame).hexdigest())
    everybody = frozenset(kit.endpoint for kit in scene.kits.values())
    assert scene.judge(frame, chain.subject, head, suspended=everybody) == Admitted(head, repeated=True)


Make = Callable[[Scene], tuple[bytes, FrameSubject]]


def plain(agency: str = "fra", at: int = NOW, kind: str = BULLETIN, **changed: object) -> Make:
    def make(scene: Scene) -> tuple[bytes, FrameSubject]:
        chain = scene.chain(agency)
        return chain.build(at, kind, b"", **changed), chain.subject

    return make


def elsewhere(**changed: str) -> Make:
    def make(scene: Scene) -> tuple[bytes, FrameSubject]:
        chain = scene.chain()
        return chain.build(NOW), chain.subject._replace(**changed)  # type: ignore[arg-type]

    return make


def drill_in_live(scene: Scene) -> tuple[bytes, FrameSubject]:
    chain = Chain(scene.kits["fra"], Circle(scene.kits["fra"], Realm.LIVE, scene.drill.id))
    return chain.build(NOW), chain.subject


def nowhere(scene: Scene) -> tuple[bytes, FrameSubject]:
    chain = Chain(scene.kits["fra"], Circle(scene.kits["fra"]))
    return chain.build(NOW), chain.subject


def unknown(scene: Scene) -> tuple[bytes, FrameSubject]:
    chain = Chain(AgencyKit("fra"), scene.circle)
    return chain.build(NOW), chain.subject


def other_key(scene: Scene) -> tuple[bytes, FrameSubject]:
    chain = Chain(renewed(scene.kits["fra"]), scene.circle)
    return chain.build(NOW), chain.subject


def unsigned(scene: Scene) -> tuple[bytes, FrameSubject]:
    frame, subject = plain()(scene)
    return flipped(frame, bytes(64)), subject


@pytest.mark.parametrize(
    "make, code",
    [
        (elsewhere(realm=Realm.EXERCISE), Code.SUBJECT_MISMATCH),
        (elsewhere(community="0" * 32), Code.SUBJECT_MISMATCH),
        (elsewhere(precedence=Precedence.FLASH), Code.SUBJECT_MISMATCH),
        (elsewhere(publisher=AgencyKit("x").endpoint), Code.SUBJECT_MISMATCH),
        (unknown, Code.UNKNOWN_PUBLISHER),
        (other_key, Code.UNKNOWN_KEY),
        (unsigned, Code.BAD_SIGNATURE),
        (nowhere, Code.UNKNOWN_COMMUNITY),
        (drill_in_live, Code.WRONG_REALM),
        (plain("per"), Code.NOT_MEMBER),
        (plain("ken"), Code.READ_ONLY_MEMBER),
        (plain("bra", kind=CARD), Code.FORBIDDEN),
        (plain(at=NOW + CLOCK_SKEW_MAX + 1), Code.FROM_THE_FUTURE),
        (plain(at=NOW - HOUR, exp=NOW), Code.EXPIRED),
        (plain(at=NOW - INTAKE_AGE_MAX - 1, exp=NOW + 1), Code.TOO_OLD),
        (plain(at=NOW + 10, exp=NOW + 10), Code.BAD_HEADER),
        (plain(exp=NOW + LIFE_MAX + 1), Code.BAD_HEADER),
        (plain(kind=EPOCH, dir=Head(99, bytes(32))), Code.LOG_BEHIND),
        (plain(kind=EPOCH, mem=Head(99, bytes(32))), Code.LOG_BEHIND),
        (plain(kind=EPOCH, dir=Head(2, bytes(32))), Code.SPLIT_VIEW),
        (plain(kind=EPOCH, mem=Head(2, bytes(32))), Code.SPLIT_VIEW),
        (plain(seq=1, prev="ab" * 32), Code.GAP),
        (plain(seq=0, prev="0" * 64), None),
        (plain(at=NOW + CLOCK_SKEW_MAX), None),
        (plain(at=NOW - INTAKE_AGE_MAX, exp=NOW + 1), None),
        (plain(exp=NOW + LIFE_MAX), None),
        (plain(kind=CARD), None),
        (plain("bra", kind=EPOCH), None),
    ],
)
def test_each_check(scene: Scene, make: Make, code: Code | None) -> None:
    frame, subject = make(scene)
    if code is None:
        scene.judge(frame, subject)
        return
    with pytest.raises(LiaisonError) as refused:
        scene.judge(frame, subject)
    assert refused.value.code is code
    assert refused.value.message
    assert refused.value.fix


def test_a_suspended_endpoint_and_only_that_one(scene: Scene) -> None:
    brazil, france = scene.chain("bra"), scene.chain("fra")
    suspended = frozenset({brazil.kit.endpoint})
    with pytest.raises(LiaisonError, match=r"^suspended:"):
        scene.judge(brazil.build(NOW), brazil.subject, suspended=suspended)
    scene.judge(france.build(NOW), france.subject, suspended=suspended)


@pytest.mark.parametrize(
    "changed, named",
    [
        ({"realm": Realm.EXERCISE}, "realm"),
        ({"community": "0" * 32}, "community"),
        ({"precedence": Precedence.FLASH}, "precedence"),
        ({"publisher": AgencyKit("x").endpoint}, "publisher"),
    ],
)
def test_a_publisher_is_told_what_differs_from_the_subject(
    scene: Scene, changed: dict[str, str], named: str
) -> None:
    frame, subject = elsewhere(**changed)(scene)
    with pytest.raises(LiaisonError, match=f"names another {named} than"):
        scene.judge(frame, subject)


def test_no_log_is_longer_than_the_hub_s_by_one_either(scene: Scene) -> None:
    view = scene.view()
    for at, roots in enumerate((view.roots, view.circles[scene.circle.id].roots)):
        longer, last = Head(len(roots), bytes(32)), Head(len(roots) - 1, roots[-1])
        frame, subject = _citing(at, longer)(scene)
        with pytest.raises(LiaisonError, match=r"^log_behind:"):
            scene.judge(frame, subject)
        scene.judge(*_citing(at, last)(scene))


def _citing(at: int, head: Head) -> Make:
    return plain(kind=EPOCH, dir=head) if at == 0 else plain(kind=EPOCH, mem=head)


def test_a_publisher_is_told_whether_its_key_was_ever_known(scene: Scene) -> None:
    old, fresh = scene.kits["fra"], renewed(scene.kits["fra"])
    later = replace(scene, directory=scene.directory.apply(fresh.keys_document(NOW, version=2)))
    subject = scene.chain().subject
    with pytest.raises(LiaisonError, match="is not the endpoint's current one"):
        later.judge(Chain(old, scene.circle).build(NOW), subject)
    with pytest.raises(LiaisonError, match="is not in the directory"):
        scene.judge(*other_key(scene))


def test_a_replaced_key_and_a_revoked_key(scene: Scene) -> None:
    old, fresh = scene.kits["fra"], renewed(scene.kits["fra"])
    later = replace(scene, directory=scene.directory.apply(fresh.keys_document(NOW, version=2)))
    subject = scene.chain().subject
    with pytest.raises(LiaisonError, match="unknown_key"):
        later.judge(Chain(old, scene.circle).build(NOW), subject)
    later.judge(Chain(fresh, scene.circle).build(NOW), subject)
    revoked = replace(later, directory=later.directory.apply(fresh.revocation(NOW)))
    with pytest.raises(LiaisonError, match="revoked_key"):
        revoked.judge(Chain(fresh, scene.circle).build(NOW), subject)


def test_a_key_that_was_not_known_when_the_frame_was_opened_is_checked_then(scene: Scene) -> None:
    chain = scene.chain()
    good, bad = chain.build(NOW), flipped(chain.build(NOW), bytes(64))
    view = scene.view()
    assert open_frame(good, {}).verified is None
    assert open_frame(good, view.keys).verified is True
    assert open_frame(bad, view.keys).verified is False
    assert not decide(open_frame(good, {}), chain.subject, view, ChainHead(), NOW).repeated
    with pytest.raises(LiaisonError, match="bad_signature"):
        decide(open_frame(bad, {}), chain.subject, view, ChainHead(), NOW)


def test_a_membership_is_judged_at_the_hubs_time(scene: Scene) -> None:
    begins = NOW + 2 * LEAD
    circle = Circle(scene.kits["fra"])
    directory = scene.directory.apply(circle.document(NOW))
    directory = directory.apply_membership(circle.change("per", NOW, nbf=begins))
    assert next_change(directory, NOW) == begins - LEAD
    assert next_change(directory, begins - LEAD) == begins
    assert next_change(directory, begins) is None
    early, near, after = (View.of(directory, frozenset(), each) for each in (NOW, begins - LEAD, begins))
    assert "per" not in early.circles[circle.id].readers
    assert "per" in near.circles[circle.id].readers
    assert "per" not in near.circles[circle.id].roles
    assert after.circles[circle.id].roles == {"per": "member"}
    assert early.holds(begins - LEAD - 1)
    assert not early.holds(begins - LEAD)
    assert after.holds(begins + LIFE_MAX)


@given(data=st.data())
def test_nothing_else_escapes_and_no_changed_frame_is_admitted(scene: Scene, data: st.DataObject) -> None:
    chain = scene.chain()
    frame = bytearray(chain.build(NOW, BULLETIN))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LiaisonError):
        scene.judge(bytes(frame), chain.subject)


@given(junk=st.binary(max_size=400))
def test_junk_is_refused_by_its_form(junk: bytes) -> None:
    with pytest.raises(FormatError):
        open_frame(junk, {})
