import copy
import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.chain import ChainHead
from schemas.content import key_commitment, plaintext_commitment, wrap_info
from schemas.documents import Keys
from schemas.encoding import to_base64
from schemas.errors import Code, SealError
from schemas.frame import BULLETIN, parse_frame, signed_message
from schemas.signing import verify
from schemas.vocabulary import History
from schemas.wraps import Wrap, parse_wrap
from subscribers.keys import KemKey, Secret
from subscribers.sealing import EpochKey, announce, heartbeat, open_body, seal, self_test, unwrap, wrap
from tests.support.federation import (
    AT,
    FRA,
    JPN,
    UNX,
    changed,
    code_of,
    directory,
    place,
    random_from,
    seed,
    uuid,
)

KEY = EpochKey(seed("sealing epoch"))
OTHER = EpochKey(seed("sealing other epoch"))
STAMP: Any = {"kid": FRA.kid, "ep": 3, "id": uuid(1), "iat": AT, "exp": AT + 5}
ANNOUNCEMENT = bytes(range(32))


def sealed(payload: bytes) -> bytes:
    return seal(
        place(),
        kind=BULLETIN,
        kid=FRA.kid,
        ep=3,
        head=ChainHead(4, "1" * 64),
        id=uuid(1),
        iat=AT,
        exp=AT + 5,
        payload=payload,
        epoch_key=KEY,
        signer=FRA.signing,
        random=random_from("sealing"),
    )


@given(st.binary(max_size=5000))
def test_what_is_sealed_is_opened(payload: bytes) -> None:
    frame = parse_frame(sealed(payload))
    salt, opened = open_body(frame, KEY)
    assert opened == payload
    assert plaintext_commitment(salt, payload).hex() == frame.header.pc
    assert verify(FRA.signing.public, signed_message(frame.header_bytes, frame.body), frame.signature)
    header = frame.header
    assert (header.kid, header.ep, header.seq, header.prev) == (FRA.kid, 3, 5, "1" * 64)
    assert (header.id, header.iat, header.exp) == (uuid(1), AT, AT + 5)
    assert (header.rl, header.com, header.pr, header.pub) == place()


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 65535, 65536])
def test_padding_at_its_edges(size: int) -> None:
    assert open_body(parse_frame(sealed(bytes(size))), KEY)[1] == bytes(size)


def test_a_payload_of_65537_bytes_is_refused() -> None:
    assert code_of(sealed, bytes(65537)) is Code.TOO_LARGE


def test_every_flipped_byte_of_the_body_and_the_header_is_noticed() -> None:
    frame = parse_frame(sealed(b"text"))
    for at in range(len(frame.body)):
        wrong = frame._replace(body=changed(frame.body, at))
        assert code_of(open_body, wrong, KEY) is Code.DECRYPTION_FAILED
    for at in range(len(frame.header_bytes)):
        wrong = frame._replace(header_bytes=changed(frame.header_bytes, at))
        assert code_of(open_body, wrong, KEY) is Code.DECRYPTION_FAILED
    assert code_of(open_body, frame, OTHER) is Code.DECRYPTION_FAILED


def test_without_given_randomness_no_two_frames_are_alike() -> None:
    fields: Any = {
        "kind": BULLETIN,
        "head": ChainHead(),
        "payload": b"x",
        "epoch_key": KEY,
        "signer": FRA.signing,
    }
    one, two = (parse_frame(seal(place(), **STAMP, **fields)) for _ in range(2))
    assert one.header.pc != two.header.pc
    assert one.body[:24] != two.body[:24]


def test_announcements_and_heartbeats() -> None:
    logs: Any = {"dir": directory().head, "mem": directory().communities[place().community].head}
    head = ChainHead(8, "2" * 64)
    raw = announce(place(), **STAMP, **logs, head=head, hist=History.NONE, epoch_key=KEY, signer=FRA.signing)
    header = parse_frame(raw).header
    assert (header.k, header.kc, header.hist) == ("e", KEY.commitment.hex(), "none")
    assert (header.dir, header.mem, header.seq) == (logs["dir"], logs["mem"], 9)
    raw = heartbeat(place(), **STAMP, **logs, head=head, heads=(head, ChainHead()), signer=FRA.signing)
    header = parse_frame(raw).header
    assert header.heads == ((9, "2" * 64), (0, "0" * 64))
    assert (header.k, header.dir, header.mem, header.seq) == ("h", logs["dir"], logs["mem"], 9)


def test_a_wrap_opens_for_its_recipient_only() -> None:
    made = wrap(KEY, ANNOUNCEMENT, JPN.keys())
    assert parse_wrap(made.to_bytes()) == made
    kc = KEY.commitment
    assert unwrap(made, ANNOUNCEMENT, JPN.kem, JPN.endpoint, kc) == KEY
    assert bytes(unwrap(made, ANNOUNCEMENT, JPN.kem, JPN.endpoint, kc)) == bytes(KEY)
    assert code_of(unwrap, made, ANNOUNCEMENT, UNX.kem, UNX.endpoint, kc) is Code.BAD_WRAP
    assert code_of(unwrap, made, ANNOUNCEMENT, JPN.kem, UNX.endpoint, kc) is Code.BAD_WRAP
    assert code_of(unwrap, made, bytes(32), JPN.kem, JPN.endpoint, kc) is Code.BAD_WRAP
    for label in (made._replace(kid=UNX.kem.kid), made._replace(announcement=bytes(32))):
        assert code_of(unwrap, label, ANNOUNCEMENT, JPN.kem, JPN.endpoint, kc) is Code.BAD_WRAP
    moved = made._replace(announcement=bytes(32))
    assert code_of(unwrap, moved, bytes(32), JPN.kem, JPN.endpoint, kc) is Code.BAD_WRAP
    assert code_of(unwrap, made, ANNOUNCEMENT, JPN.kem, JPN.endpoint, OTHER.commitment) is Code.KEY_MISMATCH


@settings(max_examples=60)
@given(st.integers(min_value=0, max_value=1167), st.integers(min_value=1, max_value=255))
def test_every_flipped_byte_of_a_wrap_is_noticed(at: int, mask: int) -> None:
    made = wrap(KEY, ANNOUNCEMENT, JPN.keys())
    wrong = made._replace(ciphertext=changed(made.ciphertext, at, mask))
    assert code_of(unwrap, wrong, ANNOUNCEMENT, JPN.kem, JPN.endpoint, KEY.commitment) is Code.BAD_WRAP


def test_recipients_to_whom_nobody_can_encrypt() -> None:
    lattice = JPN.kem.public[:1184]
    for curve in (bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"):
        weak = JPN.keys(kem=to_base64(lattice + curve))
        assert code_of(wrap, KEY, ANNOUNCEMENT, weak) is Code.BAD_KEY
    bad = JPN.keys(kem=to_base64(b"\xff" * 1184 + JPN.kem.public[1184:]))
    assert code_of(wrap, KEY, ANNOUNCEMENT, bad) is Code.BAD_KEY


def test_a_wrap_of_something_that_is_no_key() -> None:
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    info = wrap_info(ANNOUNCEMENT, JPN.kem.kid, JPN.endpoint)
    public = JPN.kem.private.public_key()
    for size in (0, 31, 33, 65):
        made = Wrap(ANNOUNCEMENT, JPN.kem.kid, suite.encrypt(bytes(size), public, info))
        code = code_of(unwrap, made, ANNOUNCEMENT, JPN.kem, JPN.endpoint, KEY.commitment)
        assert code is Code.KEY_MISMATCH
    cut = Wrap(ANNOUNCEMENT, JPN.kem.kid, bytes(1000))
    assert code_of(unwrap, cut, ANNOUNCEMENT, JPN.kem, JPN.endpoint, KEY.commitment) is Code.BAD_WRAP


def test_an_epoch_key_knows_its_commitment_and_keeps_quiet() -> None:
    assert KEY.commitment == key_commitment(bytes(KEY))
    assert isinstance(KEY.aead, Secret)
    for text in (repr(KEY), str(KEY), f"{KEY}", f"{KEY:>20}"):
        assert bytes(KEY).hex() not in text
        assert text == "<EpochKey>"
    for call in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            call(KEY)


def test_the_installed_library_can_do_what_is_needed() -> None:
    self_test()
    assert code_of(self_test, bytes(16)) is Code.BAD_SETTINGS


def test_keys_document_of_another_kem_is_another_recipient() -> None:
    other = KemKey(seed("another kem"))
    keys: Keys = JPN.keys(kem=to_base64(other.public))
    made = wrap(KEY, ANNOUNCEMENT, keys)
    assert made.kid == other.kid
    with pytest.raises(SealError):
        unwrap(made, ANNOUNCEMENT, JPN.kem, JPN.endpoint, KEY.commitment)
