"""A backup comes out whole, under its passphrase, or not at all."""

import io
import tarfile
from collections.abc import Callable, Iterator

import pytest

from schemas.cask import PIECE, Lid, Packing, Unpacking
from schemas.errors import Code, LiaisonError
from schemas.rewind import RewindRequest, rewind_of
from schemas.stowage import MANIFEST, Manifest, Stowing, unstow

WORD = "correct horse battery staple"
AT = 1_770_000_000_000


def packed(*writes: bytes, passphrase: str = WORD) -> bytes:
    out = io.BytesIO()
    packing = Packing(out.write, Lid.fresh("node", AT), passphrase)
    for each in writes:
        packing.write(each)
    packing.close()
    return out.getvalue()


def unpacked(data: bytes, passphrase: str = WORD) -> bytes:
    unpacking = Unpacking(io.BytesIO(data).read, passphrase)
    found = b""
    while piece := unpacking.read(70_000):
        found += piece
    unpacking.finish()
    assert (unpacking.lid.what, unpacking.lid.made) == ("node", AT)
    return found


def code_of(work: Callable[[], object]) -> Code:
    with pytest.raises(LiaisonError) as refused:
        work()
    return refused.value.code


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_what_is_packed_comes_out(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    assert unpacked(packed(data)) == data
    assert unpacked(packed(data[: size // 2], data[size // 2 :])) == data


def test_nothing_comes_out_of_what_was_changed() -> None:
    whole = packed(bytes(2 * PIECE + 10))
    first = whole.index(b"\n") + 1
    length = 4 + 24 + 16 + PIECE
    assert code_of(lambda: unpacked(whole, "another passphrase")) is Code.WRONG_KEY
    for place in (5, 20, first + 4, first + 60, first + length + 90, len(whole) - 1):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1
        assert code_of(lambda: unpacked(bytes(spoilt))) in {Code.WRONG_KEY, Code.BAD_DOCUMENT}  # noqa: B023
    for end in (0, 3, first, first + 2, first + 100, first + length, len(whole) - 1):
        cut = whole[:end]
        assert code_of(lambda: unpacked(cut)) in {Code.TRUNCATED, Code.BAD_DOCUMENT}  # noqa: B023
    assert code_of(lambda: unpacked(whole + b"\0")) is Code.BAD_DOCUMENT
    # Pieces neither change places nor fall out.
    one, two = whole[first : first + length], whole[first + length : first + 2 * length]
    assert (
        code_of(lambda: unpacked(whole[:first] + two + one + whole[first + 2 * length :])) is Code.WRONG_KEY
    )
    assert code_of(lambda: unpacked(whole[:first] + one + whole[first + 2 * length :])) is Code.WRONG_KEY
    endless = whole[:first] + b"\xff\xff\xff\xff" + whole[first + 4 :]
    assert code_of(lambda: unpacked(endless)) is Code.BAD_DOCUMENT
    assert code_of(lambda: unpacked(b"x" * 600)) is Code.BAD_DOCUMENT
    assert code_of(lambda: unpacked(b'{"v":2}\n')) is Code.BAD_DOCUMENT


def test_a_passphrase_that_can_be_guessed_is_none() -> None:
    assert code_of(lambda: packed(b"", passphrase="too short")) is Code.BAD_REQUEST


def stowed(files: dict[str, bytes], about: dict[str, str]) -> bytes:
    out = io.BytesIO()
    stowing = Stowing(Packing(out.write, Lid.fresh("hub", AT), WORD))
    for name, data in files.items():
        stowing.add(name, data)
    stowing.close(about)
    return out.getvalue()


def taken_out(data: bytes) -> tuple[Manifest, dict[str, bytes]]:
    found = dict[str, bytes]()

    def put(name: str, pieces: Iterator[bytes]) -> None:
        found[name] = b"".join(pieces)

    return unstow(Unpacking(io.BytesIO(data).read, WORD), put), found


def test_files_come_back_with_their_manifest() -> None:
    files = {"keys/one.key": b"secret", "empty": b"", "streams/T.0": bytes(PIECE * 2 + 3)}
    manifest, found = taken_out(stowed(files, {"agency": "fra"}))
    assert found == files
    assert manifest.about == {"agency": "fra"}
    assert {name: each.size for name, each in manifest.files.items()} == {
        name: len(data) for name, data in files.items()
    }


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../b", ".hidden", "a//b", "a b"])
def test_no_file_gets_out_of_its_directory(name: str) -> None:
    assert code_of(lambda: taken_out(stowed({name: b""}, {}))) is Code.BAD_DOCUMENT


def test_the_manifest_counts() -> None:
    def wrong(change: Callable[[Stowing], None], *, end: bool = True) -> Code:
        out = io.BytesIO()
        packing = Packing(out.write, Lid.fresh("hub", AT), WORD)
        stowing = Stowing(packing)
        stowing.add("one", b"1")
        change(stowing)
        if end:
            stowing.close({})
        else:
            packing.close()
        return code_of(lambda: taken_out(out.getvalue()))

    assert wrong(lambda stowing: stowing.files.clear()) is Code.BAD_DOCUMENT
    assert wrong(lambda stowing: stowing.files.update(two=stowing.files["one"])) is Code.BAD_DOCUMENT
    assert wrong(lambda stowing: stowing.add(MANIFEST, b"{}"), end=False) is Code.BAD_DOCUMENT
    assert wrong(lambda _: None, end=False) is Code.BAD_DOCUMENT
    out = io.BytesIO()
    packing = Packing(out.write, Lid.fresh("hub", AT), WORD)
    packing.write(b"no tar at all" * 100)
    packing.close()
    assert code_of(lambda: taken_out(out.getvalue())) is Code.BAD_DOCUMENT


@pytest.mark.parametrize("files", [{"one": b"1"}, {MANIFEST: b"{}"}, {MANIFEST: b"{"}])
def test_without_a_manifest_it_is_no_backup(files: dict[str, bytes]) -> None:
    out, plain = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    packing = Packing(out.write, Lid.fresh("hub", AT), WORD)
    packing.write(plain.getvalue())
    packing.close()
    with pytest.raises(LiaisonError, match="it has no manifest") as refused:
        taken_out(out.getvalue())
    assert refused.value.code is Code.BAD_DOCUMENT


def test_a_backup_holds_plain_files_alone() -> None:
    out = io.BytesIO()
    packing = Packing(out.write, Lid.fresh("hub", AT), WORD)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    packing.write(plain.getvalue())
    packing.close()
    assert code_of(lambda: taken_out(out.getvalue())) is Code.BAD_DOCUMENT


def test_it_may_come_in_small_pieces_and_be_left_unread() -> None:
    data = packed(bytes(PIECE + 5))
    source = io.BytesIO(data)
    unpacking = Unpacking(lambda size: source.read(min(size, 1_000)), WORD)
    unpacking.finish()
    assert unpacking.read(1) == b""


def test_a_feed_is_set_back_to_a_number_and_to_nothing_else() -> None:
    asked = RewindRequest(rewind=41)
    assert asked.to_bytes() == b'{"rewind":41,"v":1}'
    assert rewind_of(asked.to_bytes()) == 41
    for other in (
        b"",
        b"{}",
        b'{"rewind":-1,"v":1}',
        b'{"rewind":1,"v":2}',
        b'{"rewind":true,"v":1}',
        b" " * 300,
    ):
        assert rewind_of(other) is None
