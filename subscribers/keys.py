"""An agency's own keys: made once, kept one to a file, read at start. FORMAT.md, "Signatures" and "Wraps".

| file | what | leaves the machine |
|---|---|---|
| `agency.json` | id, name and code under which the agency enrols | yes, in the enrolment request |
| `identity.key` | Ed25519 seed: who the agency is; signs what it says in the directory | never |
| `signing.key` | Ed25519 seed: signs this endpoint's frames | never |
| `encryption.key` | X-Wing seed: opens the wraps sent to this endpoint | never |
| `nats.key` | Ed25519 seed of the NATS user with which the node connects to the hub | never |
| `archive.key` | key of the encrypted archive | never |
| `jetstream.key` | key of the agency's own JetStream files | never |

A secret has a blank `repr`, does not pickle, compares in constant time, and gives its bytes only to
`bytes(secret)`.
"""

import base64
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import shake_256
from pathlib import Path
from typing import Final, NoReturn, Self

import nkeys
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_sign,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import CryptoError
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.bulletin import where
from schemas.documents import AgencyCode, AgencyId
from schemas.encoding import canonical_json, from_hex, parse_json
from schemas.errors import Code, FormatError, OperationError
from schemas.limits import NONCE_SIZE, SIGNATURE_SIZE
from schemas.particulars import Line
from schemas.signing import fingerprint
from schemas.wraps import kem_key_id
from subscribers.private_files import check_private_directory, read_private, write_private_directory

SEED_SIZE: Final = 32
_PROFILE: Final = "agency.json"
_FILE_MAX: Final = 4096
_MLKEM_SEED_SIZE: Final = 64
_XWING_EXPANDED_SIZE: Final = 96
_NAMES: Final = ("identity", "signing", "encryption", "nats", "archive", "jetstream")

Random = Callable[[int], bytes]


class Secret:
    """32 secret bytes. Shown blank everywhere; `bytes(secret)` is the one way to them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        if len(value) != SEED_SIZE:
            raise FormatError(Code.BAD_KEY, f"a secret has {SEED_SIZE} bytes")
        self._value = value

    @classmethod
    def generate(cls, random: Random = os.urandom) -> Self:
        """A fresh secret."""
        return cls(random(SEED_SIZE))

    def __bytes__(self) -> bytes:
        return self._value

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = object.__hash__

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")


class SigningKey(Secret):
    """An Ed25519 seed as a `schemas.signing.Signer`."""

    __slots__ = ("_expanded", "public")

    def __init__(self, value: bytes) -> None:
        super().__init__(value)
        self.public: bytes
        self.public, self._expanded = crypto_sign_seed_keypair(value)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of a message."""
        return crypto_sign(message, self._expanded)[:SIGNATURE_SIZE]


class KemKey(Secret):
    """An X-Wing seed (draft-connolly-cfrg-xwing-kem, 5.2): ML-KEM-768 and X25519 from one SHAKE-256.

    `public` is the 1,216-byte public key, `kid` the 16 bytes that name it in wraps, `private` is for HPKE.
    Raises OperationError `bad_settings` where the installed `cryptography` cannot do ML-KEM.
    """

    __slots__ = ("kid", "private", "public")

    def __init__(self, value: bytes) -> None:
        super().__init__(value)
        expanded = shake_256(value).digest(_XWING_EXPANDED_SIZE)
        try:
            lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_SIZE])
            curve = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_SIZE:])
            self.private = MLKEM768X25519PrivateKey(lattice, curve)
        except UnsupportedAlgorithm:
            raise OperationError(
                Code.BAD_SETTINGS,
                "this build of `cryptography` cannot do ML-KEM-768",
                "install the wheel from PyPI, not the system's package",
            ) from None
        raw = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.public: bytes = lattice.public_key().public_bytes(*raw) + curve.public_key().public_bytes(*raw)
        self.kid: bytes = kem_key_id(self.public)


class NatsUser(Secret):
    """The NATS user ("nkey") with which the node connects to the hub."""

    __slots__ = ("_pair", "public")

    def __init__(self, value: bytes) -> None:
        super().__init__(value)
        self._pair = nkeys.from_seed(bytearray(nkeys.encode_seed(value, nkeys.PREFIX_BYTE_USER)))
        self.public: str = self._pair.public_key.decode()

    def signature(self, nonce: str) -> bytes:
        """The answer to the server's nonce, base64: nats-py's `signature_cb`."""
        return base64.b64encode(self._pair.sign(nonce.encode()))


class Profile(BaseModel):
    """What the agency calls itself, as the secretariat will be asked to sign it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: AgencyId
    name: Line
    code: AgencyCode


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key of one endpoint."""

    profile: Profile
    identity: SigningKey
    signing: SigningKey
    encryption: KemKey
    nats: NatsUser
    archive: Secret
    jetstream: Secret

    @classmethod
    def create(
        cls, directory: Path, agency_id: str, name: str, code: str, *, random: Random = os.urandom
    ) -> Self:
        """New keys in a new directory, complete or not at all.

        Raises FormatError `bad_document` for a profile that the directory would not take, OperationError
        `already_known` when the directory holds anything, `disk_full` or `forbidden` when it
        cannot be written.
        """
        try:
            profile = Profile(id=agency_id, name=name, code=code)
        except ValidationError as error:
            raise FormatError(Code.BAD_DOCUMENT, where(error), "correct the id, name or code") from None
        seeds = {each: random(SEED_SIZE) for each in _NAMES}
        return cls.restore(directory, profile, seeds)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """The keys of a directory.

        Raises OperationError: `not_found`, `forbidden` (others may read it) or `wrong_key` (damaged).
        """
        check_private_directory(directory)
        data = read_private(directory / _PROFILE, _FILE_MAX)
        try:
            profile = Profile.model_validate(parse_json(data, _FILE_MAX))
        except (ValidationError, FormatError):
            raise _damaged(directory / _PROFILE) from None
        return cls._from_seeds(profile, {name: read_seed(directory, name) for name in _NAMES})

    def renewed(self, signing: bytes, encryption: bytes) -> Self:
        """The same endpoint with other keys to sign and to open with; 32 bytes each."""
        return replace(self, signing=SigningKey(signing), encryption=KemKey(encryption))

    def succeeded(self, identity: bytes) -> Self:
        """The same endpoint under another identity key; 32 bytes."""
        return replace(self, identity=SigningKey(identity))

    def seeds(self) -> dict[str, bytes]:
        """Every secret by its name: for a backup."""
        return {name: bytes(getattr(self, name)) for name in _NAMES}

    @classmethod
    def restore(cls, directory: Path, profile: Profile, seeds: dict[str, bytes]) -> Self:
        """These keys in a new directory, complete or not at all. OperationError as `create` raises."""
        ring = cls._from_seeds(profile, seeds)
        files = {f"{each}.key": seed_line(each, seeds[each]) for each in _NAMES}
        write_private_directory(directory, {_PROFILE: canonical_json(profile.model_dump()), **files})
        return ring

    @classmethod
    def _from_seeds(cls, profile: Profile, seeds: dict[str, bytes]) -> Self:
        return cls(
            profile=profile,
            identity=SigningKey(seeds["identity"]),
            signing=SigningKey(seeds["signing"]),
            encryption=KemKey(seeds["encryption"]),
            nats=NatsUser(seeds["nats"]),
            archive=Secret(seeds["archive"]),
            jetstream=Secret(seeds["jetstream"]),
        )

    def fingerprint(self) -> str:
        """The identity key as eight groups of five digits, to read aloud to the secretariat."""
        return fingerprint(self.identity.public)


def lock_up(data: bytes, key: bytes, bound: bytes, random: Random = os.urandom) -> bytes:
    """XChaCha20-Poly1305 of keys for a backup: nonce and ciphertext. `key` 32 bytes, used once; `bound` is
    authenticated with it.
    """
    nonce = random(NONCE_SIZE)
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(data, bound, nonce, key)


def unlock(sealed: bytes, key: bytes, bound: bytes) -> bytes:
    """What `lock_up` was given. FormatError `bad_key` for another key or other bytes."""
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[NONCE_SIZE:], bound, sealed[:NONCE_SIZE], key
        )
    except (CryptoError, ValueError, TypeError):
        raise FormatError(Code.BAD_KEY, "the key does not open this") from None


def read_nats_user(directory: Path) -> NatsUser:
    """The transport credential alone, from a directory that need hold no other key: a courier's. Raises as
    `Keyring.load` does.
    """
    check_private_directory(directory)
    return NatsUser(read_seed(directory, "nats"))


def seed_line(name: str, seed: bytes) -> bytes:
    """What stands in the file of a seed."""
    # The name stands in the file so that two files put in each other's place are noticed.
    return f"liaison/1 {name} {seed.hex()}\n".encode("ascii")


def read_seed(directory: Path, name: str, file: str = "") -> bytes:
    """The seed called `name`, from `<name>.key` or `file`. OperationError as `Keyring.load` raises."""
    path = directory / (file or f"{name}.key")
    data = read_private(path, _FILE_MAX)
    try:
        text = data.decode("ascii").removeprefix(f"liaison/1 {name} ").removesuffix("\n")
        seed = from_hex(text, SEED_SIZE)
    except (FormatError, UnicodeDecodeError):
        raise _damaged(path) from None
    if seed_line(name, seed) != data:
        raise _damaged(path)
    return seed


def _damaged(path: Path) -> OperationError:
    message = f"{path} is damaged or not what its name says"
    return OperationError(Code.WRONG_KEY, message, "restore it from the backup of the keys")
