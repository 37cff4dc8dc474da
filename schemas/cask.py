r"""A backup as a file: what is put into it is encrypted under a passphrase, piece by piece, and comes out
whole or not at all. Pure: bytes are handed to a callable and asked of one. docs/decisions/0045.

```
cask  = lid line "\n" piece ...
lid   = canonical JSON: type, v, what (hub or node), made (Unix ms), salt
piece = u32be length || nonce[24] || XChaCha20-Poly1305(key, piece; SHA256(lid) || u64be number || u8 last)
key   = scrypt(passphrase, salt, N = 2^15, r = 8, p = 1)
```

The last piece says that it is the last, so that a file that was cut off is noticed, and each piece its
number, so that none can be left out or moved. Hub and node make their backups of it; it holds no content key
of a bulletin by itself, and what is in it is no business of this module.
"""

import os
from collections.abc import Callable
from hashlib import scrypt, sha256
from typing import Annotated, Final, Literal

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.encoding import canonical_json, from_hex, parse_json
from schemas.errors import Code, FormatError, OperationError
from schemas.limits import INTEGER_MAX, NONCE_SIZE

PIECE: Final = 256 * 1024
"""Plain bytes in every piece but the last, which may have fewer."""
PASSPHRASE_MIN: Final = 16
_SALT: Final = 16
_LID_MAX: Final = 512
_TAG: Final = 16
_LENGTH: Final = 4
_COST: Final = 2**15
_MEMORY: Final = 64 * 1024 * 1024

Random = Callable[[int], bytes]


class Lid(BaseModel):
    """What anybody may read of a backup; every piece is bound to it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1
    type: Literal["liaison-cask"] = "liaison-cask"
    what: Literal["hub", "node"]
    made: Annotated[int, Field(ge=0, le=INTEGER_MAX)]
    salt: Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{2 * _SALT}}}$")]

    @classmethod
    def fresh(cls, what: Literal["hub", "node"], made: int, random: Random = os.urandom) -> "Lid":
        """The lid of a new backup, made at `made` (Unix ms)."""
        return cls(what=what, made=made, salt=random(_SALT).hex())

    def line(self) -> bytes:
        """How it stands at the beginning of the file."""
        return canonical_json(self.model_dump(mode="json")) + b"\n"

    def key(self, passphrase: str) -> bytes:
        """The key of this file, 32 bytes. OperationError `bad_request` for a passphrase that is too short."""
        if len(passphrase) < PASSPHRASE_MIN:
            raise OperationError(
                Code.BAD_REQUEST,
                f"the passphrase has fewer than {PASSPHRASE_MIN} characters",
                "make one by `openssl rand -base64 32`, and keep it apart from the backups",
            )
        salt = from_hex(self.salt, _SALT)
        return scrypt(passphrase.encode(), salt=salt, n=_COST, r=8, p=1, maxmem=_MEMORY, dklen=32)


class Packing:
    """A file-like object that encrypts what is written to it. `close` ends it: without that it is no backup.

    `write` takes encrypted bytes; nothing is kept here but the piece that is being filled.
    """

    def __init__(
        self, write: Callable[[bytes], object], lid: Lid, passphrase: str, random: Random = os.urandom
    ) -> None:
        self._write = write
        self._key = lid.key(passphrase)
        self._bound = sha256(lid.line()).digest()
        self._random = random
        self._number = 0
        self._rest = bytearray()
        write(lid.line())

    def write(self, data: bytes) -> int:
        """All of `data` is taken."""
        self._rest += data
        while len(self._rest) > PIECE:  # one piece is held back: the last must know that it is
            self._put(bytes(self._rest[:PIECE]), last=False)
            del self._rest[:PIECE]
        return len(data)

    def close(self) -> None:
        """The last piece."""
        self._put(bytes(self._rest), last=True)

    def _put(self, piece: bytes, *, last: bool) -> None:
        nonce = self._random(NONCE_SIZE)
        bound = _bound(self._bound, self._number, last=last)
        box = nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(piece, bound, nonce, self._key)
        self._write(len(box).to_bytes(_LENGTH) + box)
        self._number += 1


class Unpacking:
    """A file-like object that gives back what was packed; `lid` says of what and when.

    Nothing comes out of it that was changed. Raises FormatError `bad_document` for a file that is no backup,
    `truncated` for one that was cut off; OperationError `wrong_key` for another passphrase or a changed file.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        passphrase: str,
        derive: Callable[[Lid, str], bytes] = Lid.key,
    ) -> None:
        """`derive` makes the key of a lid and a passphrase: it is slow by design."""
        self._read = read
        self.lid, line = _lid(read)
        self._key = derive(self.lid, passphrase)
        self._bound = sha256(line).digest()
        self._number = 0
        self._rest = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end alone."""
        found = self._rest
        while len(found) < size and not self._ended:
            found += self._piece()
        found, self._rest = found[:size], found[size:]
        return found

    def finish(self) -> None:
        """Read to the end. Raises as above when it is not the end that was packed."""
        while not self._ended:
            self._piece()
        if self._read(1):
            raise FormatError(Code.BAD_DOCUMENT, "something follows the end of the backup", _AGAIN)

    def _piece(self) -> bytes:
        length = int.from_bytes(_exactly(self._read, _LENGTH))
        if not NONCE_SIZE + _TAG <= length <= NONCE_SIZE + _TAG + PIECE:
            raise FormatError(Code.BAD_DOCUMENT, "a piece of the backup has no possible length", _AGAIN)
        box = _exactly(self._read, length)
        # A piece that is not full can only be the last; whether a full one is, its bound bytes say.
        full = length == NONCE_SIZE + _TAG + PIECE
        for last in (False, True) if full else (True,):
            bound = _bound(self._bound, self._number, last=last)
            try:
                piece = crypto_aead_xchacha20poly1305_ietf_decrypt(
                    box[NONCE_SIZE:], bound, box[:NONCE_SIZE], self._key
                )
            except CryptoError:
                continue
            self._number += 1
            self._ended = last
            return piece
        raise OperationError(
            Code.WRONG_KEY,
            "another passphrase, or a backup that was changed",
            "give the passphrase that it was made with; else take another backup",
        )


_AGAIN: Final = "take another backup, or copy it again"


def _lid(read: Callable[[int], bytes]) -> tuple[Lid, bytes]:
    line = b""
    while not line.endswith(b"\n"):
        byte = read(1)
        line += byte
        if not byte or len(line) > _LID_MAX:
            raise FormatError(Code.BAD_DOCUMENT, "this is no backup", "name the file that `backup` wrote")
    try:
        lid = Lid.model_validate(parse_json(line[:-1], _LID_MAX))
    except (ValidationError, FormatError):
        fix = "name the file that `backup` wrote, or update this program"
        raise FormatError(Code.BAD_DOCUMENT, "this is no backup of a kind that is known here", fix) from None
    return lid, line


def _exactly(read: Callable[[int], bytes], size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = read(size - len(found))
        if not more:
            raise FormatError(Code.TRUNCATED, "the backup ends before its end", _AGAIN)
        found += more
    return found


def _bound(lid: bytes, number: int, *, last: bool) -> bytes:
    return lid + number.to_bytes(8) + bytes((last,))
