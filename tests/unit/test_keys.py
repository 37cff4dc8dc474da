import base64
import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import nkeys
import pytest

from schemas.errors import Code, LiaisonError
from schemas.signing import fingerprint, verify
from schemas.wraps import kem_key_id
from subscribers.keys import KemKey, Keyring, Secret, SigningKey
from subscribers.private_files import write_private_directory
from tests.support.federation import code_of, random_from, seed

FILES = {
    "agency.json",
    "identity.key",
    "signing.key",
    "encryption.key",
    "nats.key",
    "archive.key",
    "jetstream.key",
}
SECRETS = ("identity", "signing", "encryption", "nats", "archive", "jetstream")


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keys"


@pytest.fixture
def ring(where: Path) -> Keyring:
    return Keyring.create(where, "fra", "Direction de la veille", "FRA", random=random_from("ring"))


def fresh(where: Path) -> Keyring:
    return Keyring.create(where, "fra", "Direction de la veille", "FRA")


def test_what_is_made_is_loaded(where: Path, ring: Keyring) -> None:
    loaded = Keyring.load(where)
    assert loaded == ring
    assert loaded.profile.model_dump() == {"id": "fra", "name": "Direction de la veille", "code": "FRA"}
    assert loaded.encryption.public == ring.encryption.public
    assert loaded.nats.public == ring.nats.public
    assert loaded.fingerprint() == fingerprint(ring.identity.public)


def test_nobody_else_can_read_them(where: Path, ring: Keyring) -> None:
    assert {path.name for path in where.iterdir()} == FILES
    assert where.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in where.iterdir()} == {0o600}
    assert [path.name for path in where.parent.iterdir()] == ["keys"], "nothing is left beside them"


def test_every_key_is_its_own(where: Path, tmp_path: Path) -> None:
    rings = [fresh(tmp_path / name) for name in ("one", "two")]
    assert len({bytes(getattr(ring, name)) for ring in rings for name in SECRETS}) == 2 * len(SECRETS)


def test_keys_are_never_overwritten(where: Path, ring: Keyring) -> None:
    assert code_of(fresh, where) is Code.ALREADY_KNOWN
    assert Keyring.load(where) == ring


def test_a_directory_with_anything_in_it_is_left_alone(where: Path) -> None:
    where.mkdir(parents=True)
    (where / "note.txt").write_text("mine")
    assert code_of(fresh, where) is Code.ALREADY_KNOWN
    assert [path.name for path in where.iterdir()] == ["note.txt"]


def test_an_empty_directory_is_taken(where: Path) -> None:
    where.mkdir(parents=True, mode=0o755)
    fresh(where)
    assert where.stat().st_mode & 0o777 == 0o700
    assert Keyring.load(where).profile.id == "fra"


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert code_of(fresh, tmp_path / "file") is Code.ALREADY_KNOWN
    assert code_of(Keyring.load, tmp_path / "file") is Code.NOT_FOUND
    assert code_of(fresh, tmp_path / "file" / "keys") is Code.DISK_FULL


@pytest.mark.parametrize(
    "id,name,code",
    [("FRA", "France", "FRA"), ("fra", "", "FRA"), ("fra", "France", "fra"), ("fra", "a\nb", "FRA")],
)
def test_a_profile_that_the_directory_would_not_take(where: Path, id: str, name: str, code: str) -> None:
    with pytest.raises(LiaisonError) as error:
        Keyring.create(where, id, name, code)
    assert error.value.code is Code.BAD_DOCUMENT
    assert not where.exists()


def test_no_keys_at_all(where: Path) -> None:
    assert code_of(Keyring.load, where) is Code.NOT_FOUND


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o700])
def test_loose_permissions_of_a_file(where: Path, ring: Keyring, name: str, mode: int) -> None:
    (where / name).chmod(mode)
    with pytest.raises(LiaisonError) as error:
        Keyring.load(where)
    assert error.value.code is Code.FORBIDDEN
    assert "chmod 600" in error.value.fix


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o711, 0o777])
def test_loose_permissions_of_the_directory(where: Path, ring: Keyring, mode: int) -> None:
    where.chmod(mode)
    assert code_of(Keyring.load, where) is Code.FORBIDDEN


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file(where: Path, ring: Keyring, name: str) -> None:
    (where / name).unlink()
    assert code_of(Keyring.load, where) is Code.NOT_FOUND


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-2],
    "appended": lambda data: data + b"\n",
    "flipped": lambda data: data.replace(b"liaison/1", b"liaison/2"),
    "upper case": bytes.upper,
    "not ASCII": lambda data: b"\xff" + data,
    "no label": lambda data: data.split(b" ")[-1],
    "emptied": lambda _: b"",
    "long": lambda data: data * 100,
}


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_damaged_file(where: Path, ring: Keyring, name: str, change: Callable[[bytes], bytes]) -> None:
    path = where / name
    wrong = change(path.read_bytes())
    if wrong == path.read_bytes():
        wrong = wrong.replace(b"fra", b"f ra")
    if name == "agency.json" and change is CHANGES["appended"]:
        wrong += b"x"
    path.write_bytes(wrong)
    assert code_of(Keyring.load, where) is Code.WRONG_KEY


def test_two_files_in_each_others_place(where: Path, ring: Keyring) -> None:
    (where / "identity.key").rename(where / "x")
    (where / "signing.key").rename(where / "identity.key")
    (where / "x").rename(where / "signing.key")
    assert code_of(Keyring.load, where) is Code.WRONG_KEY


def test_a_link_or_a_directory_in_a_files_place(where: Path, ring: Keyring) -> None:
    path = where / "signing.key"
    path.rename(where / "elsewhere")
    path.symlink_to(where / "elsewhere")
    assert code_of(Keyring.load, where) is Code.FORBIDDEN
    path.unlink()
    path.mkdir(mode=0o700)
    assert code_of(Keyring.load, where) is Code.FORBIDDEN


def test_a_crash_while_writing_leaves_nothing(where: Path) -> None:
    """A name that cannot be written stands for any failure half way."""
    code = code_of(write_private_directory, where, {"one": b"1", "no/such/place": b"2"})
    assert code is Code.DISK_FULL
    assert list(where.parent.iterdir()) == []


def test_secrets_keep_quiet(ring: Keyring) -> None:
    shown = f"{ring} {ring!r}"
    for name in SECRETS:
        secret: Secret = getattr(ring, name)
        for text in (shown, repr(secret), str(secret), f"{secret:x>99}"):
            assert bytes(secret).hex() not in text
            assert repr(bytes(secret)) not in text
        for call in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                call(secret)
        assert not hasattr(secret, "__dict__")


def test_secrets_compare_by_value() -> None:
    assert Secret(bytes(32)) == Secret(bytes(32))
    assert Secret(bytes(32)) != Secret(b"\x01" * 32)
    assert Secret(bytes(32)) != bytes(32)
    assert Secret.generate() != Secret.generate()
    assert len({Secret(bytes(32)), Secret(bytes(32))}) == 2, "never found by value in a set"
    for size in (0, 31, 33):
        assert code_of(Secret, bytes(size)) is Code.BAD_KEY


def test_a_signing_key_signs() -> None:
    key = SigningKey(seed("a key"))
    assert verify(key.public, b"message", key.sign(b"message"))


def test_an_encryption_key_is_named_by_its_public_half() -> None:
    key = KemKey(seed("a key"))
    assert len(key.public) == 1216
    assert key.kid == kem_key_id(key.public)


def test_a_nats_user_answers_the_servers_nonce(ring: Keyring) -> None:
    assert ring.nats.public.startswith("U")
    assert len(ring.nats.public) == 56
    signature = base64.b64decode(ring.nats.signature("nonce"))
    raw = base64.b32decode(ring.nats.public)[1:33]
    assert verify(raw, b"nonce", signature)
    pair = nkeys.from_seed(bytearray(nkeys.encode_seed(bytes(ring.nats), nkeys.PREFIX_BYTE_USER)))
    assert pair.public_key.decode() == ring.nats.public
