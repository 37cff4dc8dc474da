"""The pages in which the hub gives old frames of a community. FORMAT.md, "History". Pure.

They are the frames as they stand in the hub's stream, each with its own signature; a page proves nothing.
"""

from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.bulletin import where
from schemas.encoding import canonical_json, parse_json
from schemas.errors import Code, FormatError, TrustError
from schemas.limits import INTEGER_MAX, PAGE_MAX
from schemas.particulars import CommunityId

_VERSION: Final = 1
_REFUSED: Final = 0
_REQUEST_MAX: Final = 256
_HEAD_SIZE: Final = 1 + 8 + 1
_MORE_AT: Final = 9
_PIECE_HEAD: Final = 8 + 1 + 4
_LENGTH_AT: Final = 8


class PageRequest(BaseModel):
    """Old frames of a community that stand after the sequence `after` in the hub's stream."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1
    com: CommunityId
    after: Annotated[int, Field(ge=0, le=INTEGER_MAX)]

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))


def parse_page_request(data: bytes) -> PageRequest:
    """From untrusted bytes; FormatError."""
    try:
        return PageRequest.model_validate(parse_json(data, _REQUEST_MAX))
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, where(error)) from None


class OldFrame(NamedTuple):
    """A frame as it stands in the hub's stream."""

    sequence: int
    subject: str
    raw: bytes


class Page(NamedTuple):
    """`last` is where the stream ends, `more` whether the community has frames after this page."""

    last: int
    more: bool
    frames: tuple[OldFrame, ...]

    def to_bytes(self) -> bytes:
        """`u8 version || u64be last || u8 more`, then for each frame `u64be sequence || u8 length || u32be
        length || subject || frame`.
        """
        pieces = [
            each.sequence.to_bytes(8)
            + len(each.subject).to_bytes(1)
            + len(each.raw).to_bytes(4)
            + each.subject.encode()
            + each.raw
            for each in self.frames
        ]
        return bytes((_VERSION,)) + self.last.to_bytes(8) + bytes((self.more,)) + b"".join(pieces)


def refusal_page(code: Code) -> bytes:
    """The answer of a hub that gives no page: `u8 0 || code`."""
    return bytes((_REFUSED,)) + code.value.encode()


def parse_page(data: bytes, after: int) -> Page:
    """The hub's answer to a request for what stands after `after`. FormatError `bad_page` when it is none;
    TrustError with the hub's code when it refuses.
    """
    if data[:1] == bytes((_REFUSED,)):
        raise TrustError(_code(data[1:]), "the hub gives no old frames of this community")
    if len(data) > PAGE_MAX or len(data) < _HEAD_SIZE or data[0] != _VERSION or data[_MORE_AT] > 1:
        raise _bad_page("it is no page of version 1")
    last, more = int.from_bytes(data[1:_MORE_AT]), bool(data[_MORE_AT])
    frames = _pieces(data[_HEAD_SIZE:])
    order = [after, *(each.sequence for each in frames), last]
    if sorted(set(order[:-1])) != order[:-1] or order[-2] > last or last > INTEGER_MAX:
        raise _bad_page("its frames do not follow each other")
    if more and not frames:
        raise _bad_page("it says that there is more, and gives nothing")
    return Page(last, more, tuple(frames))


def _pieces(data: bytes) -> list[OldFrame]:
    found, at = list[OldFrame](), 0
    while at < len(data):
        head = data[at : at + _PIECE_HEAD]
        begin = at + _PIECE_HEAD
        middle = begin + (head[_LENGTH_AT] if len(head) == _PIECE_HEAD else 0)
        at = middle + int.from_bytes(head[_MORE_AT:])
        subject = data[begin:middle]
        cut = len(head) < _PIECE_HEAD or at > len(data)
        if cut or not subject.isascii() or not subject.startswith(b"f."):
            raise _bad_page("a frame in it is cut off, or is none")
        found.append(OldFrame(int.from_bytes(head[:8]), subject.decode("ascii"), data[middle:at]))
    return found


def _code(said: bytes) -> Code:
    try:
        return Code(said.decode("ascii", "replace"))
    except ValueError:
        return Code.INTERNAL


def _bad_page(message: str) -> FormatError:
    return FormatError(Code.BAD_PAGE, message, "treat the hub as hostile or broken")
