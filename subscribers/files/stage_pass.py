"""One pass of the cipher over one file, onto this machine's disk. Synchronous, for threads."""

import os
from functools import partial
from pathlib import Path

from schemas.attachments import address_of, tree
from schemas.errors import Code, OperationError, SealError
from subscribers.attachments import FileKey, Opener, Sealer
from subscribers.files.spool import Spool, on_disk, opened, whole_chunks
from subscribers.storage.upload_rows import Staged


class Pass:
    """Takes a file in and writes its chunks to `path`, which it begins anew."""

    def __init__(self, path: Path, staged: Staged) -> None:
        self._sealer = Sealer(FileKey(staged.key), staged.header, staged.size)
        self._file = opened(path, "wb")
        self._addresses: list[bytes] = []

    @property
    def taken(self) -> int:
        """Bytes of the file so far."""
        return self._sealer.taken

    def add(self, data: bytes) -> None:
        """The next bytes. OperationError `bad_attachment` when there are too many, `disk_full`."""
        for chunk in self._sealer.add(data):
            self._write(chunk)

    def finish(self, digest: str) -> str:
        """The padding, and the lists behind the chunks; all on the disk when this returns. The tree's root,
        hex.

        OperationError `bad_attachment` when its SHA-256 is not `digest`; `disk_full`.
        """
        if self._sealer.digest != digest:
            raise OperationError(
                Code.BAD_ATTACHMENT, "the file has changed while it was read", "attach it again"
            )
        for chunk in self._sealer.finish():
            self._write(chunk)
        made = tree(self._addresses)
        for each in made.lists:
            on_disk(partial(self._file.write, each))
        on_disk(self._file.flush)
        on_disk(partial(os.fsync, self._file.fileno()))
        self.close()
        return made.root.hex()

    def close(self) -> None:
        """Let go of the file."""
        on_disk(self._file.close)

    def _write(self, chunk: bytes) -> None:
        on_disk(partial(self._file.write, chunk))
        self._addresses.append(address_of(chunk))


def sealed_again(lost: Staged, renewed: Staged, spool: Spool) -> Pass:
    """A pass under a fresh key over what a lost one had taken: its chunks are opened, up to the first that is
    not whole and right.
    """
    again = Pass(spool.path(renewed.spool_name), renewed)
    opener = Opener(lost.seal, lost.size)
    try:
        for chunk in whole_chunks(spool.path(lost.spool_name), lost.size):
            again.add(opener.open(chunk))
    except SealError:
        pass  # a power cut: what is behind it is asked for again
    return again
