"""Files that go with a bulletin, outside its frame: what the bulletin says of one, how it is cut into chunks,
and the tree of addresses by which one hash names them all. FORMAT.md, "Attachments".

Hashing only; the cipher lives with the agencies (subscribers/attachments.py).
"""

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from schemas.errors import Code, FormatError, SealError
from schemas.limits import (
    ADDRESSES_PER_LIST,
    ATTACHMENT_MAX,
    ATTACHMENT_ROOM_MIN,
    ATTACHMENTS_MAX,
    CHUNK_MAX,
    CHUNK_OVERHEAD,
    CHUNK_SIZE,
    FILE_NAME_BYTES_MAX,
    FILE_NAME_MAX,
)

ADDRESS_SIZE: Final = 32
SPREAD: Final = ADDRESSES_PER_LIST

# What a line may not have, what a path is made of, and what some file systems do not take.
_NEVER = r'\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\:*?"<>|'
_NAME = rf"^[^{_NEVER}. ]([^{_NEVER}]*[^{_NEVER}. ])?$"
_WORD = r"[a-z0-9][a-z0-9.+-]{0,62}"

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=FILE_NAME_MAX, pattern=_NAME)]
"""A name that is safe to save under in any directory: no separators, nothing hidden, nothing that steers."""
MediaType = Annotated[str, StringConstraints(pattern=rf"^{_WORD}/{_WORD}$")]
FileSize = Annotated[int, Field(ge=1, le=ATTACHMENT_MAX, strict=True)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Seal(_Model):
    """What opens an attachment: the key and header of its stream, and the address of the root of its tree."""

    key: Hash = Field(repr=False)
    header: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{48}$")]
    root: Hash


class Attachment(_Model):
    """A file that goes with a bulletin. `seal` is there in every bulletin that travels, and only there: what
    a node tells its clients has none.
    """

    name: FileName
    media: MediaType
    size: FileSize
    sha256: Hash
    """Of the file as it was attached."""
    seal: Seal | None = None

    @field_validator("name")
    @classmethod
    def _fits_a_file_system(cls, name: str) -> str:
        if len(name.encode()) > FILE_NAME_BYTES_MAX:
            raise ValueError(f"a file name takes at most {FILE_NAME_BYTES_MAX} bytes")
        return name


def _by_one_name_each(attachments: list[Attachment]) -> list[Attachment]:
    if len({each.name for each in attachments}) != len(attachments):
        raise ValueError("each attachment needs a name of its own")
    return attachments


Attachments = Annotated[
    list[Attachment], Field(max_length=ATTACHMENTS_MAX), AfterValidator(_by_one_name_each)
]
"""Those of one bulletin."""


def unsealed(attachments: Sequence[Attachment]) -> list[Attachment]:
    """The same without what opens them."""
    return [each.model_copy(update={"seal": None}) for each in attachments]


def padded(size: int) -> int:
    """How many bytes are sealed for a file of `size` bytes: Padmé (Nikitin et al., PETS 2019), which leaves
    only the leading bits of a length to be seen, from 1 KiB on.
    """
    length = max(size, ATTACHMENT_ROOM_MIN)
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-length // step) * step


def chunk_count(size: int) -> int:
    """How many chunks a file of `size` bytes has: 1 to 32,768."""
    return -(-padded(size) // CHUNK_SIZE)


def chunk_room(size: int, index: int) -> int:
    """Bytes of plaintext, padding included, in the chunk `index` (0 or more) of a file of `size` bytes."""
    return min(CHUNK_SIZE, padded(size) - index * CHUNK_SIZE)


def chunk_size(size: int, index: int) -> int:
    """Bytes of that chunk as it is stored."""
    return chunk_room(size, index) + CHUNK_OVERHEAD


def address_of(blob: bytes) -> bytes:
    """Where a chunk or a list is found: its SHA-256."""
    return sha256(blob).digest()


class Tree(NamedTuple):
    """The lists that name the chunks, lowest level first, and the address that names them all."""

    lists: tuple[bytes, ...]
    root: bytes


def tree(addresses: Sequence[bytes]) -> Tree:
    """The tree over the chunks' addresses, in their order; at least one. One chunk is its own root."""
    made: list[bytes] = []
    level = list(addresses)
    while len(level) > 1:
        lists = [b"".join(level[at : at + SPREAD]) for at in range(0, len(level), SPREAD)]
        made += lists
        level = [address_of(each) for each in lists]
    return Tree(tuple(made), level[0])


def list_sizes(chunks: int) -> list[int]:
    """Bytes of each list of the tree over so many chunks, in the order of `Tree.lists`."""
    return [
        min(SPREAD, below - index * SPREAD) * ADDRESS_SIZE
        for count, below in reversed(list(pairwise(levels(chunks))))
        for index in range(count)
    ]


def levels(chunks: int) -> list[int]:
    """How many blobs each level of the tree has, the root first and the chunks last."""
    found = [chunks]
    while found[0] > 1:
        found.insert(0, -(-found[0] // SPREAD))
    return found


def check_blob(blob: bytes, address: bytes) -> bytes:
    """The blob, if these are the bytes that the address names. FormatError `bad_chunk`."""
    if len(blob) > CHUNK_MAX or address_of(blob) != address:
        raise FormatError(
            Code.BAD_CHUNK,
            "the bytes are not those that their address names",
            "fetch it again; if it stays so, treat the hub as hostile or broken",
        )
    return blob


def read_list(blob: bytes, index: int, below: int) -> list[bytes]:
    """The addresses in the list `index` of a level, with `below` blobs on the level under it. SealError
    `bad_attachment` for another length than that.
    """
    expected = min(SPREAD, below - index * SPREAD)
    if len(blob) != expected * ADDRESS_SIZE:
        raise SealError(
            Code.BAD_ATTACHMENT,
            "a list names another number of chunks than the file has",
            "ask the publisher to send it again",
        )
    return [blob[at : at + ADDRESS_SIZE] for at in range(0, len(blob), ADDRESS_SIZE)]
