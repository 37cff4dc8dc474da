"""The worked example of schemas/FORMAT.md: a small world made by the real code from fixed seeds.

`python -m tests.support.format_example` writes it into FORMAT.md and schemas/published/examples.json;
tests/contract/test_format_text.py makes it again and compares. HPKE takes its own randomness, so the one wrap
is not made but recorded (wrap.hex beside the examples); that it opens is part of the test.
"""

import argparse
import json
import re
import sys
from base64 import b64decode
from functools import cached_property
from hashlib import sha256, shake_256
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import nkeys

from schemas.bulletin import Bulletin, Draft
from schemas.card import Card
from schemas.chain import ChainHead
from schemas.checkpoint import Checkpoint, Note, cosign, origin_of, sign_log
from schemas.content import pad, plaintext_commitment
from schemas.directory import Directory
from schemas.documents import (
    Agency,
    Community,
    Enrolment,
    Hub,
    Identity,
    Keys,
    LogSize,
    Membership,
    Object,
    Replace,
    Revoke,
    Role,
    Root,
    Witness,
)
from schemas.encoding import parse_json, to_base64
from schemas.evidence import AnnouncementPart, ContentPart, Evidence, FramePart, ReceiptPart
from schemas.exports import Export, prove
from schemas.frame import BULLETIN, CARD, parse_frame, signed_message
from schemas.history import HistoryRequest, sign_request
from schemas.limits import FRAME_MAX
from schemas.membership import GENESIS
from schemas.merkle import Head, Log
from schemas.operations import Operation, OperationKind, OperationState
from schemas.pages import PageRequest
from schemas.receipts import Answer, alone, issue
from schemas.signing import DOCUMENT_TYPE, ENROLMENT_TYPE, MEMBERSHIP_TYPE, Signer, key_id, sign_envelope
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence, Realm
from schemas.wraps import Wrap, bundle, parse_wrap
from subscribers.judging.showing import Kept, compose
from subscribers.keys import KemKey, SigningKey
from subscribers.sealing import EpochKey, announce, heartbeat, seal, wrap

ROOT: Final = Path(__file__).resolve().parents[2]
TEXT: Final = ROOT / "schemas" / "FORMAT.md"
EXAMPLES: Final = ROOT / "schemas" / "published" / "examples.json"
WRAP: Final = ROOT / "tests" / "vectors" / "format_example_wrap.hex"
Json: TypeAlias = Any
BEGIN: Final = "<!-- example: written by `python -m tests.support.format_example` -->"
END: Final = "<!-- /example -->"

AT: Final = 1_769_848_200_000
"""2026-01-31T08:30:00Z"""
WITNESSES: Final = ("icpo.example/witness", "unoct.example/witness", "osce.example/witness")
FRESHNESS: Final = 24 * 3600 * 1000
LIFE: Final = 30 * 24 * 3600 * 1000
COMMUNITY: Final = "5f1d7a84c3e94b0e9d2a6c7b18f0e35a"
BULLETIN_ID: Final = "019c132c-df40-7a10-8b5e-3f0a6d2c9e71"
_WIDTH: Final = 96


def seed(name: str) -> bytes:
    """32 bytes for a key: SHA-256 of `liaison example <name>`."""
    return sha256(f"liaison example {name}".encode()).digest()


def account(name: str) -> str:
    """A NATS account's public key."""
    pair = nkeys.from_seed(bytearray(nkeys.encode_seed(seed(f"{name} account"), nkeys.PREFIX_BYTE_ACCOUNT)))
    return str(pair.public_key.decode())


def user(name: str) -> str:
    """A NATS user's public key."""
    pair = nkeys.from_seed(bytearray(nkeys.encode_seed(seed(f"{name} nats"), nkeys.PREFIX_BYTE_USER)))
    return str(pair.public_key.decode())


def signing_key(name: str) -> SigningKey:
    """An Ed25519 key."""
    return SigningKey(seed(name))


def public(name: str) -> str:
    """Its public half in base64."""
    return to_base64(signing_key(name).public)


class Signed(Protocol):
    """A document that goes into an envelope."""

    def to_bytes(self) -> bytes:
        """Its canonical form."""


class World:
    """Two agencies, one community, one bulletin, and everything that is signed on the way."""

    fra = account("fra")
    jpn = account("jpn")
    place = FrameSubject(Realm.LIVE, COMMUNITY, Precedence.ROUTINE, fra)
    epoch_key = EpochKey(seed("epoch"))
    salt = seed("salt")
    nonce = seed("nonce")[:24]

    def document(self, document: Signed, *names: str, type: str = DOCUMENT_TYPE) -> bytes:
        """The document in its envelope, signed by the named keys."""
        signers: list[Signer] = [signing_key(name) for name in names]
        return sign_envelope(type, document.to_bytes(), signers).to_bytes()

    @cached_property
    def root(self) -> bytes:
        """Two of three root keys, one registrar."""
        keys = [public(f"root {n}") for n in (1, 2, 3)]
        registrar = Role(keys=[public("registrar")], threshold=1)
        root = Root(
            version=1,
            issued=AT,
            root=Role(keys=keys, threshold=2),
            registrar=registrar,
            witnesses=[Witness(name=name, key=public(f"witness {name}")) for name in WITNESSES],
            quorum=2,
            freshness=FRESHNESS,
        )
        return self.document(root, "root 1", "root 2")

    @cached_property
    def hub(self) -> bytes:
        """The hub's receipt key."""
        hub = Hub(version=1, issued=AT, name="Coordinating Centre", key=public("hub"))
        return self.document(hub, "registrar")

    def agency(self, id: str, name: str, code: str) -> bytes:
        """An agency's document."""
        agency = Agency(version=1, issued=AT, id=id, name=name, code=code, identity=public(f"{id} identity"))
        return self.document(agency, "registrar")

    def keys(self, id: str) -> Keys:
        """What an endpoint publishes of its keys."""
        kem = to_base64(KemKey(seed(f"{id} encryption")).public)
        signing = public(f"{id} signing")
        return Keys(version=1, issued=AT, agency=id, endpoint=account(id), signing=signing, kem=kem)

    @cached_property
    def community(self) -> bytes:
        """A community with one owner."""
        community = Community(issued=AT, id=COMMUNITY, realm=Realm.LIVE, owners=["fra"], threshold=1)
        return self.document(community, "fra identity")

    @cached_property
    def documents(self) -> list[bytes]:
        """The directory, in order."""
        agencies = (("fra", "Direction de la veille", "FRA"), ("jpn", "Liaison Bureau", "JPN"))
        return [
            self.root,
            self.hub,
            *(self.agency(*each) for each in agencies),
            *(self.document(self.keys(id), f"{id} identity") for id, _, _ in agencies),
            self.community,
        ]

    @cached_property
    def entries(self) -> list[bytes]:
        """The membership log: the owner itself, then a reader."""
        entries: list[bytes] = []
        for index, (id, role) in enumerate((("fra", "member"), ("jpn", "reader"))):
            prev = sha256(entries[-1]).hexdigest() if entries else GENESIS
            fields = {"com": COMMUNITY, "index": index, "prev": prev, "issued": AT, "op": "add", "nbf": AT}
            entry = Membership.model_validate({**fields, "id": id, "role": role})
            entries.append(self.document(entry, "fra identity", type=MEMBERSHIP_TYPE))
        return entries

    @cached_property
    def directory(self) -> Directory:
        """All of it, verified."""
        directory = Directory.pinned(self.documents[0], sha256(self.root).digest())
        for each in self.documents[1:]:
            directory = directory.apply(each)
        for each in self.entries:
            directory = directory.apply_membership(each)
        return directory

    @cached_property
    def revoke(self) -> bytes:
        """The end of the first agency's signing key; not part of the directory above."""
        kid = key_id(signing_key("fra signing").public).hex()
        return self.document(Revoke(issued=AT + LIFE, agency="fra", kid=kid), "fra identity")

    @cached_property
    def replacement(self) -> tuple[bytes, bytes, bytes]:
        """The first agency's identity key is to be another one; its present key objects, or the new one is
        taken up. Not part of the directory above.
        """
        new, later = public("fra new identity"), AT + LIFE
        say = Replace(issued=AT, agency="fra", identity=new, nbf=later)
        no = Object(issued=AT, agency="fra", identity=new)
        sizes = [LogSize(com=COMMUNITY, size=len(self.entries))]
        done = Identity(issued=later, agency="fra", identity=new, logs=sizes)
        signers = ("registrar", "fra identity", "fra new identity")
        said, objected, taken = map(self.document, (say, no, done), signers)
        return said, objected, taken

    @cached_property
    def enrolment(self) -> bytes:
        """What the first agency asked for."""
        request = Enrolment(
            issued=AT,
            id="fra",
            name="Direction de la veille",
            code="FRA",
            identity=public("fra identity"),
            user=user("fra"),
        )
        return self.document(request, "fra identity", type=ENROLMENT_TYPE)

    @cached_property
    def history_request(self) -> bytes:
        """The reader asks the publisher for the key of the epoch."""
        request = HistoryRequest(
            issued=AT + LIFE,
            com=COMMUNITY,
            endpoint=self.jpn,
            holder=self.fra,
            publisher=self.fra,
            epochs=[sha256(self.announcement).hexdigest()],
        )
        return sign_request(request, signing_key("jpn signing"))

    @cached_property
    def operation(self) -> Operation:
        """The publisher is told that it does not read."""
        return Operation(
            at=AT + LIFE,
            kind=OperationKind.LAG,
            about=self.fra,
            state=OperationState.RAISED,
            value=1200,
            limit=1000,
            code="",
        )

    def stamp(self, id: str) -> Json:
        """Key, epoch, id, times and signer of a frame."""
        signer = signing_key("fra signing")
        kid = key_id(signer.public).hex()
        return {"kid": kid, "ep": 0, "id": id, "iat": AT, "exp": AT + LIFE, "signer": signer}

    @cached_property
    def logs(self) -> Json:
        """Heads of both logs."""
        return {"dir": self.directory.head, "mem": self.directory.communities[COMMUNITY].head}

    @cached_property
    def announcement(self) -> bytes:
        """The epoch's announcement: the first frame of the chain."""
        return announce(
            self.place,
            **self.stamp("019c132c-df3f-7c42-9a01-64b7e0d5f218"),
            head=ChainHead(),
            **self.logs,
            hist=History.MEMBERS,
            epoch_key=self.epoch_key,
        )

    @cached_property
    def draft(self) -> Draft:
        """What the officer wrote."""
        return Draft.model_validate_json(
            json.dumps(
                {
                    "kind": "tactic",
                    "title": "Drone relay used to pass a checkpoint",
                    "body": "Two aircraft, one carrying a repeater.",
                    "language": "en",
                    "translations": [
                        {
                            "language": "fr",
                            "official": False,
                            "title": "Relais par drone pour franchir un poste",
                            "body": "Deux appareils, dont un répéteur.",
                        }
                    ],
                    "severity": "elevated",
                    "tlp": "TLP:AMBER",
                    "pap": "PAP:GREEN",
                    "history": "members",
                    "grading": {"system": "admiralty", "reliability": "B", "credibility": 2},
                    "likelihood": "likely",
                    "tactics": [{"taxonomy": "liaison", "id": "LT-0007", "name": "Relay"}],
                    "regions": ["FR", "JP-13"],
                }
            )
        )

    @cached_property
    def bulletin(self) -> Bulletin:
        """The draft with its identity."""
        fields = self.draft.model_dump()
        return Bulletin(**fields, id=BULLETIN_ID, ref="FRA-2026-0042", issued="2026-01-31T08:30:00Z")

    def sealed(self, kind: str, id: str, payload: bytes) -> bytes:
        """The second frame of the chain."""
        return seal(
            self.place,
            **self.stamp(id),
            kind=kind,
            head=ChainHead().then(self.announcement),
            payload=payload,
            epoch_key=self.epoch_key,
            random=lambda _: self.salt + self.nonce,
        )

    @cached_property
    def frame(self) -> bytes:
        """The bulletin, sealed."""
        return self.sealed(BULLETIN, self.bulletin.id, self.bulletin.to_bytes())

    @cached_property
    def card(self) -> Card:
        """What the owner calls the community."""
        return Card(slug="border-tactics", title="Tactics at borders", rules="Name no source.")

    @cached_property
    def card_frame(self) -> bytes:
        """The card, sealed (in the bulletin's place, for the example)."""
        return self.sealed(CARD, "019c132c-df41-7e07-a6d3-90c4b81f572e", self.card.to_bytes())

    @cached_property
    def beat(self) -> bytes:
        """A heartbeat after the bulletin."""
        head = ChainHead().then(self.announcement).then(self.frame)
        return heartbeat(
            self.place,
            **self.stamp("019c132e-b400-7d18-8c66-1be2f7a90435"),
            head=head,
            **self.logs,
            heads=(head, ChainHead()),
        )

    @cached_property
    def wrap(self) -> Wrap:
        """The recorded wrap of the epoch's key for the second agency."""
        return parse_wrap(bytes.fromhex(WRAP.read_text(encoding="ascii")))

    @cached_property
    def receipt(self) -> bytes:
        """The hub's answer to the first agency in a batch of three."""
        answers = [
            Answer(self.fra, sha256(self.announcement).hexdigest(), "admitted", AT + 4),
            Answer(self.jpn, sha256(b"a submission of another endpoint").hexdigest(), "not_member", AT + 4),
            Answer(self.fra, sha256(self.frame).hexdigest(), "admitted", AT + 4),
        ]
        return issue(answers, signing_key("hub"))[self.fra]

    @cached_property
    def note(self) -> bytes:
        """The directory's head as the hub and the witnesses signed it."""
        return self.note_of(self.directory.head)

    def note_of(self, head: Head) -> bytes:
        """Any head, signed so."""
        checkpoint = Checkpoint(origin_of(sha256(self.root).digest()), head)
        own = sign_log(checkpoint, checkpoint.origin, signing_key("hub"))
        others = [
            cosign(checkpoint, name, AT // 1000 + 60, signing_key(f"witness {name}")) for name in WITNESSES
        ]
        return Note(checkpoint, (own, *others)).to_bytes()

    @cached_property
    def evidence(self) -> Evidence:
        """What the first agency can show of the bulletin."""
        frame, announced = parse_frame(self.frame), parse_frame(self.announcement)
        kept = Kept(
            (FramePart.of(frame, sha256(frame.body).digest(), whole=True),),
            ContentPart(salt=self.salt.hex(), payload=self.bulletin.to_bytes().decode()),
            AnnouncementPart(
                header=announced.header_bytes.decode(), signature=to_base64(announced.signature)
            ),
            ReceiptPart.model_validate_json(alone(self.receipt, frame.hash)),
        )
        return compose(kept, self.documents, self.entries, self.directory, self.note)

    @cached_property
    def export(self) -> Export:
        """The whole directory in a file."""
        documents, entries = ([each.decode() for each in part] for part in (self.documents, self.entries))
        return Export(documents=documents, memberships=entries, note=self.note.decode())


def examples(world: World) -> dict[str, Json]:
    """One of each published shape, as JSON values."""

    def envelope(data: bytes) -> Json:
        return parse_json(data, FRAME_MAX)

    def inside(data: bytes) -> Json:
        return json.loads(b64decode(envelope(data)["payload"]))

    def header(raw: bytes) -> Json:
        return json.loads(parse_frame(raw).header_bytes)

    root, hub, agency, _, keys, _, community = world.documents
    return {
        "draft": world.draft.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
        "bulletin": json.loads(world.bulletin.to_bytes()),
        "card": json.loads(world.card.to_bytes()),
        "document-root": inside(root),
        "document-hub": inside(hub),
        "document-agency": inside(agency),
        "document-keys": inside(keys),
        "document-revoke": inside(world.revoke),
        "document-replace": inside(world.replacement[0]),
        "document-object": inside(world.replacement[1]),
        "document-identity": inside(world.replacement[2]),
        "document-community": inside(community),
        "membership": inside(world.entries[1]),
        "enrolment": inside(world.enrolment),
        "history-request": inside(world.history_request),
        "operation": json.loads(world.operation.to_bytes()),
        "page-request": json.loads(PageRequest(com=COMMUNITY, after=0).to_bytes()),
        "envelope": envelope(community),
        "directory-export": json.loads(world.export.to_bytes()),
        "directory-proof": json.loads(prove(world.export, "jpn", since=4).to_bytes()),
        "header-b": header(world.frame),
        "header-c": header(world.card_frame),
        "header-e": header(world.announcement),
        "header-h": header(world.beat),
        "receipt": envelope(world.receipt),
        "evidence": json.loads(world.evidence.to_bytes()),
        "admission": {
            "v": 1,
            "agency": "fra",
            "endpoint": world.fra,
            "user_jwt": "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.e30.AA",
            "urls": ["nats://hub.example:4222"],
            "websockets": ["wss://hub.example/nats"],
            "root": to_base64(root),
            "fingerprint": sha256(root).hexdigest(),
            "hub": {"name": "Coordinating Centre", "key": public("hub")},
        },
    }


def block(world: World) -> str:
    """The example as FORMAT.md shows it."""
    e, b = parse_frame(world.announcement), parse_frame(world.frame)
    kem = KemKey(seed("jpn encryption"))
    payload = world.bulletin.to_bytes()
    message = signed_message(b.header_bytes, b.body)
    heads, log = world.logs, Log(world.documents)
    rows: list[tuple[str, bytes | str]] = [
        ("fra signing key, seed", seed("fra signing")),
        ("fra signing key, public", signing_key("fra signing").public),
        ("its kid", key_id(signing_key("fra signing").public)),
        ("fra endpoint (PK)", world.fra),
        ("jpn encryption key, seed", seed("jpn encryption")),
        ("its expansion, SHAKE-256, 96 bytes", shake_256(seed("jpn encryption")).digest(96)),
        ("SHA-256 of its public key", sha256(kem.public).digest()),
        ("its kid", kem.kid),
        ("jpn endpoint (PK)", world.jpn),
        ("root version 1, SHA-256 (its fingerprint)", sha256(world.root).digest()),
        ("directory head", f"{heads['dir'].size} {heads['dir'].root.hex()}"),
        ("checkpoint, cosigned by three witnesses", world.note.decode()),
        ("inclusion proof of the community document (index 6 of 7)", _steps(log.inclusion(6, 7))),
        ("consistency proof from 4 documents to 7", _steps(log.consistency(4, 7))),
        ("membership head", f"{heads['mem'].size} {heads['mem'].root.hex()}"),
        ("community document, envelope", world.community.decode()),
        ("epoch key Ke", bytes(world.epoch_key)),
        ("K_aead", bytes(world.epoch_key.aead)),
        ("kc", world.epoch_key.commitment),
        ("e frame, header", e.header_bytes.decode()),
        ("e frame, signature", e.signature),
        ("e frame, SHA-256", bytes.fromhex(e.hash)),
        ("wrap for jpn (recorded)", world.wrap.to_bytes()),
        ("bundle with it, SHA-256", sha256(bundle([world.wrap])).digest()),
        ("payload", payload.decode()),
        ("salt", world.salt),
        ("pc", plaintext_commitment(world.salt, payload)),
        ("nonce", world.nonce),
        ("padded plaintext, size and SHA-256", _sized(pad(world.salt, payload))),
        ("b frame, header", b.header_bytes.decode()),
        ("signed message (PAE), size and SHA-256", _sized(message)),
        ("b frame, signature", b.signature),
        ("b frame, size and SHA-256", _sized(world.frame)),
        ("b frame", world.frame),
        ("receipt for fra", world.receipt.decode()),
    ]
    lines = [BEGIN, "```text"]
    for name, value in rows:
        text = value.hex() if isinstance(value, bytes) else value
        lines.append(f"{name}:")
        for line in text.split("\n")[: -1 if text.endswith("\n") else None]:
            lines += [f"  {line[at : at + _WIDTH]}" for at in range(0, len(line), _WIDTH)] or [""]
    return "\n".join([*lines, "```", END])


def _steps(proof: list[bytes]) -> bytes:
    return b"".join(proof)


def _sized(data: bytes) -> str:
    return f"{len(data)} {sha256(data).hexdigest()}"


def examples_text(world: World) -> str:
    """The content of examples.json."""
    return json.dumps(examples(world), indent=2, ensure_ascii=False) + "\n"


def with_block(text: str, world: World) -> str:
    """FORMAT.md with its example made anew."""
    found = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return found.sub(lambda _: block(world), text)


def main() -> int:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrap", action="store_true", help="record a new wrap as well")
    asked = parser.parse_args()
    world = World()
    if asked.wrap:
        made = wrap(world.epoch_key, sha256(world.announcement).digest(), world.keys("jpn"))
        WRAP.write_text(made.to_bytes().hex() + "\n", encoding="ascii")
    EXAMPLES.parent.mkdir(exist_ok=True)
    EXAMPLES.write_text(examples_text(world), encoding="utf-8")
    TEXT.write_text(with_block(TEXT.read_text(encoding="utf-8"), world), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
