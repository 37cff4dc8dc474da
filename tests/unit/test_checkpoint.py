"""Checkpoints: what a note proves, what it does not, and nothing but coded refusals from any bytes."""

from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.checkpoint import (
    ALWAYS_FRESH,
    Checkpoint,
    Cosigned,
    Note,
    NoteSignature,
    check_fresh,
    check_not_ahead,
    check_note,
    cosign,
    fresh_until,
    origin_of,
    parse_note,
    sign_log,
)
from schemas.errors import Code, LiaisonError
from schemas.limits import INTEGER_MAX, NOTE_MAX
from schemas.merkle import Head
from tests.support import federation as fed

ORIGIN = origin_of(sha256(b"root").digest())
SECONDS = fed.AT // 1000
DAY = 24 * 3600 * 1000
POINT = Checkpoint(ORIGIN, Head(7, sha256(b"tree").digest()))
LOG = sign_log(POINT, ORIGIN, fed.HUB)
OTHER = Checkpoint(ORIGIN, Head(8, sha256(b"tree").digest()))
WITNESSES = [fed.witness(number) for number in range(3)]


def by(
    number: int, seconds: int = SECONDS, point: Checkpoint = POINT, *, name: str | None = None
) -> NoteSignature:
    """The cosignature of one witness."""
    return cosign(point, name or fed.witness(number).name, seconds, fed.WITNESSES[number])


def judged(
    *signatures: NoteSignature, quorum: int = 2, point: Checkpoint = POINT, origin: str = ORIGIN
) -> Cosigned:
    note = parse_note(Note(point, signatures).to_bytes())
    return check_note(note, origin, fed.HUB.public, WITNESSES, quorum)


def test_the_bytes_are_those_of_the_specification() -> None:
    note = Note(POINT, (LOG, by(0)))
    first, second = note.signatures
    root = b64encode(POINT.head.root).decode()
    assert POINT.body() == f"{ORIGIN}\n7\n{root}\n".encode()
    name = fed.witness(0).name
    expected = f"{ORIGIN}\n7\n{root}\n\n"
    expected += f"\u2014 {ORIGIN} {b64encode(first.key_hash + first.signature).decode()}\n"
    expected += f"\u2014 {name} {b64encode(second.key_hash + second.signature).decode()}\n"
    assert note.to_bytes() == expected.encode()
    assert first.key_hash == sha256(ORIGIN.encode() + b"\n\x01" + fed.HUB.public).digest()[:4]
    assert second.key_hash == sha256(name.encode() + b"\n\x04" + fed.WITNESSES[0].public).digest()[:4]
    assert second.signature[:8] == SECONDS.to_bytes(8, "big")
    signed = b"cosignature/v1\ntime %d\n" % SECONDS + POINT.body()
    assert second.signature[8:] == fed.WITNESSES[0].sign(signed)
    assert parse_note(note.to_bytes()) == note


def test_the_largest_log_has_a_checkpoint() -> None:
    for size, code in ((INTEGER_MAX, None), (INTEGER_MAX + 1, Code.BAD_CHECKPOINT)):
        note = Note(Checkpoint(ORIGIN, Head(size, POINT.head.root)), (LOG,))
        assert fed.code_of(parse_note, note.to_bytes()) is code


def test_a_quorum_of_witnesses_is_what_counts() -> None:
    times = judged(LOG, by(0), by(2, SECONDS + 9), by(3)).times
    assert times == ((SECONDS + 9) * 1000, SECONDS * 1000)
    assert judged(LOG, quorum=0) == (POINT.head, ())


def test_a_witness_counts_once_and_by_its_newest_word() -> None:
    assert judged(LOG, by(0), by(0, SECONDS + 1), by(0, SECONDS - 1), quorum=1).times == (
        (SECONDS + 1) * 1000,
    )


@pytest.mark.parametrize(
    "signature",
    [
        by(0),
        by(3),
        by(1, point=OTHER),
        by(1, name="another.example"),
        by(1)._replace(key_hash=bytes(4)),
        by(1)._replace(signature=by(1).signature[:-1] + b"\0"),
        by(1)._replace(signature=bytes(8) + by(1).signature[8:]),
        by(1)._replace(signature=by(1).signature[8:]),
        by(1, 2**63),
        sign_log(POINT, fed.witness(1).name, fed.WITNESSES[1]),
    ],
    ids=lambda each: each.key_hash.hex(),
)
def test_what_makes_no_second_witness(signature: NoteSignature) -> None:
    with pytest.raises(LiaisonError, match="witness_shortfall"):
        judged(LOG, by(0), signature)
    assert judged(LOG, by(0), signature, by(2)).times == (SECONDS * 1000,) * 2


@pytest.mark.parametrize(
    "signature",
    [
        sign_log(OTHER, ORIGIN, fed.HUB),
        sign_log(POINT, ORIGIN, fed.FRA.signing),
        sign_log(POINT, "liaison/other", fed.HUB),
        LOG._replace(key_hash=bytes(4)),
        LOG._replace(signature=bytes(64)),
        by(1),
    ],
)
def test_the_log_itself_must_have_signed(signature: NoteSignature) -> None:
    with pytest.raises(LiaisonError, match="bad_checkpoint"):
        judged(signature, by(0), by(2))


def test_another_log_s_checkpoint_is_none() -> None:
    with pytest.raises(LiaisonError, match="bad_checkpoint"):
        judged(LOG, by(0), by(1), origin=origin_of(sha256(b"another root").digest()))


def test_a_time_that_no_clock_shows_does_not_count() -> None:
    last = INTEGER_MAX // 1000
    assert judged(LOG, by(0), by(1, last)).times == (last * 1000, fed.AT)
    with pytest.raises(LiaisonError, match=r"^witness_shortfall:"):
        judged(LOG, by(0), by(1, last + 1))


def test_the_last_of_the_quorum_tells_whether_a_head_is_ahead_of_time() -> None:
    cosigned = Cosigned(POINT.head, (fed.AT + DAY, fed.AT))
    check_not_ahead(cosigned, 2, fed.AT)
    check_not_ahead(cosigned, 0, fed.AT)
    with pytest.raises(LiaisonError, match=r"^from_the_future:"):
        check_not_ahead(cosigned, 1, fed.AT)


def test_a_head_is_fresh_from_the_quorum_s_time_on() -> None:
    cosigned = Cosigned(POINT.head, (9000, 5000, 1000))
    assert [fresh_until(cosigned, quorum, 100) for quorum in range(4)] == [ALWAYS_FRESH, 9100, 5100, 1100]
    assert fresh_until(cosigned, 1, ALWAYS_FRESH) == ALWAYS_FRESH
    check_fresh(cosigned, 2, 100, 5099)
    check_fresh(cosigned, 0, 100, ALWAYS_FRESH - 1)
    with pytest.raises(LiaisonError, match="stale_head"):
        check_fresh(cosigned, 2, 100, 5100)


WHOLE = Note(POINT, (LOG, by(0), by(1))).to_bytes()


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
@example(b"")
@example(b"\xff")
@example(b"o\n0\n" + b64encode(bytes(31)) + b"\n\n\n")
def test_hostile_bytes_raise_a_coded_refusal_and_nothing_else(data: bytes) -> None:
    with pytest.raises(LiaisonError):
        parse_note(data)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_proves_nothing_new(place: int, flip: int) -> None:
    data = WHOLE[:place] + bytes([WHOLE[place] ^ flip]) + WHOLE[place + 1 :]
    try:
        note = parse_note(data)
        cosigned = check_note(note, ORIGIN, fed.HUB.public, WITNESSES, 0)
    except LiaisonError:
        return
    assert note.to_bytes() == data  # one form
    assert cosigned.head == POINT.head
    assert set(cosigned.times) <= {SECONDS * 1000}


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_truncated_note_is_refused_or_lacks_witnesses(end: int) -> None:
    with pytest.raises(LiaisonError):
        check_note(parse_note(WHOLE[:end]), ORIGIN, fed.HUB.public, WITNESSES, 2)


def test_it_is_bounded() -> None:
    with pytest.raises(LiaisonError) as caught:
        parse_note(bytes(NOTE_MAX + 1))
    assert caught.value.code == Code.TOO_LARGE
    parse_note(Note(POINT, (LOG,) * 32).to_bytes())
    with pytest.raises(LiaisonError, match="bad_checkpoint"):
        parse_note(Note(POINT, (LOG,) * 33).to_bytes())
