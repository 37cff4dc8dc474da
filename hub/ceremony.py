"""The secretariat's ceremonies: the root of who is who, and what the registrars sign. Offline, on files.

A key is an Ed25519 pair in PKCS #8 PEM (RFC 8410), at mode 0600, under a passphrase if wished. Nothing here
uses the network.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hub.files import read_private, write_private
from hub.watch import Watch, next_watch
from schemas.documents import (
    Agency,
    Enrolment,
    Hub,
    Role,
    Root,
    parse_document,
    parse_enrolment,
    parse_membership,
)
from schemas.encoding import from_base64, parse_json, to_base64
from schemas.errors import Code, FormatError, OperationError, TrustError
from schemas.limits import DOCUMENT_MAX, SECRETARIAT_KEYS_MAX
from schemas.signing import (
    DOCUMENT_TYPE,
    ENROLMENT_TYPE,
    KEY_SIZE,
    MEMBERSHIP_TYPE,
    Envelope,
    Signer,
    key_id,
    parse_envelope,
    sign_envelope,
)

_SHARE: Final = re.compile(r"([1-9][0-9]?)-of-([1-9][0-9]?)\Z")
_TYPES: Final = (DOCUMENT_TYPE, ENROLMENT_TYPE, MEMBERSHIP_TYPE)


class Share(NamedTuple):
    """How many of how many keys must sign."""

    threshold: int
    keys: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `2-of-3`. FormatError `bad_request`."""
        found = _SHARE.match(text)
        share = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not 1 <= share.threshold <= share.keys <= SECRETARIAT_KEYS_MAX:
            raise FormatError(
                Code.BAD_REQUEST,
                f"{text!r} is not m-of-n",
                f"write 2-of-3; n is at most {SECRETARIAT_KEYS_MAX}",
            )
        return share


class CeremonyKey:
    """A secretariat's private key (a `schemas.signing.Signer`). It is written to its file and nowhere
    else.
    """

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def generate(cls) -> Self:
        """A new pair."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path, passphrase: bytes | None) -> Self:
        """From its file. OperationError NOT_FOUND, FORBIDDEN (others can read it), or WRONG_KEY."""
        content = read_private(path)
        try:
            key = load_pem_private_key(content, passphrase)
        except TypeError:
            needed = passphrase is None
            raise OperationError(
                Code.WRONG_KEY,
                f"{path} is {'' if needed else 'not '}under a passphrase",
                "give --passphrase or --passphrase-file" if needed else "leave the passphrase out",
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            raise OperationError(
                Code.WRONG_KEY,
                f"{path} cannot be opened",
                "check the passphrase, and that this is a key file",
            ) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise OperationError(
                Code.WRONG_KEY, f"{path} holds another kind of key", "use a key that liaison-root made"
            )
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature."""
        return self._key.sign(message)

    def save(self, path: Path, passphrase: bytes | None) -> None:
        """Write it to `path`, which must not exist. OperationError ALREADY_KNOWN."""
        if path.exists():
            raise OperationError(
                Code.ALREADY_KNOWN, f"{path} exists", "keys are never overwritten: choose another place"
            )
        protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        write_private(path, self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))


class NewRoles(NamedTuple):
    """Fresh keys for a root document; an empty list leaves that role as it was."""

    root: list[CeremonyKey]
    registrar: list[CeremonyKey]

    @classmethod
    def generate(cls, root: Share | None, registrar: Share | None) -> Self:
        """As many keys as each share says."""
        return cls(
            *(
                [CeremonyKey.generate() for _ in range(share.keys if share else 0)]
                for share in (root, registrar)
            )
        )

    def save(self, directory: Path, passphrase: bytes | None) -> list[Path]:
        """Write `root-1.key`, ..., `registrar-1.key`, ...; their paths."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths = []
        for name, keys in (("root", self.root), ("registrar", self.registrar)):
            for number, key in enumerate(keys, 1):
                paths.append(directory / f"{name}-{number}.key")
                key.save(paths[-1], passphrase)
        return paths


def create_root(fresh: NewRoles, root: Share, registrar: Share, watch: Watch, now: int) -> Envelope:
    """Version 1 of the root, signed by all of its root keys. `now` is Unix ms."""
    document = Root(
        version=1,
        issued=now,
        root=_role(fresh.root, root.threshold),
        registrar=_role(fresh.registrar, registrar.threshold),
        **watch._asdict(),
    )
    return sign_envelope(DOCUMENT_TYPE, document.to_bytes(), fresh.root)


def rotate_root(
    current: Root,
    fresh: NewRoles,
    root: Share | None,
    registrar: Share | None,
    watch: Watch | None,
    signers: Sequence[Signer],
    now: int,
) -> Envelope:
    """The next version: roles with a share get the fresh keys, `watch` the witnesses, if given.

    Signed by `signers` (keys of the old root role) and by all new root keys; more of the old may countersign.
    """
    document = Root(
        version=current.version + 1,
        issued=now,
        root=_role(fresh.root, root.threshold) if root else current.root,
        registrar=_role(fresh.registrar, registrar.threshold) if registrar else current.registrar,
        **(watch or next_watch(current, None, None, None))._asdict(),
    )
    return sign_envelope(DOCUMENT_TYPE, document.to_bytes(), [*signers, *fresh.root])


def read_request(request: bytes) -> Enrolment:
    """What an agency asks for, once it proves its identity key. FormatError, TrustError `bad_signature`."""
    signed = parse_enrolment(request)
    if not signed.envelope.signed_by([from_base64(signed.request.identity, KEY_SIZE)]):
        raise TrustError(
            Code.BAD_SIGNATURE,
            "the request is not signed by its own identity key",
            "ask the agency for it again",
        )
    return signed.request


def sign_agency(
    request: bytes, version: int, signers: Sequence[Signer], now: int
) -> tuple[Enrolment, Envelope]:
    """The agency document that answers an enrolment request. FormatError, TrustError `bad_signature`."""
    asked = read_request(request)
    document = Agency(
        version=version, issued=now, id=asked.id, name=asked.name, code=asked.code, identity=asked.identity
    )
    return asked, sign_envelope(DOCUMENT_TYPE, document.to_bytes(), signers)


def sign_hub(request: bytes, signers: Sequence[Signer]) -> tuple[Hub, Envelope]:
    """The hub document: the hub's request with the registrars' signatures added. FormatError, TrustError."""
    signed = parse_document(request)
    if not isinstance(signed.document, Hub):
        raise FormatError(
            Code.BAD_DOCUMENT, "this is not a hub's request", "give the hub-request.dsse of liaison-hub init"
        )
    if not signed.envelope.signed_by([from_base64(signed.document.key, KEY_SIZE)]):
        raise TrustError(
            Code.BAD_SIGNATURE, "the request is not signed by the hub's own key", "have the hub make it again"
        )
    envelope = signed.envelope
    for signer in signers:
        envelope = envelope.countersigned(signer)
    return signed.document, envelope


def countersign(data: bytes, signers: Sequence[Signer]) -> Envelope:
    """Any document with more signatures."""
    envelope = read_envelope(data)
    for signer in signers:
        envelope = envelope.countersigned(signer)
    return envelope


def read_envelope(data: bytes) -> Envelope:
    """An envelope of any of the three types of the directory. FormatError."""
    kind = parse_json(data, DOCUMENT_MAX).get("payloadType")
    if kind not in _TYPES:
        raise FormatError(Code.BAD_DOCUMENT, "not a document of the directory", "give a .dsse file")
    return parse_envelope(data, kind)


def read_root(data: bytes) -> Root:
    """The root document in a file. FormatError."""
    document = parse_document(data).document
    if not isinstance(document, Root):
        raise FormatError(Code.BAD_DOCUMENT, f"a {document.type} document, not a root", "give root.dsse")
    return document


def still_needed(envelope: Envelope, role: Role) -> int:
    """How many more signatures of the role a document needs; 0 when it has enough."""
    keys = [from_base64(key, KEY_SIZE) for key in role.keys]
    return max(role.threshold - len(envelope.signed_by(keys)), 0)


def check_holds(role: Role, signers: Sequence[Signer], name: str) -> None:
    """Whether each signer is of the role; TrustError `unknown_key` before anything useless is signed."""
    check_holds_any([role], signers, name)


def check_holds_any(roles: Sequence[Role], signers: Sequence[Signer], name: str) -> None:
    """Whether each signer is of one of the roles. TrustError `unknown_key`."""
    keys = {from_base64(key, KEY_SIZE) for role in roles for key in role.keys}
    for signer in signers:
        if signer.public not in keys:
            raise TrustError(
                Code.UNKNOWN_KEY,
                f"key {key_id(signer.public).hex()} is not one of the root's {name} keys",
                f"use a {name} key, or name the root document that lists this one with --root",
            )


def describe(data: bytes) -> dict[str, Any]:
    """What a document says and whose keys signed it, for people. FormatError."""
    envelope = read_envelope(data)
    said: dict[str, Any]
    match envelope.payload_type:
        case t if t == DOCUMENT_TYPE:
            said = parse_document(data).document.model_dump(mode="json")
        case t if t == ENROLMENT_TYPE:
            said = parse_enrolment(data).request.model_dump(mode="json")
        case _:
            said = {"type": "membership", **parse_membership(data).entry.model_dump(mode="json")}
    return {"document": said, "signed_by": [kid.hex() for kid, _ in envelope.signatures]}


def _role(keys: Sequence[CeremonyKey], threshold: int) -> Role:
    return Role(keys=[to_base64(key.public) for key in keys], threshold=threshold)
