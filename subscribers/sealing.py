"""Seal and open: the one place where content meets its keys. FORMAT.md, "Content", "Epochs" and "Wraps".

Content is XChaCha20-Poly1305 with the signed header as associated data, so a ciphertext cannot be taken into
another community, publisher or place in a chain. Epoch keys travel in HPKE with X-Wing. Keys, randomness and
the place in the chain are passed in; nothing here keeps state.
"""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from schemas.chain import ChainHead
from schemas.content import aead_key, key_commitment, pad, plaintext_commitment, unpad, wrap_info
from schemas.documents import KEM_KEY_SIZE, Keys
from schemas.encoding import from_base64
from schemas.errors import Code, OperationError, SealError, TrustError
from schemas.frame import (
    EPOCH,
    HEARTBEAT,
    NO_COMMITMENT,
    VERSION,
    Frame,
    Header,
    header_bytes,
    join,
    signed_message,
)
from schemas.limits import NONCE_SIZE, SALT_SIZE
from schemas.merkle import Head
from schemas.reply import SealedReply, reply_aead_key, reply_commitment, reply_info
from schemas.signing import Signer
from schemas.subjects import FrameSubject
from schemas.vocabulary import History
from schemas.wraps import Wrap, kem_key_id
from subscribers.keys import SEED_SIZE, KemKey, Secret

_MLKEM_PUBLIC_SIZE: Final = 1184
_SELF_TEST_KID: Final = bytes.fromhex("3bb0b003f553f49f38bab31546b7f4fd")

Random = Callable[[int], bytes]


class EpochKey(Secret):
    """A publisher's content key in one community for one epoch. `commitment` is its `kc`."""

    __slots__ = ("aead", "commitment")

    def __init__(self, value: bytes) -> None:
        super().__init__(value)
        self.aead = Secret(aead_key(value))
        self.commitment: bytes = key_commitment(value)


def seal(  # noqa: PLR0913 - the header's fields, each decided by the caller
    place: FrameSubject,
    *,
    kind: str,
    kid: str,
    ep: int,
    head: ChainHead,
    id: str,
    iat: int,
    exp: int,
    payload: bytes,
    epoch_key: EpochKey,
    signer: Signer,
    random: Random = os.urandom,
) -> bytes:
    """A signed frame of kind `b` or `c`, next after `head`, with the payload sealed in it.

    `kid` names the signer's key (hex), `id` is a UUIDv7, `iat` and `exp` are Unix milliseconds. SealError
    `too_large` for a payload beyond 64 KiB.
    """
    fresh = random(SALT_SIZE + NONCE_SIZE)
    salt, nonce = fresh[:SALT_SIZE], fresh[SALT_SIZE:]
    padded = pad(salt, payload)
    commitment = plaintext_commitment(salt, payload).hex()
    header = header_bytes(_header(place, kind, kid, ep, head, (id, iat, exp, commitment)))
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(padded, header, nonce, bytes(epoch_key.aead))
    body = nonce + sealed
    return join(header, signer.sign(signed_message(header, body)), body)


def announce(  # noqa: PLR0913 - the header's fields, each decided by the caller
    place: FrameSubject,
    *,
    kid: str,
    ep: int,
    head: ChainHead,
    id: str,
    iat: int,
    exp: int,
    dir: Head,  # noqa: A002 - the field's name
    mem: Head,
    hist: History,
    epoch_key: EpochKey,
    signer: Signer,
) -> bytes:
    """A signed announcement of an epoch (`e`), next after `head`.

    `dir` and `mem` are the heads of the directory and the membership log that the publisher knows.
    """
    header = _header(place, EPOCH, kid, ep, head, (id, iat, exp, NO_COMMITMENT))
    kc = epoch_key.commitment.hex()
    return _bare(header._replace(dir=dir, mem=mem, kc=kc, hist=hist.value), signer)


def heartbeat(  # noqa: PLR0913 - the header's fields, each decided by the caller
    place: FrameSubject,
    *,
    kid: str,
    ep: int,
    head: ChainHead,
    id: str,
    iat: int,
    exp: int,
    dir: Head,  # noqa: A002 - the field's name
    mem: Head,
    heads: tuple[ChainHead, ChainHead],
    signer: Signer,
) -> bytes:
    """A signed heartbeat (`h`), next after `head`; `heads`: the routine and the flash chain's, before it."""
    header = _header(place, HEARTBEAT, kid, ep, head, (id, iat, exp, NO_COMMITMENT))
    routine, flash = ((each.seq + 1, each.hash) for each in heads)
    return _bare(header._replace(dir=dir, mem=mem, heads=(routine, flash)), signer)


def open_body(frame: Frame, epoch_key: EpochKey) -> tuple[bytes, bytes]:
    """Salt and payload of a frame of kind `b` or `c`: AEAD, then padding, then the signed commitment.

    Raises SealError `decryption_failed`, `bad_padding` or `commitment_mismatch`.
    """
    nonce, sealed = frame.body[:NONCE_SIZE], frame.body[NONCE_SIZE:]
    try:
        padded = crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed, frame.header_bytes, nonce, bytes(epoch_key.aead)
        )
    except CryptoError:
        raise SealError(Code.DECRYPTION_FAILED, "the epoch's key does not open this frame") from None
    salt, payload = unpad(padded)
    if plaintext_commitment(salt, payload).hex() != frame.header.pc:
        raise SealError(Code.COMMITMENT_MISMATCH, "the plaintext is not the one that the header commits to")
    return salt, payload


def wrap(epoch_key: EpochKey, announcement: bytes, recipient: Keys) -> Wrap:
    """The epoch key for one endpoint; `announcement` is the SHA-256 of the epoch's `e` frame (32 bytes).

    Raises TrustError `bad_key` for a recipient whose key nobody can encrypt to: leave that recipient out.
    """
    try:
        return _wrap(epoch_key, announcement, from_base64(recipient.kem, KEM_KEY_SIZE), recipient.endpoint)
    except ValueError:
        message = f"the encryption key of {recipient.endpoint} is unusable"
        raise TrustError(Code.BAD_KEY, message, f"ask {recipient.agency} to make new keys") from None


def unwrap(wrapped: Wrap, announcement: bytes, kem: KemKey, endpoint: str, kc: bytes) -> EpochKey:
    """The epoch key in a wrap for this endpoint; `kc` is what the signed announcement says of it (32 bytes).

    Raises SealError: `bad_wrap` when it is not for this key, endpoint and announcement, or was changed;
    `key_mismatch` when it holds another key than was announced.
    """
    if wrapped.kid != kem.kid or wrapped.announcement != announcement:
        raise SealError(Code.BAD_WRAP, "the wrap is for another key or another epoch")
    try:
        opened = _suite().decrypt(wrapped.ciphertext, kem.private, wrap_info(announcement, kem.kid, endpoint))
    except (InvalidTag, ValueError):
        raise SealError(Code.BAD_WRAP, "the wrap does not open with this endpoint's key") from None
    if len(opened) != SEED_SIZE or key_commitment(opened) != kc:
        raise SealError(Code.KEY_MISMATCH, "the wrap holds another key than its publisher announced")
    return EpochKey(opened)


def seal_reply(
    content: bytes, context: bytes, recipients: Sequence[Keys], random: Random = os.urandom
) -> tuple[SealedReply, set[str]]:
    """A reply for these endpoints alone, in the frame that `context` names (`schemas.reply`), and the
    endpoints that can read it: a key that nobody can encrypt to is passed over.

    SealError `too_large` for a content beyond 64 KiB.
    """
    fresh = random(SEED_SIZE + SALT_SIZE + NONCE_SIZE)
    secret, salt, nonce = fresh[:SEED_SIZE], fresh[SEED_SIZE:-NONCE_SIZE], fresh[-NONCE_SIZE:]
    padded = pad(salt, content)
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(padded, context, nonce, reply_aead_key(secret))
    keys: dict[str, bytes] = {}
    for each in recipients:
        try:
            kid, key = _recipient(from_base64(each.kem, KEM_KEY_SIZE))
            keys[each.endpoint] = _suite().encrypt(secret, key, reply_info(context, kid, each.endpoint))
        except ValueError:
            continue
    made = SealedReply(reply_commitment(salt, content), tuple(keys.values()), nonce + sealed)
    return made, set(keys)


def open_reply(
    sealed: SealedReply, context: bytes, kems: Sequence[KemKey], endpoint: str
) -> tuple[bytes, bytes] | None:
    """Salt and content of a reply that is for this endpoint; None for one that is not.

    Raises SealError `decryption_failed`, `bad_padding` or `commitment_mismatch`.
    """
    secret = next((found for kem in kems if (found := _reply_key(sealed, context, kem, endpoint))), None)
    if secret is None:
        return None
    nonce, body = sealed.body[:NONCE_SIZE], sealed.body[NONCE_SIZE:]
    try:
        padded = crypto_aead_xchacha20poly1305_ietf_decrypt(body, context, nonce, reply_aead_key(secret))
    except CryptoError:
        raise SealError(Code.DECRYPTION_FAILED, "the key in the sealed reply does not open it") from None
    salt, content = unpad(padded)
    if reply_commitment(salt, content) != sealed.commitment:
        raise SealError(Code.COMMITMENT_MISMATCH, "the reply is not the one that its frame commits to")
    return salt, content


def self_test(kid: bytes = _SELF_TEST_KID) -> None:
    """That this build derives the keys that others do, wraps and unwraps. OperationError `bad_settings`.

    `kid` names the public key that every build derives from a seed of zeros.
    """
    kem = KemKey(bytes(SEED_SIZE))
    if kem.kid != kid:
        fix = "install the wheel of `cryptography` from PyPI, not the system's package"
        raise OperationError(Code.BAD_SETTINGS, "X-Wing keys do not come out as they should", fix)
    key, announcement = EpochKey(bytes(SEED_SIZE)), bytes(SEED_SIZE)
    made = _wrap(key, announcement, kem.public, "self-test")
    unwrap(made, announcement, kem, "self-test", key.commitment)


def _wrap(epoch_key: EpochKey, announcement: bytes, public: bytes, endpoint: str) -> Wrap:
    kid, key = _recipient(public)
    return Wrap(
        announcement, kid, _suite().encrypt(bytes(epoch_key), key, wrap_info(announcement, kid, endpoint))
    )


def _reply_key(sealed: SealedReply, context: bytes, kem: KemKey, endpoint: str) -> bytes | None:
    # They are not named, so that nobody else learns whom the reply is for: each is tried.
    info = reply_info(context, kem.kid, endpoint)
    for each in sealed.keys:
        try:
            return _suite().decrypt(each, kem.private, info)
        except (InvalidTag, ValueError):
            continue
    return None


@lru_cache(maxsize=2048)
def _recipient(public: bytes) -> tuple[bytes, MLKEM768X25519PublicKey]:
    # Remembered, for the next epoch goes to the same ones: to read a key costs a third of a wrap.
    key = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_SIZE]),
        X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_SIZE:]),
    )
    return kem_key_id(public), key


@lru_cache(maxsize=1)
def _suite() -> Suite:
    # Made when it is first needed: a build without ML-KEM is then told from others by KemKey, with a code.
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def _header(
    place: FrameSubject, kind: str, kid: str, ep: int, head: ChainHead, rest: tuple[str, int, int, str]
) -> Header:
    realm, community, precedence, publisher = place
    where = (realm.value, precedence.value, community, publisher)
    return Header(VERSION, kind, *where, kid, ep, head.seq + 1, head.hash, *rest)


def _bare(header: Header, signer: Signer) -> bytes:
    data = header_bytes(header)
    return join(data, signer.sign(signed_message(data, b"")), b"")
