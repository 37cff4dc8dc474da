"""Seal and open the chunks of an attachment: the one place where a file meets its key. FORMAT.md,
"Attachments".

XChaCha20-Poly1305 in a secretstream (libsodium): each chunk opens only behind the ones before it, and the
last one says that it is the last. A `Sealer` goes through one file once and is thrown away: its state never
meets two plaintexts. Neither does any I/O.
"""

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final

from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
)
from nacl.exceptions import CryptoError
from nacl.exceptions import RuntimeError as SodiumError

from schemas.attachments import Seal, chunk_count, chunk_room, chunk_size
from schemas.errors import Code, OperationError, SealError
from schemas.limits import CHUNK_SIZE, STREAM_HEADER_SIZE
from subscribers.keys import Secret

_MESSAGE: Final = 0
_FINAL: Final = 3

_ASK: Final = "ask the publisher to send it again"

Random = Callable[[int], bytes]


class FileKey(Secret):
    """The key of one attachment, fresh for each."""

    @classmethod
    def of(cls, seal: Seal) -> "FileKey":
        """The key that a bulletin gives."""
        return cls(bytes.fromhex(seal.key))


def fresh(random: Random = os.urandom) -> tuple[FileKey, bytes]:
    """A key and a stream's header, for one pass over one file."""
    return FileKey.generate(random), random(STREAM_HEADER_SIZE)


def seal_of(key: FileKey, header: bytes, root: bytes) -> Seal:
    """What the bulletin says of it."""
    return Seal(key=bytes(key).hex(), header=header.hex(), root=root.hex())


class Sealer:
    """Takes the bytes of a file of `size` bytes, in pieces of any length, and gives its chunks, in order."""

    def __init__(self, key: FileKey, header: bytes, size: int) -> None:
        self._state = _begun(key, header)
        self._size = size
        self._count = chunk_count(size)
        self._made = 0
        self._held = bytearray()
        self._digest = sha256()
        self.taken = 0
        """Bytes of the file so far."""

    @property
    def digest(self) -> str:
        """SHA-256 of what was taken so far, in hex."""
        return self._digest.hexdigest()

    def add(self, data: bytes) -> Iterator[bytes]:
        """The chunks that these next bytes complete; work through all of them before adding more.

        OperationError `bad_attachment` when there is more than the size that was told.
        """
        self.taken += len(data)
        if self.taken > self._size:
            raise OperationError(Code.BAD_ATTACHMENT, "the file has become longer", "attach it again")
        self._digest.update(data)
        self._held += data
        while len(self._held) >= CHUNK_SIZE:
            yield self._chunk()

    def finish(self) -> Iterator[bytes]:
        """The rest, with the padding. OperationError `bad_attachment` when bytes are missing."""
        if self.taken != self._size:
            raise OperationError(Code.BAD_ATTACHMENT, "the file has become shorter", "attach it again")
        while self._made < self._count:
            room = chunk_room(self._size, self._made)
            self._held += bytes(room - len(self._held))
            yield self._chunk()

    def _chunk(self) -> bytes:
        room = chunk_room(self._size, self._made)
        plain = bytes(self._held[:room])
        del self._held[:room]
        self._made += 1
        tag = _FINAL if self._made == self._count else _MESSAGE
        sealed: bytes = crypto_secretstream_xchacha20poly1305_push(self._state, plain, None, tag)
        return sealed


class Opener:
    """Takes the chunks of an attachment in order and gives the bytes of the file."""

    def __init__(self, seal: Seal, size: int) -> None:
        self._state = _begun(FileKey.of(seal), bytes.fromhex(seal.header))
        self._size = size
        self._count = chunk_count(size)
        self._digest = sha256()
        self.opened = 0
        """Chunks so far."""
        self.given = 0
        """Bytes of the file so far."""

    def open(self, chunk: bytes) -> bytes:
        """The file's bytes in the next chunk; none in a chunk of padding.

        Raises SealError: `bad_attachment` for a chunk too many, of another length or marked as the last
        before the end, `decryption_failed` for one that is not the next under this key, `truncated` for a
        last one that is not marked so, `bad_padding`.
        """
        if self.opened == self._count:
            raise SealError(Code.BAD_ATTACHMENT, "there are more chunks than the file has", _ASK)
        if len(chunk) != chunk_size(self._size, self.opened):
            raise SealError(Code.BAD_ATTACHMENT, "a chunk has another length than it must have", _ASK)
        try:
            plain, tag = crypto_secretstream_xchacha20poly1305_pull(self._state, chunk)
        except (CryptoError, SodiumError):
            raise SealError(Code.DECRYPTION_FAILED, "a chunk does not open in its place", _ASK) from None
        self.opened += 1
        if self.opened == self._count and tag == _MESSAGE:
            raise SealError(Code.TRUNCATED, "the last chunk does not say that it is the last", _ASK)
        if tag != (_FINAL if self.opened == self._count else _MESSAGE):
            raise SealError(Code.BAD_ATTACHMENT, "a chunk says that the file ends before its end", _ASK)
        data: bytes = plain[: max(self._size - self.given, 0)]
        if not plain.endswith(bytes(len(plain) - len(data))):
            raise SealError(Code.BAD_PADDING, "the padding is not zero", _ASK)
        self.given += len(data)
        self._digest.update(data)
        return data

    def check(self, digest: str) -> None:
        """That all of it has been opened and is the file that the bulletin names, by its SHA-256 in hex.

        SealError `truncated` or `bad_attachment`.
        """
        if self.opened != self._count:
            raise SealError(Code.TRUNCATED, "chunks are missing at the end", _ASK)
        if self._digest.hexdigest() != digest:
            raise SealError(Code.BAD_ATTACHMENT, "it is another file than the one that was announced", _ASK)


def _begun(key: FileKey, header: bytes) -> crypto_secretstream_xchacha20poly1305_state:
    # The state is the same for both directions; only `init_push` insists on drawing the header itself, and
    # the header has to be written down before the first chunk exists.
    state = crypto_secretstream_xchacha20poly1305_state()
    crypto_secretstream_xchacha20poly1305_init_pull(state, header, bytes(key))
    return state
