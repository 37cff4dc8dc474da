"""What a client saves: under its name only when it is whole and right, never over another file."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from schemas.errors import Code, LiaisonError
from schemas.limits import CHUNK_SIZE
from subscribers.files.partial_file import PartialFile, digest_of, pieces_of, size_of
from subscribers.files.shapes import Download

DATA = os.urandom(2 * CHUNK_SIZE + 5)


def wanted(data: bytes = DATA) -> Download:
    digest = sha256(data).hexdigest()
    return Download(
        name="map.pdf",
        media="application/pdf",
        size=len(data),
        sha256=digest,
        ready=True,
        chunks=3,
        fetched=3,
    )


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def test_it_is_gone_on_with_and_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    part = PartialFile(tmp_path, wanted())
    part.add(DATA[: CHUNK_SIZE + 100])
    part.close()
    (hidden,) = names(tmp_path)
    assert hidden.startswith(".")
    part = PartialFile(tmp_path, wanted())
    assert part.size == CHUNK_SIZE
    part.add(DATA[CHUNK_SIZE:])
    part.close()  # killed before it was named: the last piece is asked for once more
    part = PartialFile(tmp_path, wanted())
    assert part.size == 2 * CHUNK_SIZE
    part.add(DATA[2 * CHUNK_SIZE :])
    path = part.finish()
    part.close()
    assert (names(tmp_path), path.read_bytes()) == (["map.pdf"], DATA)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_part_that_somebody_changed_is_thrown_away(tmp_path: Path) -> None:
    part = PartialFile(tmp_path, wanted())
    part.add(DATA[:CHUNK_SIZE])
    part.close()
    (hidden,) = tmp_path.iterdir()
    hidden.write_bytes(bytes(CHUNK_SIZE))
    part = PartialFile(tmp_path, wanted())
    part.add(DATA[CHUNK_SIZE:])
    with pytest.raises(LiaisonError) as refused:
        part.finish()
    part.close()
    assert (refused.value.code, names(tmp_path)) == (Code.BAD_ATTACHMENT, [])


def test_nothing_is_overwritten_and_no_link_is_followed(tmp_path: Path) -> None:
    part = PartialFile(tmp_path, wanted())
    part.add(DATA)
    (tmp_path / "map.pdf").write_bytes(b"mine")
    for act in (part.finish, lambda: PartialFile(tmp_path, wanted())):
        with pytest.raises(LiaisonError) as refused:
            act()
        assert refused.value.code is Code.ALREADY_KNOWN
    part.close()
    assert (tmp_path / "map.pdf").read_bytes() == b"mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "map.pdf").symlink_to(tmp_path / "nowhere")
    with pytest.raises(LiaisonError) as dangling:
        PartialFile(other, wanted())
    assert dangling.value.code is Code.ALREADY_KNOWN
    (other / "map.pdf").unlink()
    (other / f".{wanted().sha256[:16]}.part").symlink_to(tmp_path / "map.pdf")
    with pytest.raises(LiaisonError):
        PartialFile(other, wanted())
    assert (tmp_path / "map.pdf").read_bytes() == b"mine"


def test_files_to_be_attached_are_plain_files(tmp_path: Path) -> None:
    path = tmp_path / "map.pdf"
    path.write_bytes(DATA)
    seen: list[int] = []
    assert (size_of(path), digest_of(path, seen.append)) == (len(DATA), sha256(DATA).hexdigest())
    assert sum(seen) == len(DATA)
    assert list(pieces_of(path, len(DATA) - 3, 2)) == [DATA[-3:-1], DATA[-1:]]
    for wrong in (tmp_path, tmp_path / "none"):
        with pytest.raises(LiaisonError) as refused:
            size_of(wrong)
        assert refused.value.code is Code.NOT_FOUND
