import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code, FormatError
from schemas.frame import (
    GENESIS,
    NO_COMMITMENT,
    Header,
    header_bytes,
    join,
    parse_frame,
    parse_header,
    signed_message,
)
from schemas.limits import FRAME_MAX, HEADER_MAX, INTEGER_MAX
from schemas.merkle import Head
from schemas.signing import verify
from tests.support.federation import FRA, Publisher, changed, code_of, uuid
from tests.vectors.recipe import started

WHOLE = st.integers(min_value=0, max_value=INTEGER_MAX)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex).filter(lambda text: text != GENESIS)
HEADS = st.builds(Head, WHOLE, st.binary(min_size=32, max_size=32))
PAIRS = st.just((0, GENESIS)) | st.tuples(st.integers(min_value=1, max_value=INTEGER_MAX), HASHES)


@st.composite
def headers(draw: st.DrawFn) -> Header:
    kind = draw(st.sampled_from("bceh"))
    seq = draw(WHOLE)
    header = Header(
        v=1,
        k=kind,
        rl=draw(st.sampled_from(["live", "exercise"])),
        pr=draw(st.sampled_from(["routine", "flash"])),
        com=draw(HASHES)[:32],
        pub=FRA.endpoint,
        kid=draw(HASHES)[32:],
        ep=draw(WHOLE),
        seq=seq,
        prev=draw(HASHES) if seq else GENESIS,
        id=uuid(draw(st.integers(min_value=0, max_value=2**48 - 1))),
        iat=draw(WHOLE),
        exp=draw(WHOLE),
        pc=draw(HASHES) if kind in "bc" else NO_COMMITMENT,
    )
    if kind in "bc":
        return header
    header = header._replace(dir=draw(HEADS), mem=draw(HEADS))
    if kind == "e":
        return header._replace(kc=draw(HASHES), hist=draw(st.sampled_from(["none", "members"])))
    return header._replace(heads=(draw(PAIRS), draw(PAIRS)))


@given(headers())
def test_a_header_is_read_as_it_was_written(header: Header) -> None:
    data = header_bytes(header)
    assert parse_header(data) == header
    assert len(data) <= HEADER_MAX


@given(headers())
def test_a_header_is_json_for_everybody(header: Header) -> None:
    """Any JSON parser reads it, and writing it again without spaces gives the same bytes."""
    data = header_bytes(header)
    fields = json.loads(data)
    assert json.dumps(fields, separators=(",", ":")).encode() == data
    assert fields["seq"] == header.seq
    if header.k == "h":
        assert fields["heads"] == [list(pair) for pair in header.heads]
    if header.k in "eh":
        assert fields["mem"] == [header.mem.size, header.mem.root.hex()]


@given(headers(), st.data())
def test_a_changed_header_is_another_header_or_none(header: Header, data: st.DataObject) -> None:
    raw = header_bytes(header)
    at = data.draw(st.integers(min_value=0, max_value=len(raw) - 1))
    wrong = changed(raw, at, data.draw(st.integers(min_value=1, max_value=255)))
    code = code_of(parse_header, wrong)
    assert code in {None, Code.BAD_HEADER}
    if code is None:
        assert parse_header(wrong) != header
        assert header_bytes(parse_header(wrong)) == wrong


@pytest.fixture(scope="module")
def chain() -> Publisher:
    return started()


def test_every_truncation_is_refused(chain: Publisher) -> None:
    raw = chain.bulletin(1)
    for length in range(len(raw)):
        with pytest.raises(FormatError):
            parse_frame(raw[:length])


def test_every_flipped_byte_is_refused_or_breaks_the_signature(chain: Publisher) -> None:
    for raw in (chain.bulletin(1), chain.announcement(), chain.beat()):
        for at in range(len(raw)):
            try:
                frame = parse_frame(changed(raw, at, 0x01))
            except FormatError:
                continue
            message = signed_message(frame.header_bytes, frame.body)
            assert not verify(FRA.signing.public, message, frame.signature), at


@given(st.binary(max_size=3000))
def test_any_bytes_are_refused_with_a_code(raw: bytes) -> None:
    for data in (raw, b"\x01" + raw, b"\x01\x01\x40" + raw):
        assert code_of(parse_frame, data) is not None


def test_the_largest_frame_fits_the_limit(chain: Publisher) -> None:
    raw = chain.sealed(bytes(65536), 1)
    assert parse_frame(raw).body
    assert len(raw) < FRAME_MAX


def test_sizes_are_refused_from_the_first_that_is_too_large() -> None:
    for raw, code in (
        (bytes(FRAME_MAX), Code.BAD_VERSION),
        (b"\2\0\0", Code.BAD_VERSION),
        (b"\1" + HEADER_MAX.to_bytes(2), Code.TRUNCATED),
        (b"\1" + (HEADER_MAX + 1).to_bytes(2), Code.TOO_LARGE),
    ):
        assert code_of(parse_frame, raw) is code
    with pytest.raises(FormatError, match="frame version 2 is not 1"):
        parse_frame(b"\2\0\0")


def test_the_parts_of_a_frame(chain: Publisher) -> None:
    raw = chain.bulletin(1)
    frame = parse_frame(raw)
    assert join(frame.header_bytes, frame.signature, frame.body) == raw
    assert verify(FRA.signing.public, signed_message(frame.header_bytes, frame.body), frame.signature)
    assert (frame.raw, frame.hash) == (raw, chain.head.then(raw).hash)
