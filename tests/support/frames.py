"""Agencies as the hub's tests need them: keys, signed documents, and frames built from the primitives
themselves.

Independent of subscribers/sealing.py on purpose, so that hub and node are not right or wrong together by
sharing code.
"""

import os
import uuid
from dataclasses import dataclass, field, replace
from hashlib import sha256

import uuid_utils
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt
from nacl.signing import SigningKey

from hub.jwt import KeyKind, NKey
from schemas.content import pad
from schemas.documents import Agency, Community, Enrolment, Hub, Keys, Membership, Revoke, Role, Root
from schemas.encoding import to_base64
from schemas.frame import BULLETIN, EPOCH, GENESIS, HEARTBEAT, Header, header_bytes, join, signed_message
from schemas.merkle import Tree
from schemas.signing import DOCUMENT_TYPE, ENROLMENT_TYPE, MEMBERSHIP_TYPE, key_id, sign_envelope
from schemas.subjects import FrameSubject
from schemas.vocabulary import Precedence, Realm
from schemas.wraps import Wrap, bundle, kem_key_id

HOUR = 3_600_000
FRESHNESS = 24 * HOUR


class Pair:
    """An Ed25519 pair (a `schemas.signing.Signer`)."""

    def __init__(self, seed: bytes | None = None) -> None:
        self._key = SigningKey(seed or os.urandom(32))
        self.public = bytes(self._key.verify_key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message).signature


def document(content: Root | Hub | Agency | Keys | Revoke | Community, *signers: Pair) -> bytes:
    """A directory document signed by the signers."""
    return sign_envelope(DOCUMENT_TYPE, content.to_bytes(), signers).to_bytes()


@dataclass
class Secretariat:
    """One root key and one registrar key."""

    root: Pair = field(default_factory=Pair)
    registrar: Pair = field(default_factory=Pair)

    def root_document(self, now: int) -> bytes:
        roles = [Role(keys=[to_base64(pair.public)], threshold=1) for pair in (self.root, self.registrar)]
        return document(
            Root(
                version=1,
                issued=now,
                root=roles[0],
                registrar=roles[1],
                witnesses=[],
                quorum=0,
                freshness=FRESHNESS,
            ),
            self.root,
        )

    def hub_document(self, key: bytes, now: int) -> bytes:
        return document(Hub(version=1, issued=now, name="Hub", key=to_base64(key)), self.registrar)

    def agency_document(self, kit: "AgencyKit", now: int) -> bytes:
        identity = to_base64(kit.identity.public)
        content = Agency(version=1, issued=now, id=kit.id, name=kit.name, code=kit.code, identity=identity)
        return document(content, self.registrar)


@dataclass
class AgencyKit:
    """An agency's keys. `endpoint` is the account key that the hub gave it."""

    id: str
    name: str = "Agency"
    code: str = "AGY"
    endpoint: str = field(default_factory=lambda: NKey.generate(KeyKind.ACCOUNT).public)
    identity: Pair = field(default_factory=Pair)
    signing: Pair = field(default_factory=Pair)
    kem: bytes = field(default_factory=lambda: os.urandom(1216))
    user: NKey = field(default_factory=lambda: NKey.generate(KeyKind.USER))

    @property
    def kid(self) -> str:
        return key_id(self.signing.public).hex()

    def enrolment(self, now: int) -> bytes:
        identity = to_base64(self.identity.public)
        request = Enrolment(
            issued=now, id=self.id, name=self.name, code=self.code, identity=identity, user=self.user.public
        )
        return sign_envelope(ENROLMENT_TYPE, request.to_bytes(), [self.identity]).to_bytes()

    def keys_document(self, now: int, version: int = 1, endpoint: str = "") -> bytes:
        content = Keys(
            version=version,
            issued=now,
            agency=self.id,
            endpoint=endpoint or self.endpoint,
            signing=to_base64(self.signing.public),
            kem=to_base64(self.kem),
        )
        return document(content, self.identity)

    def revocation(self, now: int, kid: str = "") -> bytes:
        return document(Revoke(issued=now, agency=self.id, kid=kid or self.kid), self.identity)


@dataclass
class Circle:
    """A community and its membership log, as its one signing owner keeps it."""

    owner: AgencyKit
    realm: Realm = Realm.LIVE
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    entries: list[bytes] = field(default_factory=list)

    def document(self, now: int) -> bytes:
        content = Community(issued=now, id=self.id, realm=self.realm, owners=[self.owner.id], threshold=1)
        return document(content, self.owner.identity)

    def change(
        self, agency: str, now: int, *, op: str = "add", role: str = "member", nbf: int | None = None
    ) -> bytes:
        prev = sha256(self.entries[-1]).hexdigest() if self.entries else GENESIS
        entry = Membership.model_validate(
            {
                "com": self.id,
                "index": len(self.entries),
                "prev": prev,
                "issued": now,
                "op": op,
                "id": agency,
                "role": role,
                "nbf": now if nbf is None else nbf,
            }
        )
        data = sign_envelope(MEMBERSHIP_TYPE, entry.to_bytes(), [self.owner.identity]).to_bytes()
        self.entries.append(data)
        return data


@dataclass
class Chain:
    """One chain of frames. `make` gives the next; `refused` takes the last one back."""

    kit: AgencyKit
    circle: Circle
    precedence: Precedence = Precedence.ROUTINE
    seq: int = 0
    prev: str = GENESIS
    _before: tuple[int, str] = (0, GENESIS)

    @property
    def subject(self) -> FrameSubject:
        return FrameSubject(self.circle.realm, self.circle.id, self.precedence, self.kit.endpoint)

    def make(self, now: int, kind: str = BULLETIN, text: bytes = b"", **changed: object) -> bytes:
        """The next frame. `changed` header fields are signed as they are given."""
        raw = self.build(now, kind, text, **changed)
        self._before = (self.seq, self.prev)
        self.seq, self.prev = self.seq + 1, sha256(raw).hexdigest()
        return raw

    def refused(self) -> None:
        """The hub refused the last one: what follows takes its place."""
        self.seq, self.prev = self._before

    def build(self, now: int, kind: str = BULLETIN, text: bytes = b"", **changed: object) -> bytes:
        """A frame for the chain's present end, without moving on."""
        head = Tree().head
        header = Header(
            v=1,
            k=kind,
            rl=self.circle.realm,
            pr=self.precedence,
            com=self.circle.id,
            pub=self.kit.endpoint,
            kid=self.kit.kid,
            ep=1,
            seq=self.seq,
            prev=self.prev,
            id=str(uuid_utils.uuid7()),
            iat=now,
            exp=now + HOUR,
            pc=sha256(text).hexdigest(),
        )
        if kind in {EPOCH, HEARTBEAT}:
            header = header._replace(pc="0" * 64, dir=head, mem=head)
        if kind == EPOCH:
            header = header._replace(kc=sha256(b"kc").hexdigest(), hist="none")
        if kind == HEARTBEAT:
            header = header._replace(heads=((0, GENESIS), (0, GENESIS)))
        signed = header_bytes(header._replace(**changed))  # type: ignore[arg-type]
        body = b"" if kind in {EPOCH, HEARTBEAT} else seal(text, signed)
        return join(signed, self.kit.signing.sign(signed_message(signed, body)), body)


def seal(text: bytes, header: bytes) -> bytes:
    """A body that nobody here will open: nonce and ciphertext under a key of its own."""
    nonce = os.urandom(24)
    padded = pad(os.urandom(32), text)
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(padded, header, nonce, os.urandom(32))


def wraps(announcement: bytes, *recipients: AgencyKit) -> bytes:
    """A bundle for one announcement."""
    hash = sha256(announcement).digest()
    return bundle([Wrap(hash, kem_key_id(kit.kem), os.urandom(1168)) for kit in recipients])


def renewed(kit: AgencyKit) -> AgencyKit:
    """The same endpoint with a new signing key and a new encryption key."""
    return replace(kit, signing=Pair(), kem=os.urandom(1216))


def flipped(frame: bytes, signature: bytes) -> bytes:
    """The same frame with another signature."""
    start = 3 + int.from_bytes(frame[1:3], "big")
    return frame[:start] + signature + frame[start + 64 :]
