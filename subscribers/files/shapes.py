"""What the node says of files on their way, and the Protocol behind the verbs that move them. No I/O."""

from typing import Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from schemas.attachments import FileName, FileSize, Hash, MediaType
from schemas.limits import CHUNK_SIZE
from schemas.particulars import Uuid7
from subscribers.service.roles import ClientIdentity

PIECE_MAX: Final = 4 * CHUNK_SIZE
"""Bytes of a file in one request or answer between a client and its node. Pieces begin at multiples of 64
KiB.
"""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Shape):
    """A file as its bulletin describes it."""

    name: FileName
    media: MediaType
    size: FileSize
    sha256: Hash


class Upload(File):
    """A file that a client gives to the node, to be attached to a bulletin."""

    id: Uuid7
    state: Literal["staging", "sending", "stored", "refused"]
    """The node takes it in; it goes to the hub; the hub has all of it; the hub has refused it."""
    taken: Annotated[int, Field(ge=0)]
    """Bytes that the node has."""
    blobs: Annotated[int, Field(ge=1)]
    """Chunks, and lists of chunks, that the hub must have."""
    sent: Annotated[int, Field(ge=0)]
    """Of these, how many it has confirmed."""
    code: str | None = None
    """Why the hub has refused it, or why nothing goes out just now."""


class Download(File):
    """An attachment on its way from the hub to the node."""

    ready: bool
    """All of it is here: its bytes can be asked for."""
    chunks: Annotated[int, Field(ge=1)]
    fetched: Annotated[int, Field(ge=0)]
    """Of these, how many are here, held against their addresses."""


class FilePiece(_Shape):
    """Some of an attachment's bytes. `last`: there are no more, and all of them were held against what the
    bulletin says of the file.
    """

    offset: Annotated[int, Field(ge=0)]
    data: str = Field(repr=False)
    """Base64."""
    last: bool


class FilesApi(Protocol):
    """What the node does with files. Role and ceiling have been enforced by the service. Refusals are
    LiaisonError.
    """

    async def attach(self, client: ClientIdentity, file: File) -> Upload:
        """Begin to take in a file, or go on with one that this client has begun."""

    async def attach_data(self, client: ClientIdentity, upload: str, offset: int, data: bytes) -> Upload:
        """The file's next bytes; what the node has already is passed over."""

    async def attach_status(self, client: ClientIdentity, upload: str) -> Upload:
        """How far it is."""

    async def fetch(self, bulletin: str, name: str) -> Download:
        """Have the node fetch an attachment of the bulletin of that id; how far it is."""

    async def fetch_data(self, client: ClientIdentity, bulletin: str, name: str, offset: int) -> FilePiece:
        """Its bytes from `offset` on."""
