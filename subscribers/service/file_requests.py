"""Requests that move files, for `requests.parse_request`: pure."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from schemas.attachments import FileName, FileSize, Hash, MediaType
from schemas.limits import ATTACHMENT_MAX
from schemas.particulars import Uuid7
from subscribers.files.shapes import PIECE_MAX
from subscribers.service.request import Request, Word

PIECE_REQUEST_MAX: Final = 2 * PIECE_MAX
"""Bytes: a piece of a file in base64."""


class AttachRequest(Request):
    """`attach`: a file as it is now. Asked again, it goes on with what there is."""

    name: FileName
    media: MediaType
    size: FileSize
    sha256: Hash


class AttachDataRequest(Request):
    """`attach-data`: the next bytes of the file."""

    id: Uuid7
    offset: Annotated[int, Field(ge=0, le=ATTACHMENT_MAX, strict=True)]
    data: Annotated[str, StringConstraints(max_length=4 * ((PIECE_MAX + 2) // 3))] = Field(repr=False)
    """Base64."""


class AttachStatusRequest(Request):
    """`attach-status`"""

    id: Uuid7


class FetchRequest(Request):
    """`fetch`: has the node fetch it; asked again, it says how far it is."""

    ref: Word
    name: FileName


class FetchDataRequest(FetchRequest):
    """`fetch-data`: the bytes of a fetched attachment, from a multiple of 64 KiB on."""

    offset: Annotated[int, Field(ge=0, le=ATTACHMENT_MAX, strict=True)] = 0
