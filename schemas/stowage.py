"""What lies in a backup: files one after the other (as tar has it), and at the end a manifest with the size
and SHA-256 of each. Pure: where the bytes come from and go to is the caller's.
"""

import io
import re
import tarfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.cask import Packing, Unpacking
from schemas.encoding import canonical_json, parse_json
from schemas.errors import Code, FormatError
from schemas.limits import INTEGER_MAX

MANIFEST: Final = "manifest.json"
_MANIFEST_MAX: Final = 16 * 1024 * 1024
_BLOCK: Final = 256 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,7}")
"""No part begins with a dot: none leads out of the directory that it is put into."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Entry(_Strict):
    """One file of a backup."""

    size: Annotated[int, Field(ge=0, le=INTEGER_MAX)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Manifest(_Strict):
    """All of them, and what whoever made the backup says about it."""

    v: Literal[1] = 1
    about: dict[str, Any]
    files: dict[str, Entry]


class Readable(Protocol):
    """What files are read from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


class Stowing:
    """Puts files into a backup. `close` writes the manifest and ends both."""

    def __init__(self, cask: Packing) -> None:
        self._cask = cask
        self._tar = tarfile.open(fileobj=cask, mode="w|", format=tarfile.PAX_FORMAT)  # type: ignore[call-overload] # noqa: SIM115 - it asks for more than it uses; closed by `close`
        self.files: dict[str, Entry] = {}

    def add(self, name: str, data: bytes) -> None:
        """A file that is at hand."""
        self.add_from(name, io.BytesIO(data), len(data))

    def add_from(self, name: str, source: Readable, size: int) -> None:
        """A file of `size` bytes that is read as it is written. OSError when it has fewer."""
        counted = _Counted(source)
        member = tarfile.TarInfo(name)
        member.size = size
        self._tar.addfile(member, counted)
        self.files[name] = Entry(size=size, sha256=counted.sha256.hexdigest())

    def close(self, about: dict[str, Any]) -> Manifest:
        """The manifest, which is then in the backup."""
        manifest = Manifest(about=about, files=dict(self.files))
        self.add(MANIFEST, canonical_json(manifest.model_dump(mode="json")))
        self._tar.close()
        self._cask.close()
        return manifest


def unstow(cask: Unpacking, put: Callable[[str, Iterator[bytes]], None]) -> Manifest:
    """Give each file to `put(name, pieces)`, which must take all pieces, and hold everything against the
    manifest: only then is the backup whole.

    Raises what `Unpacking` raises, FormatError `bad_document` when the manifest is missing or says otherwise.
    """
    found, manifest = dict[str, Entry](), b""
    try:
        with tarfile.open(fileobj=cask, mode="r|") as tar:  # type: ignore[call-overload] # the same
            for member in tar:
                source = tar.extractfile(member)
                if source is None or not member.isreg() or not _NAME.fullmatch(member.name):
                    raise _bad("there is something in it that no backup has")
                if member.name == MANIFEST:
                    manifest = source.read(_MANIFEST_MAX + 1)
                    continue
                pieces = _Pieces(source)
                put(member.name, iter(pieces))
                found[member.name] = Entry(size=pieces.size, sha256=pieces.sha256.hexdigest())
    except tarfile.TarError:
        raise _bad("its files cannot be told apart") from None
    cask.finish()
    try:
        said = Manifest.model_validate(parse_json(manifest, _MANIFEST_MAX))
    except (ValidationError, FormatError):
        raise _bad("it has no manifest") from None
    if said.files != found:
        wrong = sorted(name for name in {*said.files, *found} if said.files.get(name) != found.get(name))
        raise _bad(f"{wrong[0]} is not as its manifest says")
    return said


class _Counted:
    """A source that is hashed as it is read."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.sha256 = sha256()

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


class _Pieces:
    """The bytes of one file, hashed and counted as they go by."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.sha256 = sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._source.read(_BLOCK):
            self.sha256.update(piece)
            self.size += len(piece)
            yield piece


def _bad(message: str) -> FormatError:
    return FormatError(Code.BAD_DOCUMENT, f"this is no whole backup: {message}", "take another backup")
