"""An agency's first two steps, with real keys in real files."""

from hashlib import sha256
from pathlib import Path

import pytest

from hub.registrar import check_enrolment
from schemas.directory import Directory
from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError
from subscribers.exchange.enrolment import accept, keys_document, request
from subscribers.exchange.hub_link import Admission
from subscribers.keys import Keyring
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


def spoken() -> str:
    digest = sha256(ROOT).hexdigest().upper()
    return " ".join(digest[start : start + 8] for start in range(0, 64, 8))


def test_the_hub_takes_the_request(keys: Keyring) -> None:
    made = FRA.agency(id="esp", name="Agency esp", code="ESP", identity=to_base64(keys.identity.public))
    enrolment, agency = check_enrolment(request(keys, AT), envelope(made, REGISTRAR))
    assert (enrolment.id, enrolment.user, agency) == ("esp", keys.nats.public, made)


def test_an_admission_is_kept_once_its_root_is_the_right_one(tmp_path: Path) -> None:
    for _ in range(2):
        accept(tmp_path, admission(), spoken())
    kept = tmp_path / "admission.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert Admission.read(kept) == admission()
    with pytest.raises(LiaisonError) as refused:
        accept(tmp_path, admission(endpoint="A" * 56), spoken())
    assert refused.value.code is Code.ALREADY_KNOWN
    assert Admission.read(kept) == admission()


@pytest.mark.parametrize(
    "told,code", [("ab" * 32, Code.ROOT_MISMATCH), ("", Code.BAD_ENCODING), ("no hex", Code.BAD_ENCODING)]
)
def test_a_wrong_fingerprint_leaves_nothing(tmp_path: Path, told: str, code: Code) -> None:
    with pytest.raises(LiaisonError) as refused:
        accept(tmp_path, admission(), told)
    assert refused.value.code is code
    assert list(tmp_path.iterdir()) == []


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
