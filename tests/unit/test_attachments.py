"""Attachments sealed and opened: every way in which chunks can be out of their place has its code."""

import os
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_push,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
)
from pydantic import ValidationError

from schemas.attachments import (
    Attachment,
    Seal,
    address_of,
    check_blob,
    chunk_count,
    chunk_room,
    chunk_size,
    levels,
    list_sizes,
    padded,
    read_list,
    tree,
)
from schemas.bulletin import Bulletin, parse_bulletin
from schemas.errors import Code, FormatError, LiaisonError, OperationError, SealError
from schemas.limits import ATTACHMENT_MAX, CHUNK_MAX, CHUNK_SIZE
from subscribers.attachments import FileKey, Opener, Sealer, fresh, seal_of
from tests.support import federation as fed

SIZE = CHUNK_SIZE + 1
GOOD = {"name": "map.pdf", "media": "application/pdf", "size": 7, "sha256": "ab" * 32}
SEAL = {"key": "cd" * 32, "header": "ef" * 24, "root": "01" * 32}


def chunks_of(data: bytes, key: FileKey, header: bytes) -> list[bytes]:
    sealer = Sealer(key, header, len(data))
    return [*sealer.add(data), *sealer.finish()]


def opened(chunks: Sequence[bytes], seal: Seal, data: bytes) -> bytes:
    opener = Opener(seal, len(data))
    found = b"".join(map(opener.open, chunks))
    opener.check(sha256(data).hexdigest())
    return found


# -- the form ----------------------------------------------------------------------------------------------


@given(st.integers(1, ATTACHMENT_MAX))
def test_padding_costs_at_most_an_eighth_and_hides_the_low_bits(size: int) -> None:
    room = padded(size)
    assert size <= room <= max(1024, size + size // 8)
    assert padded(room) == room
    assert room == 1024 or bin(room).rstrip("0").count("1") <= room.bit_length()
    assert sum(chunk_room(size, index) for index in (0, chunk_count(size) - 1)) <= 2 * CHUNK_SIZE
    assert (chunk_count(size) - 1) * CHUNK_SIZE + chunk_room(size, chunk_count(size) - 1) == room


@given(st.integers(1, 40_000))
@settings(max_examples=25)
def test_the_tree_is_read_back_from_its_root(count: int) -> None:
    addresses = [sha256(b"%d" % number).digest() for number in range(count)]
    made = tree(addresses)
    assert [len(each) for each in made.lists] == list_sizes(count)
    kept = {address_of(each): each for each in made.lists}
    level = [made.root]
    for below in levels(count)[1:]:
        level = [
            each
            for index, address in enumerate(level)
            for each in read_list(check_blob(kept[address], address), index, below)
        ]
    assert level == addresses


def test_a_blob_is_the_one_that_its_address_names() -> None:
    assert check_blob(b"x", address_of(b"x")) == b"x"
    long = bytes(CHUNK_MAX + 1)
    for blob, address in ((b"x", address_of(b"y")), (long, address_of(long))):
        with pytest.raises(FormatError) as refused:
            check_blob(blob, address)
        assert refused.value.code is Code.BAD_CHUNK
    with pytest.raises(SealError) as short:
        read_list(bytes(31), 0, 1)
    assert short.value.code is Code.BAD_ATTACHMENT


@pytest.mark.parametrize("name", ["map.pdf", "地图.png", "a", "two words.txt", "x" * 100, "خريطة.pdf"])
def test_names_that_are_safe_to_save(name: str) -> None:
    assert Attachment.model_validate({**GOOD, "name": name}).name == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "/etc/passwd", ".hidden", "a.", " a", "a ", "a\x00", "a\nb", "a\x9bb",
     "c:a", "a*", "a?", 'a"', "a<b", "a|b", "a\u202eb", "x" * 101, "地" * 67],
)  # fmt: skip
def test_names_that_are_not(name: str) -> None:
    with pytest.raises(ValidationError):
        Attachment.model_validate({**GOOD, "name": name})


def test_a_bulletin_s_attachments_travel_with_their_seal_and_are_shown_without() -> None:
    attached = fed.bulletin(1, attachments=[{**GOOD, "seal": SEAL}])
    assert parse_bulletin(attached.to_bytes()) == attached
    shown = attached.shown()
    assert [each.seal for each in shown.attachments] == [None]
    assert "cd" * 32 not in repr(attached)
    assert "cd" * 32 not in shown.model_dump_json()
    with pytest.raises(FormatError) as unsealed:
        parse_bulletin(shown.to_bytes())
    assert unsealed.value.code is Code.BAD_DOCUMENT
    bare = fed.bulletin(1)
    assert bare.shown() is bare
    assert b"attachments" not in bare.to_bytes()
    with pytest.raises(ValidationError, match="a name of its own"):
        Bulletin.model_validate({**attached.model_dump(), "attachments": [GOOD, GOOD]})


# -- the cipher --------------------------------------------------------------------------------------------


@given(st.data(), st.sampled_from((1, 1024, 1025, 65_535, 65_536, SIZE, 200_000)))
@settings(max_examples=20)
def test_what_is_sealed_in_pieces_of_any_length_opens(draw: st.DataObject, size: int) -> None:
    data = os.urandom(size)
    key, header = fresh()
    sealer, at = Sealer(key, header, size), 0
    chunks: list[bytes] = []
    while at < size:
        step = draw.draw(st.integers(1, size))
        chunks += sealer.add(data[at : at + step])
        at += step
    chunks += sealer.finish()
    assert [len(each) for each in chunks] == [chunk_size(size, index) for index in range(chunk_count(size))]
    seal = seal_of(key, header, tree([address_of(each) for each in chunks]).root)
    assert opened(chunks, seal, data) == data
    assert sealer.digest == sha256(data).hexdigest()


def test_others_who_use_the_library_as_it_is_meant_seal_the_same_stream() -> None:
    state = crypto_secretstream_xchacha20poly1305_state()
    key = os.urandom(32)
    header = crypto_secretstream_xchacha20poly1305_init_push(state, key)
    plain = b"a file".ljust(1024, b"\0")
    chunk = crypto_secretstream_xchacha20poly1305_push(state, plain, None, 3)
    seal = seal_of(FileKey(key), header, address_of(chunk))
    assert opened([chunk], seal, b"a file") == b"a file"


def test_a_file_that_grows_or_shrinks_while_it_is_read_is_refused() -> None:
    key, header = fresh()
    sealer = Sealer(key, header, 5)
    list(sealer.add(b"abc"))
    with pytest.raises(OperationError) as shorter:
        list(sealer.finish())
    with pytest.raises(OperationError) as longer:
        list(sealer.add(b"def"))
    assert (shorter.value.code, longer.value.code) == (Code.BAD_ATTACHMENT, Code.BAD_ATTACHMENT)


def test_every_chunk_out_of_its_place_is_refused() -> None:
    data = os.urandom(2 * CHUNK_SIZE + 1)
    key, header = fresh()
    chunks = chunks_of(data, key, header)
    seal = seal_of(key, header, bytes(32))
    first, second, last = chunks
    other = seal_of(fresh()[0], header, bytes(32))
    elsewhere = chunks_of(data, *fresh())
    cases: tuple[tuple[Code, Sequence[bytes], Seal], ...] = (
        (Code.DECRYPTION_FAILED, (second, first, last), seal),
        (Code.DECRYPTION_FAILED, (first, first, last), seal),
        (Code.DECRYPTION_FAILED, (first, elsewhere[1], last), seal),
        (Code.DECRYPTION_FAILED, chunks, other),
        (Code.TRUNCATED, (first, second), seal),
        (Code.TRUNCATED, (), seal),
        (Code.BAD_ATTACHMENT, (*chunks, last), seal),
        (Code.BAD_ATTACHMENT, (first, second, last[:-1]), seal),
        (Code.BAD_ATTACHMENT, (first, second, b""), seal),
        (Code.BAD_ATTACHMENT, (first, last), seal),
    )
    for expected, given_chunks, given_seal in cases:
        with pytest.raises(SealError) as refused:
            opened(given_chunks, given_seal, data)
        assert refused.value.code is expected


@given(st.integers(0, 1040), st.integers(1, 255))
def test_no_byte_of_a_chunk_can_be_another(place: int, change: int) -> None:
    key, header = FileKey(bytes(32)), bytes(24)
    (chunk,) = chunks_of(b"short", key, header)
    changed = bytearray(chunk)
    changed[place] ^= change
    with pytest.raises(LiaisonError) as refused:
        opened([bytes(changed)], seal_of(key, header, bytes(32)), b"short")
    assert refused.value.code is Code.DECRYPTION_FAILED


def test_a_key_is_not_shown() -> None:
    key, header = fresh()
    assert bytes(key).hex() not in f"{key!r} {key} {seal_of(key, header, bytes(32))!r}"
    assert FileKey.of(seal_of(key, header, bytes(32))) == key
