"""Beginning a new epoch: one key wrapped for every member, against bare HPKE encryptions to the same keys."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from schemas.content import wrap_info
from schemas.directory import Directory
from schemas.documents import KEM_KEY_SIZE, Keys
from schemas.encoding import from_base64
from schemas.signing import MEMBERSHIP_TYPE
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence, Realm
from schemas.wraps import kem_key_id
from subscribers.exchange.composer import WRAPS, Context, Item, OwnChain, compose
from tests.bench.measure import Result, Work, duration
from tests.support import federation

_MLKEM: Final = 1184


def measure(sizes: Sequence[int], rounds: int) -> list[Result]:
    """`rotation_N` for communities of N members besides the publisher."""
    directory, owner = agencies(max(sizes))
    return [_rotation(directory, owner, size, rounds) for size in sizes]


def _rotation(directory: Directory, owner: federation.Party, size: int, rounds: int) -> Result:
    community = f"{size:032x}"
    known = with_members(directory, owner, community, size)
    place = FrameSubject(Realm.LIVE, community, Precedence.ROUTINE, owner.endpoint)
    item = Item("b", federation.uuid(1), federation.bulletin(1, owner).to_bytes(), History.MEMBERS)
    context = Context(known, owner.kid, owner.signing, federation.AT, 1, lambda: federation.uuid(2))
    recipients = [keys for keys in known.endpoints.values() if keys.endpoint != owner.endpoint][:size]
    made = compose(item, place, OwnChain(), context)
    wrapped = sum(each.kind == WRAPS for each in made.submissions)
    if not wrapped:
        raise ValueError("nothing was wrapped")

    def work() -> int:
        compose(item, place, OwnChain(), replace(context, next_epoch=2))
        return 1

    return duration(f"rotation_{size}", work, _bare(recipients), rounds, f"{size} HPKE encryptions (X-Wing)")


def _bare(recipients: Sequence[Keys]) -> Work:
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    secret, announcement = bytes(32), sha256(b"e").digest()
    targets = []
    for each in recipients:
        public = from_base64(each.kem, KEM_KEY_SIZE)
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:_MLKEM]),
            X25519PublicKey.from_public_bytes(public[_MLKEM:]),
        )
        targets.append((key, wrap_info(announcement, kem_key_id(public), each.endpoint)))

    def work() -> int:
        for key, info in targets:
            suite.encrypt(secret, key, info)
        return 1

    return work


def agencies(members: int) -> tuple[Directory, federation.Party]:
    """A directory with a publisher and so many other agencies."""
    first, second, *_ = federation.documents()
    directory = Directory.pinned(first, sha256(first).digest()).apply(second)
    parties = [federation.Party(f"b{number}", code(number)) for number in range(members + 1)]
    for party in parties:
        directory = directory.apply(federation.envelope(party.agency(), federation.REGISTRAR))
        directory = directory.apply(federation.envelope(party.keys(), party.identity))
    return directory, parties[0]


def with_members(directory: Directory, owner: federation.Party, community: str, size: int) -> Directory:
    """The directory with a community of the owner's, in which so many of the others are."""
    founded = federation.community(id=community, owners=[owner.id], threshold=1)
    directory = directory.apply(federation.envelope(founded, owner.identity))
    log: list[bytes] = []
    for number in range(size + 1):
        entry = federation.entry(log, com=community, id=f"b{number}")
        log.append(federation.envelope(entry, owner.identity, type=MEMBERSHIP_TYPE))
        directory = directory.apply_membership(log[-1])
    return directory


def code(number: int) -> str:
    """Three capital letters for a number."""
    return "".join(chr(ord("A") + number // 26**place % 26) for place in (2, 1, 0))
