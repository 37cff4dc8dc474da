"""A small federation made by the real code from fixed seeds: who signs what, and a reader to show it to.

Four agencies (`fra`, `jpn`, `unx`, `bra`), of which the first three are in the live community `COM` (owned by
the first two together; `unx` may only read) and the first two in the exercise `EXE` (owned by `fra`).
Whatever a test wants wrong, it takes apart and signs again: `forge` and `envelope` ask no questions.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from hashlib import sha256, shake_256
from typing import Any, Final, ParamSpec

import nkeys

from schemas.bulletin import Bulletin
from schemas.chain import ChainHead, ChainKey
from schemas.directory import Directory
from schemas.documents import Agency, Community, Hub, Keys, Membership, Revoke, Role, Root, Witness
from schemas.encoding import canonical_json, instant, to_base64
from schemas.errors import Code, LiaisonError
from schemas.frame import BULLETIN, Header, header_bytes, join, parse_frame, signed_message
from schemas.membership import GENESIS
from schemas.signing import DOCUMENT_TYPE, MEMBERSHIP_TYPE, Signer, key_id, sign_envelope
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence, Realm
from subscribers.judging.reading import Reading
from subscribers.judging.trust import (
    Announced,
    Chain,
    Epoch,
    EpochId,
    LogBehind,
    Reader,
    Refused,
    Verdict,
    receive,
)
from subscribers.keys import KemKey, SigningKey
from subscribers.sealing import EpochKey, announce, heartbeat, seal

P = ParamSpec("P")
BEGINNING: Final = ChainHead()
AT: Final = 1_769_848_200_000
"""2026-01-31T08:30:00Z"""
DAY: Final = 24 * 3600 * 1000
COM: Final = "c0" * 16
EXE: Final = "ec" * 16
OTHER: Final = "07" * 16


def seed(name: str) -> bytes:
    """32 bytes that nobody else has."""
    return shake_256(f"liaison federation {name}".encode()).digest(32)


def random_from(name: str) -> Callable[[int], bytes]:
    """Randomness that is the same each time."""
    return lambda size: shake_256(f"liaison federation random {name}".encode()).digest(size)


def uuid(number: int) -> str:
    """A UUIDv7 for a number."""
    return f"019c132c-df40-7000-8000-{number:012x}"


class Party:
    """An agency with one endpoint, and all of its private keys."""

    def __init__(self, id: str, code: str) -> None:
        self.id, self.code = id, code
        self.identity = SigningKey(seed(f"{id} identity"))
        self.signing = SigningKey(seed(f"{id} signing"))
        self.next_signing = SigningKey(seed(f"{id} next signing"))
        self.kem = KemKey(seed(f"{id} kem"))
        encoded = nkeys.encode_seed(seed(f"{id} account"), nkeys.PREFIX_BYTE_ACCOUNT)
        self.endpoint: str = nkeys.from_seed(bytearray(encoded)).public_key.decode()

    @property
    def kid(self) -> str:
        """The id of the signing key."""
        return key_id(self.signing.public).hex()

    def agency(self, **changes: Any) -> Agency:
        """The document that the registrar signs."""
        fields = {"version": 1, "issued": AT, "id": self.id, "name": f"Agency {self.id}", "code": self.code}
        return Agency.model_validate({**fields, "identity": to_base64(self.identity.public), **changes})

    def keys(self, **changes: Any) -> Keys:
        """The document that the agency signs itself."""
        fields = {"version": 1, "issued": AT, "agency": self.id, "endpoint": self.endpoint}
        public = {"signing": to_base64(self.signing.public), "kem": to_base64(self.kem.public)}
        return Keys.model_validate({**fields, **public, **changes})

    def revoke(self, **changes: Any) -> Revoke:
        """The end of the signing key."""
        return Revoke.model_validate({"issued": AT, "agency": self.id, "kid": self.kid, **changes})

    def successor(self) -> bytes:
        """The document that puts the next signing key in the place of the first."""
        return envelope(self.keys(version=2, signing=to_base64(self.next_signing.public)), self.identity)

    def revocation(self) -> bytes:
        """The document that revokes the first signing key."""
        return envelope(self.revoke(), self.identity)


FRA: Final = Party("fra", "FRA")
JPN: Final = Party("jpn", "JPN")
UNX: Final = Party("unx", "UNX")
BRA: Final = Party("bra", "BRA")
PARTIES: Final = (FRA, JPN, UNX, BRA)
ROOTS: Final = tuple(SigningKey(seed(f"root {number}")) for number in range(4))
REGISTRAR: Final = SigningKey(seed("registrar"))
HUB: Final = SigningKey(seed("hub"))
WITNESSES: Final = tuple(SigningKey(seed(f"witness {number}")) for number in range(4))
FRESHNESS: Final = 24 * 3600 * 1000


def envelope(document: Any, *signers: Signer, type: str = DOCUMENT_TYPE) -> bytes:
    """A document (a model, or any JSON value) signed by these keys."""
    payload = document.to_bytes() if hasattr(document, "to_bytes") else canonical_json(document)
    return sign_envelope(type, payload, signers).to_bytes()


def witness(number: int, **changes: Any) -> Witness:
    """One that the root may name."""
    key = to_base64(WITNESSES[number].public)
    return Witness.model_validate({"name": f"witness-{number}.example", "key": key, **changes})


def root(**changes: Any) -> Root:
    """Two of three root keys, one registrar, two of three witnesses."""
    keys = Role(keys=[to_base64(key.public) for key in ROOTS[:3]], threshold=2)
    registrar = Role(keys=[to_base64(REGISTRAR.public)], threshold=1)
    watch = {"witnesses": [witness(n) for n in range(3)], "quorum": 2, "freshness": FRESHNESS}
    fields = {"version": 1, "issued": AT, "root": keys, "registrar": registrar, **watch, **changes}
    return Root.model_validate(fields)


def community(**changes: Any) -> Community:
    """The live community, owned by two."""
    fields = {"issued": AT, "id": COM, "realm": "live", "owners": ["fra", "jpn"], "threshold": 2}
    return Community.model_validate({**fields, **changes})


def documents() -> list[bytes]:
    """The directory, in order."""
    hub = Hub(version=1, issued=AT, name="Coordinating Centre", key=to_base64(HUB.public))
    return [
        envelope(root(), ROOTS[0], ROOTS[1]),
        envelope(hub, REGISTRAR),
        *(envelope(each.agency(), REGISTRAR) for each in PARTIES),
        *(envelope(each.keys(), each.identity) for each in PARTIES),
        envelope(community(), FRA.identity, JPN.identity),
        envelope(community(id=EXE, realm="exercise", owners=["fra"], threshold=1), FRA.identity),
        envelope(community(id=OTHER, owners=["fra"], threshold=1), FRA.identity),
    ]


def entry(log: Iterable[bytes], **changes: Any) -> Membership:
    """The next entry of `COM` or another community (`com`) after those in `log`: `jpn` as a member."""
    entries = list(log)
    prev = sha256(entries[-1]).hexdigest() if entries else GENESIS
    fields = {"com": COM, "index": len(entries), "prev": prev, "issued": AT, "nbf": AT - DAY}
    return Membership.model_validate({**fields, "op": "add", "id": "jpn", "role": "member", **changes})


def by_owners(document: Membership) -> bytes:
    """Signed as the community demands."""
    owners = (FRA.identity, JPN.identity) if document.com == COM else (FRA.identity,)
    return envelope(document, *owners, type=MEMBERSHIP_TYPE)


def memberships() -> dict[str, list[bytes]]:
    """The membership logs, by community."""
    logs: dict[str, list[bytes]] = {COM: [], EXE: [], OTHER: []}
    for com, id, role in (
        (COM, "fra", "member"),
        (COM, "jpn", "member"),
        (COM, "unx", "reader"),
        (EXE, "fra", "member"),
        (EXE, "jpn", "member"),
        (OTHER, "fra", "member"),
        (OTHER, "jpn", "member"),
    ):
        logs[com].append(by_owners(entry(logs[com], com=com, id=id, role=role)))
    return logs


def directory(more: Iterable[bytes] = (), entries: Iterable[bytes] = ()) -> Directory:
    """Everything applied, then these documents and membership entries."""
    grown = _base()
    for each in more:
        grown = grown.apply(each)
    for each in entries:
        grown = grown.apply_membership(each)
    return grown


class _Base:
    @cached_property
    def directory(self) -> Directory:
        first, *rest = documents()
        grown = Directory.pinned(first, sha256(first).digest())
        for each in rest:
            grown = grown.apply(each)
        for log in memberships().values():
            for each in log:
                grown = grown.apply_membership(each)
        return grown


_BASE: Final = _Base()


def _base() -> Directory:
    return _BASE.directory


def place(party: Party = FRA, com: str = COM, precedence: Precedence = Precedence.ROUTINE) -> FrameSubject:
    """Where a party's frames stand."""
    realm = Realm.EXERCISE if com == EXE else Realm.LIVE
    return FrameSubject(realm, com, precedence, party.endpoint)


def bulletin(number: int, party: Party = FRA, **changes: Any) -> Bulletin:
    """A short tactic bulletin with the id `uuid(number)`."""
    fields: dict[str, Any] = {
        "kind": "tactic",
        "title": f"Bulletin {number}",
        "language": "en",
        "severity": "low",
        "tlp": "TLP:AMBER",
        "history": "members",
        "id": uuid(number),
        "ref": f"{party.code}-2026-{number:04d}",
        "issued": instant(AT),
    }
    return Bulletin.model_validate({**fields, **changes})


def forge(header: Header | bytes, body: bytes, signer: Signer, *, type: bytes | None = None) -> bytes:
    """A frame of any header and body, honestly signed (under another payload type when one is given)."""
    data = header if isinstance(header, bytes) else header_bytes(header)
    message = signed_message(data, body)
    if type is not None:
        content = data + sha256(body).digest()
        message = b"DSSEv1 %d %b %d %b" % (len(type), type, len(content), content)
    return join(data, signer.sign(message), body)


@dataclasses.dataclass
class Publisher:
    """One chain of one party, and what it has sent."""

    party: Party = FRA
    com: str = COM
    precedence: Precedence = Precedence.ROUTINE
    head: ChainHead = BEGINNING
    ep: int = 0
    iat: int = AT
    at: Directory = dataclasses.field(default_factory=directory)
    sent: list[bytes] = dataclasses.field(default_factory=list)
    signer: Signer | None = None

    @property
    def place(self) -> FrameSubject:
        """Where its frames stand."""
        return place(self.party, self.com, self.precedence)

    @property
    def subject(self) -> str:
        """Their subject once admitted."""
        return self.place.traffic()

    @property
    def key(self) -> EpochKey:
        """The current epoch's key."""
        return EpochKey(seed(f"epoch {self.party.id} {self.com} {self.ep}"))

    @property
    def logs(self) -> dict[str, Any]:
        """The heads that it cites."""
        return {"dir": self.at.head, "mem": self.at.communities[self.com].head}

    def stamp(self, id: str) -> dict[str, Any]:
        """Key, epoch, id and times."""
        signer = self.signer or self.party.signing
        kid = key_id(signer.public).hex()
        fields = {"kid": kid, "ep": self.ep, "id": id, "iat": self.iat, "exp": self.iat + 30 * DAY}
        return {**fields, "head": self.head, "signer": signer}

    def send(self, raw: bytes) -> bytes:
        """Put a message on the chain."""
        self.head = self.head.then(raw)
        self.sent.append(raw)
        return raw

    def rekey(self) -> None:
        """Go on with the next signing key and a new epoch, as everybody must who was given a new key."""
        self.signer, self.ep = self.party.next_signing, self.ep + 1
        self.send(self.announcement())

    def announcement(self, hist: History = History.MEMBERS, **changes: Any) -> bytes:
        """The next message: the current epoch's announcement."""
        fields = {**self.stamp(uuid(0xE000 + self.ep)), **self.logs, "hist": hist, "epoch_key": self.key}
        return announce(self.place, **{**fields, **changes})

    def beat(self, other: ChainHead = BEGINNING, **changes: Any) -> bytes:
        """The next message: a heartbeat; `other` is the other chain's head."""
        heads = (self.head, other) if self.precedence is Precedence.ROUTINE else (other, self.head)
        fields = {**self.stamp(uuid(0xB000 + self.head.seq + 1)), **self.logs, "heads": heads}
        return heartbeat(self.place, **{**fields, **changes})

    def sealed(self, payload: bytes, number: int, **changes: Any) -> bytes:
        """The next message: this payload, sealed, with the id `uuid(number)`."""
        random = random_from(f"{self.party.id} {self.com} {self.precedence} {number}")
        fields = {**self.stamp(uuid(number)), "kind": BULLETIN, "payload": payload, "epoch_key": self.key}
        return seal(self.place, **{**fields, "random": random, **changes})

    def bulletin(self, number: int, **changes: Any) -> bytes:
        """The next message: a bulletin."""
        return self.sealed(bulletin(number, self.party, **changes).to_bytes(), number)


@dataclasses.dataclass
class Station:
    """A reader with a memory, as the node has one."""

    party: Party = JPN
    directory: Directory = dataclasses.field(default_factory=directory)
    chains: dict[ChainKey, Chain] = dataclasses.field(default_factory=dict)
    epochs: dict[EpochId, Epoch] = dataclasses.field(default_factory=dict)
    keys: dict[bytes, EpochKey] = dataclasses.field(default_factory=dict)
    """By commitment: what the wraps brought."""
    withheld: frozenset[str] = frozenset()
    """Keys that no head vouches for."""

    @property
    def reader(self) -> Reader:
        """What the trust rules see."""
        return Reader(self.directory, self.party.id, self.chains, self.epochs, self.withheld)

    def judge(self, subject: str, raw: bytes, now: int = AT + 1000) -> Verdict:
        """The verdict, without acting on it."""
        return receive(self.reader, subject, raw, now)

    def take(self, subject: str, raw: bytes, now: int = AT + 1000) -> Verdict:
        """The verdict, acted on."""
        verdict = self.judge(subject, raw, now)
        self.apply(verdict)
        return verdict

    def read(
        self, messages: Sequence[tuple[str, bytes]], now: int = AT + 1000, *, each: bool = False
    ) -> list[Verdict]:
        """The verdicts on a batch, each acted on before the next."""
        reading, verdicts = Reading(messages, each=each), []
        for index in range(len(messages)):
            verdicts.append(reading.judge(self.reader, index, now))
            self.apply(verdicts[-1])
        return verdicts

    def apply(self, verdict: Verdict) -> None:
        """Act on a verdict."""
        if isinstance(verdict, LogBehind) or verdict.frame is None or verdict.chain is None:
            return
        self.chains[ChainKey.of(verdict.frame)] = verdict.chain
        if isinstance(verdict, Announced):
            key = self.keys.get(verdict.epoch.kc, verdict.epoch.key)
            self.epochs[verdict.id] = verdict.epoch._replace(key=key)

    def follow(self, publisher: Publisher) -> None:
        """Take everything that a publisher has sent; nothing of it may be refused."""
        self.keys |= {publisher.key.commitment: publisher.key}
        for raw in publisher.sent:
            verdict = self.take(publisher.subject, raw)
            if isinstance(verdict, Refused):
                raise verdict.error


def changed(raw: bytes, at: int, mask: int = 1) -> bytes:
    """The message with one byte changed."""
    return raw[:at] + bytes((raw[at] ^ mask,)) + raw[at + 1 :]


def unsigned(raw: bytes) -> bytes:
    """The frame with zeros for its signature."""
    frame = parse_frame(raw)
    return join(frame.header_bytes, bytes(64), frame.body)


def rewritten(raw: bytes, signer: Signer, change: Callable[[bytes], bytes]) -> bytes:
    """The frame with its header's text changed, honestly signed again."""
    frame = parse_frame(raw)
    return forge(change(frame.header_bytes), frame.body, signer)


def replaced(raw: bytes, signer: Signer, **fields: Any) -> bytes:
    """The frame with fields of its header changed, honestly signed again."""
    frame = parse_frame(raw)
    return forge(frame.header._replace(**fields), frame.body, signer)


def code_of(call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Code | None:
    """The code with which a call is refused; None when it is not."""
    try:
        call(*args, **kwargs)
    except LiaisonError as error:
        return error.code
    return None
