"""Parcels: whole or refused, whatever the size of the chunks they are read in."""

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code, FormatError, OperationError
from schemas.limits import INTEGER_MAX
from schemas.parcel import (
    HEADER_MAX,
    MAGIC,
    NO_PARCEL,
    PIECE_MAX,
    SUBJECT_MAX,
    ParcelHeader,
    ParcelReader,
    ParcelWriter,
    Piece,
)
from subscribers.airgap.parcels import ParcelFile, checked, on_disk, pieces, written
from tests.support.federation import code_of

ENDPOINT = "A" + "B" * 55
PIECES = [Piece("d.doc", b"one", 7), Piece(f"r.{ENDPOINT}", b"", 8), Piece("m.x", bytes(300), 9)]


def header(**fields: object) -> ParcelHeader:
    given_ = {"endpoint": ENDPOINT, "direction": "in", "number": 0, "previous": NO_PARCEL, "received": -1}
    return ParcelHeader.model_validate({**given_, "made": 1, **fields})


def packed(found: list[Piece], **fields: object) -> bytes:
    writer = ParcelWriter()
    parts = [writer.begin(header(**fields)), *(writer.add(each) for each in found)]
    return b"".join([*parts, writer.end()])


def unpacked(data: bytes, step: int = 1 << 20) -> list[Piece]:
    reader = ParcelReader()
    found = [piece for at in range(0, len(data), step) for piece in reader.feed(data[at : at + step])]
    reader.finish()
    return found


def refused(data: bytes) -> Code:
    with pytest.raises(FormatError) as error:
        unpacked(data)
    return error.value.code


@given(
    st.lists(
        st.builds(
            Piece,
            st.text("abc.", min_size=1, max_size=40),
            st.binary(max_size=200),
            st.integers(0, 2**53 - 1),
        ),
        max_size=8,
    ),
    st.integers(1, 64),
)
def test_what_goes_in_comes_out_in_chunks_of_any_size(found: list[Piece], step: int) -> None:
    assert unpacked(packed(found), step) == found


def test_the_largest_message_fits() -> None:
    largest = [Piece("a" * SUBJECT_MAX, bytes(PIECE_MAX), INTEGER_MAX), Piece("a", b"")]
    assert unpacked(packed(largest)) == largest


def test_a_parcel_cut_anywhere_is_truncated() -> None:
    data = packed(PIECES)
    assert {refused(data[:size]) for size in range(len(data))} == {Code.TRUNCATED}


def test_a_byte_changed_anywhere_is_noticed() -> None:
    data = packed(PIECES)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        assert refused(bytes(changed)) in {Code.BAD_PARCEL, Code.TRUNCATED, Code.TOO_LARGE, Code.BAD_JSON}


def test_a_count_is_read_to_its_last_byte() -> None:
    begin = ParcelWriter().begin(header())
    for count, code in ((0, None), (1, Code.BAD_PARCEL), (1 << 56, Code.BAD_PARCEL)):
        counted = begin + b"\0" + count.to_bytes(8)
        data = counted + sha256(counted).digest()
        assert code_of(unpacked, data) is code


def test_nothing_follows_the_end() -> None:
    assert refused(packed(PIECES) + b"x") is Code.BAD_PARCEL


def test_a_header_has_one_form_and_a_bound() -> None:
    raw = header().to_bytes()
    start = MAGIC + (len(raw) + 1).to_bytes(4)
    assert refused(start + raw.replace(b'":', b'": ', 1)) is Code.BAD_PARCEL
    assert refused(MAGIC + (HEADER_MAX + 1).to_bytes(4)) is Code.TOO_LARGE
    assert refused(MAGIC + (1 << 24).to_bytes(4)) is Code.TOO_LARGE
    assert refused(MAGIC + HEADER_MAX.to_bytes(4)) is Code.TRUNCATED
    assert refused(MAGIC + bytes(4)) is Code.BAD_JSON
    reader = ParcelReader()
    assert reader.feed(ParcelWriter().begin(header())) == []
    assert reader.header == header()
    wrong = raw.replace(b'"direction":"in"', b'"direction":"on"')
    assert refused(MAGIC + len(wrong).to_bytes(4) + wrong) is Code.BAD_PARCEL


@pytest.mark.parametrize(
    "subject_size,sequence,data_size",
    [(0, 0, 0), (257, 0, 0), (5, 2**53, 0), (5, 0, PIECE_MAX + 1), (5, 1 << 56, 0), (5, 0, 1 << 24)],
)
def test_a_piece_larger_than_any_message_is_refused(subject_size: int, sequence: int, data_size: int) -> None:
    begin = ParcelWriter().begin(header())
    sizes = subject_size.to_bytes(2) + sequence.to_bytes(8) + data_size.to_bytes(4)
    assert refused(begin + b"\1" + sizes + b"a" * subject_size) is Code.BAD_PARCEL


def test_a_subject_is_ascii() -> None:
    begin = ParcelWriter().begin(header())
    assert refused(begin + b"\1" + b"\0\2" + bytes(12) + "é".encode()) is Code.BAD_PARCEL


def test_a_writer_takes_nothing_that_no_hub_gives() -> None:
    writer = ParcelWriter()
    for piece, code in (
        (Piece("", b""), Code.BAD_SUBJECT),
        (Piece("é", b""), Code.BAD_SUBJECT),
        (Piece("a", b"", 2**53), Code.BAD_ENCODING),
        (Piece("a", bytes(PIECE_MAX + 1)), Code.TOO_LARGE),
    ):
        with pytest.raises(FormatError) as error:
            writer.add(piece)
        assert error.value.code is code


@pytest.mark.parametrize("lost", [0, 1, 20])
def test_a_parcel_that_was_cut_off_is_gone_on_with(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "in.parcel"
    first = ParcelFile(path, header())
    first.add(PIECES[0])
    first.sync()
    part = tmp_path / "in.parcel.part"
    first.add(PIECES[1])
    first.pause()
    part.write_bytes(part.read_bytes()[: -lost or None])  # a torn tail
    second = ParcelFile(path, header(made=99))
    again = PIECES[second.count :]
    for piece in again:
        second.add(piece)
    second.finish()
    assert unpacked(path.read_bytes()) == PIECES
    assert not part.exists()


def test_a_finished_part_is_gone_on_with_as_well(tmp_path: Path) -> None:
    part = tmp_path / "in.parcel.part"
    part.write_bytes(packed(PIECES[:1]))
    file = ParcelFile(tmp_path / "in.parcel", header())
    assert file.count == 1
    file.add(PIECES[1])
    file.finish()
    assert unpacked((tmp_path / "in.parcel").read_bytes()) == PIECES[:2]


def test_what_is_no_parcel_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "in.parcel.part").write_bytes(b"liaison/1 parcel\0 and something else")
    file = ParcelFile(tmp_path / "in.parcel", header())
    assert file.count == 0
    file.finish()
    assert unpacked((tmp_path / "in.parcel").read_bytes()) == []
    assert (tmp_path / "in.parcel").stat().st_mode & 0o777 == 0o600


def test_a_parcel_that_fails_leaves_nothing_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "out.parcel"
    with pytest.raises(FormatError), written(path, header()) as file:
        file.add(Piece("", b""))
    assert list(tmp_path.iterdir()) == []
    with written(path, header()) as file:
        file.add(PIECES[0])
    with pytest.raises(OperationError) as error, written(path, header()):
        pass
    assert error.value.code is Code.ALREADY_KNOWN


@pytest.mark.parametrize("fields", [{"endpoint": "A" + "C" * 55}, {"direction": "out"}])
async def test_a_parcel_for_somebody_else_is_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    path = tmp_path / "in.parcel"
    path.write_bytes(packed(PIECES, **fields))
    with pytest.raises(OperationError) as error:
        await checked(path, ENDPOINT, "in")
    assert error.value.code is Code.BAD_PARCEL


async def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none", Code.NOT_FOUND), (tmp_path, Code.BAD_PARCEL)):
        with pytest.raises(OperationError) as error:
            await checked(path, ENDPOINT, "in")
        assert error.value.code is code


async def test_a_whole_parcel_is_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "in.parcel"
    path.write_bytes(packed(PIECES))
    found, digest = await checked(path, ENDPOINT, "in")
    assert found == header()
    assert digest == (await checked(path, ENDPOINT, "in"))[1]
    assert [piece async for chunk in pieces(path) for piece in chunk] == PIECES


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OperationError) as error:
        on_disk(full, tmp_path / "out.parcel")
    assert error.value.code is Code.DISK_FULL
