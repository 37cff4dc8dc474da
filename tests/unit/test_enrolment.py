"""An agency's first two steps, with real keys in real files."""

from hashlib import sha256
from pathlib import Path

import pytest

from hub.jwt import KeyKind, NKey, mint
from hub.registrar import check_enrolment
from schemas.directory import Directory
from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError
from subscribers.core import Core
from subscribers.exchange.enrolment import check, keep, keys_document, request
from subscribers.exchange.hub_link import Admission
from subscribers.exchange.joining import accept_admission
from subscribers.keys import Keyring, NatsUser
from subscribers.settings import NodeSettings
from tests.support.federation import AT, FRA, REGISTRAR, documents, envelope

ROOT = documents()[0]


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keys", "esp", "Agency esp", "ESP")


def admission(fingerprint: str = "", endpoint: str = FRA.endpoint) -> Admission:
    return Admission.model_validate(
        {
            "v": 1,
            "agency": "esp",
            "endpoint": endpoint,
            "user_jwt": "jwt",
            "urls": ["nats://127.0.0.1:4222"],
            "root": to_base64(ROOT),
            "fingerprint": fingerprint,
            "hub": {"name": "Hub", "key": to_base64(bytes(32))},
        }
    )


def credential(user: NatsUser) -> str:
    """As the hub mints it."""
    return mint(NKey.generate(KeyKind.ACCOUNT), user.public, "esp", AT // 1000, {})


def ours(keys: Keyring) -> Admission:
    return admission().model_copy(update={"user_jwt": credential(keys.nats)})


async def accepted(settings: NodeSettings, offered: Admission, told: str | None = None) -> None:
    """By the file, as the command does."""
    file = settings.state.with_suffix(".offered")
    file.write_text(offered.model_dump_json())
    await accept_admission(settings, file, spoken() if told is None else told)


def held(state: Path) -> set[Path]:
    return set(state.rglob("*"))


def kept(state: Path) -> Admission:
    return Admission.read(state / "admission.json")


def spoken() -> str:
    digest = sha256(ROOT).hexdigest().upper()
    return " ".join(digest[start : start + 8] for start in range(0, 64, 8))


def test_the_hub_takes_the_request(keys: Keyring) -> None:
    made = FRA.agency(id="esp", name="Agency esp", code="ESP", identity=to_base64(keys.identity.public))
    enrolment, agency = check_enrolment(request(keys, AT), envelope(made, REGISTRAR))
    assert (enrolment.id, enrolment.user, agency) == ("esp", keys.nats.public, made)


@pytest.mark.parametrize(
    "other,code",
    [
        ({"agency": "prt"}, Code.WRONG_KEY),
        ({"user_jwt": credential(NatsUser(bytes(32)))}, Code.WRONG_KEY),
        ({"user_jwt": "jwt"}, Code.BAD_SETTINGS),
        ({"user_jwt": "e30.e30.e30"}, Code.BAD_SETTINGS),
    ],
    ids=["another_agency", "another_node", "no_jwt", "nobody"],
)
def test_what_was_admitted_for_somebody_else_is_refused(
    keys: Keyring, other: dict[str, str], code: Code
) -> None:
    check(keys, ours(keys), spoken())
    with pytest.raises(LiaisonError) as refused:
        check(keys, ours(keys).model_copy(update=other), spoken())
    assert refused.value.code is code
    assert refused.value.fix


async def test_an_admission_is_replaced_until_something_has_come_from_the_hub(
    keys: Keyring, tmp_path: Path
) -> None:
    settings, first = NodeSettings(state=tmp_path), ours(keys)
    moved = first.model_copy(update={"urls": ["nats://127.0.0.1:4223"]})
    other = first.model_copy(update={"endpoint": "A" * 56})
    # A version that looked only at the root kept another agency's, and opened its database under it.
    keep(tmp_path, admission())
    async with Core.open(settings):
        pass
    for each in (first, other, first, moved):
        await accepted(settings, each)
        assert kept(tmp_path) == each
    assert (tmp_path / "admission.json").stat().st_mode & 0o777 == 0o600
    async with Core.open(settings, lambda: AT) as core:
        with pytest.raises(LiaisonError, match="already_running"):
            await accepted(settings, first)
        await core.ledger.append(documents()[1], membership=False, now=AT)
    with pytest.raises(LiaisonError, match="already_known"):
        await accepted(settings, other)
    assert kept(tmp_path) == moved
    await accepted(settings, first)
    assert kept(tmp_path) == first


@pytest.mark.parametrize(
    "told,code,words",
    [
        ("ab" * 32, Code.ROOT_MISMATCH, ""),
        ("", Code.BAD_ENCODING, "64 hex digits, and 0 came"),
        ("12 3", Code.BAD_ENCODING, "64 hex digits, and 3 came"),
        (f"sha256:{'ab' * 32}", Code.BAD_ENCODING, "3 of the 71 characters are no hex digits"),
    ],
)
async def test_a_wrong_fingerprint_leaves_nothing(
    keys: Keyring, tmp_path: Path, told: str, code: Code, words: str
) -> None:
    before = held(tmp_path)
    with pytest.raises(LiaisonError) as refused:
        await accepted(NodeSettings(state=tmp_path), ours(keys), told)
    assert refused.value.code is code
    assert words in refused.value.message
    assert ("`liaison-root show`" in refused.value.fix) == (code is Code.BAD_ENCODING)
    assert held(tmp_path) == before


@pytest.mark.parametrize("content", [b"", b"{}", b'{"v": 2}', b"\xff"])
def test_what_is_no_admission_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "admission.json"
    path.write_bytes(content)
    with pytest.raises(LiaisonError) as refused:
        Admission.read(path)
    assert refused.value.code is Code.BAD_SETTINGS


def test_the_keys_document_binds_the_account_once(keys: Keyring) -> None:
    known = directory_with(keys)
    document = keys_document(keys, known, "A" * 56, lambda: AT)
    assert document
    grown = known.apply(document)
    assert grown.endpoints["A" * 56].agency == "esp"
    assert keys_document(keys, grown, "A" * 56, lambda: AT) is None


def directory_with(keys: Keyring) -> Directory:
    made = FRA.agency(id="esp", name="Agency esp", code="ESP", identity=to_base64(keys.identity.public))
    first, *rest = documents()
    known = Directory.pinned(first)
    for each in (*rest, envelope(made, REGISTRAR)):
        known = known.apply(each)
    return known
