"""Messages on removable media, between a node without a network and the courier machine that has one.
FORMAT.md, "Parcels".

Pure: bytes in, pieces out. A parcel carries messages as they stand in the hub's streams, each with its own
signature; its digest only tells a damaged copy from a whole one, and its number and `previous` a missing one.
"""

from hashlib import sha256
from typing import Annotated, Final, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.bulletin import where
from schemas.documents import Account, Milliseconds
from schemas.encoding import canonical_json, parse_json
from schemas.errors import Code, FormatError
from schemas.limits import DOCUMENT_MAX, FRAME_MAX, INTEGER_MAX, WRAP_SIZE, WRAPS_PER_BUNDLE
from schemas.receipts import RECEIPT_MAX

MAGIC: Final = b"liaison/1 parcel\0"
NO_PARCEL: Final = "0" * 64
"""What the first parcel of a direction says of the one before."""
HEADER_MAX: Final = 1024
SUBJECT_MAX: Final = 256
PIECE_MAX: Final = max(FRAME_MAX, DOCUMENT_MAX, RECEIPT_MAX, WRAP_SIZE * WRAPS_PER_BUNDLE)
"""The largest message that a hub takes or gives."""
_PIECE: Final = 1
_END: Final = 0
_DIGEST_SIZE: Final = 32
_LENGTHS: Final = (2, 8, 4)  # of subject, sequence and data
_TRAILER_SIZE: Final = 8 + _DIGEST_SIZE


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...
    def hexdigest(self) -> str: ...
    def copy(self) -> "_Hash": ...


class ParcelHeader(BaseModel):
    """What a parcel says of itself. Nothing in it is believed: it orders copies and names what is missing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1
    endpoint: Account
    """Whose messages these are."""
    direction: Literal["out", "in"]
    """`out`: submissions on their way to the hub; `in`: what the hub has for the endpoint."""
    number: Annotated[int, Field(ge=0, le=INTEGER_MAX)]
    previous: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """The digest of the parcel before it in its direction, hex."""
    received: Annotated[int, Field(ge=-1, le=INTEGER_MAX)]
    """The last parcel of the other direction that has been taken in without a gap; -1 for none."""
    made: Milliseconds

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))


class Piece(NamedTuple):
    """One message: its subject, its bytes, and where it stood in the hub's stream (0 for a submission)."""

    subject: str
    data: bytes
    sequence: int = 0


class ParcelWriter:
    """Gives the bytes of a parcel one after the other."""

    def __init__(self) -> None:
        self._hash: _Hash = sha256()
        self.count = 0

    @classmethod
    def resuming(cls, reader: "ParcelReader") -> "ParcelWriter":
        """Going on with a parcel that was cut off: after the reader's last whole piece."""
        writer = cls()
        writer._hash, writer.count = reader.hash_so_far(), reader.count
        return writer

    def begin(self, header: ParcelHeader) -> bytes:
        """What the file begins with."""
        raw = header.to_bytes()
        return self._take(MAGIC + len(raw).to_bytes(4) + raw)

    def add(self, piece: Piece) -> bytes:
        """One message. FormatError `bad_subject` or `too_large` for what no hub gives or takes."""
        subject = piece.subject.encode()
        if not 0 < len(subject) <= SUBJECT_MAX or not piece.subject.isascii():
            raise FormatError(Code.BAD_SUBJECT, f"a subject has 1 to {SUBJECT_MAX} ASCII characters")
        if len(piece.data) > PIECE_MAX:
            raise FormatError(Code.TOO_LARGE, f"a message has at most {PIECE_MAX} bytes")
        if not 0 <= piece.sequence <= INTEGER_MAX:
            raise FormatError(Code.BAD_ENCODING, "a sequence number is larger than any")
        self.count += 1
        sizes = len(subject).to_bytes(2) + piece.sequence.to_bytes(8) + len(piece.data).to_bytes(4)
        return self._take(bytes([_PIECE]) + sizes + subject + piece.data)

    def end(self) -> bytes:
        """What the file ends with; nothing is added after it."""
        counted = self._take(bytes([_END]) + self.count.to_bytes(8))
        return counted + self._hash.digest()

    @property
    def digest(self) -> str:
        """Hex SHA-256 of everything but the digest itself, once `end` was called."""
        return self._hash.hexdigest()

    def _take(self, data: bytes) -> bytes:
        self._hash.update(data)
        return data


class ParcelReader:
    """Takes the bytes of a parcel in chunks of any size and gives its pieces, holding one at a time.

    Nothing of a parcel is proved before `finish`: a reader may use pieces as they come, for each is verified
    like any message, and learns at the end whether it had them all.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._hash: _Hash = sha256()
        self._before_end: _Hash | None = None
        self._header: ParcelHeader | None = None
        self._ended = False
        self.count = 0
        self.whole = 0
        """Bytes up to the end of the last piece: where a parcel that was cut off is gone on with."""

    @property
    def header(self) -> ParcelHeader | None:
        """Once its bytes have come."""
        return self._header

    @property
    def digest(self) -> str:
        """Hex SHA-256 of what was taken in so far; of the parcel after `finish`."""
        return self._hash.hexdigest()

    def hash_so_far(self) -> "_Hash":
        """A copy of the running SHA-256 over header and whole pieces."""
        return self._before_end.copy() if self._before_end else self._hash.copy()

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that are complete now. FormatError `bad_parcel` or `too_large`."""
        self._buffer += data
        if self._header is None and not self._read_header():
            return []
        pieces = []
        while not self._ended and self._buffer:
            kind = self._buffer[0]
            if kind == _PIECE:
                piece = self._read_piece()
                if piece is None:
                    break
                pieces.append(piece)
            elif kind == _END:
                if not self._read_end():
                    break
            else:
                raise _bad("a piece begins as none does")
        if self._ended and self._buffer:
            raise _bad("bytes follow its end")
        return pieces

    def finish(self) -> ParcelHeader:
        """The header, when the parcel was whole. FormatError `truncated`."""
        if self._header is None or not self._ended:
            raise FormatError(Code.TRUNCATED, "the parcel ends before its end", "copy the file again, whole")
        return self._header

    def _read_header(self) -> bool:
        start = len(MAGIC) + 4
        if self._buffer[: len(MAGIC)] != MAGIC[: len(self._buffer)]:
            raise _bad("it does not begin like one of version 1")
        if len(self._buffer) < start:
            return False
        size = int.from_bytes(self._buffer[len(MAGIC) : start])
        if size > HEADER_MAX:
            raise FormatError(Code.TOO_LARGE, f"the parcel's header has more than {HEADER_MAX} bytes")
        if len(self._buffer) < start + size:
            return False
        raw = bytes(self._buffer[start : start + size])
        try:
            header = ParcelHeader.model_validate(parse_json(raw, HEADER_MAX))
        except ValidationError as error:
            raise _bad(f"its header: {where(error)}") from None
        if header.to_bytes() != raw:
            raise _bad("its header is not in its canonical form")
        self._consume(start + size)
        self._header = header
        return True

    def _read_piece(self) -> Piece | None:
        start = 1 + sum(_LENGTHS)
        if len(self._buffer) < start:
            return None
        subject_size = int.from_bytes(self._buffer[1:3])
        data_size = int.from_bytes(self._buffer[11:15])
        if not 0 < subject_size <= SUBJECT_MAX or data_size > PIECE_MAX:
            raise _bad("a piece is larger than any message")
        end = start + subject_size + data_size
        if len(self._buffer) < end:
            return None
        try:
            subject = self._buffer[start : start + subject_size].decode("ascii")
        except UnicodeDecodeError:
            raise _bad("a subject is not ASCII") from None
        sequence = int.from_bytes(self._buffer[3:11])
        if sequence > INTEGER_MAX:
            raise _bad("a sequence number is larger than any")
        piece = Piece(subject, bytes(self._buffer[start + subject_size : end]), sequence)
        self._consume(end)
        self.count += 1
        return piece

    def _read_end(self) -> bool:
        if len(self._buffer) < 1 + _TRAILER_SIZE:
            return False
        count, digest = int.from_bytes(self._buffer[1:9]), bytes(self._buffer[9 : 1 + _TRAILER_SIZE])
        self._before_end = self._hash.copy()
        self._hash.update(bytes(self._buffer[:9]))
        del self._buffer[:9]
        if digest != self._hash.digest() or count != self.count:
            raise _bad("its digest does not hold")
        del self._buffer[:_DIGEST_SIZE]
        self._ended = True
        return True

    def _consume(self, size: int) -> None:
        self._hash.update(bytes(self._buffer[:size]))
        del self._buffer[:size]
        self.whole += size


def _bad(reason: str) -> FormatError:
    return FormatError(
        Code.BAD_PARCEL, f"not a whole parcel: {reason}", "copy the file again from where it was made"
    )
