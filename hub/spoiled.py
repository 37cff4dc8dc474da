"""Durables that the server cannot read. An embedded server's files are put aside before a durable is made
anew, and deleted once it is; another server's are its operator's to delete, and here it is remembered that
they will be. Who is killed in between knows by what is aside that it is to begin from the beginning.
"""

import shutil
from pathlib import Path
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

_STORED: Final = "store/jetstream/*/streams"


class Spoiled:
    """What is aside in `directory`. `embedded`: the server's own files are there, too."""

    def __init__(self, directory: Path, *, embedded: bool) -> None:
        self._directory = directory
        self._embedded = embedded

    def put_aside(self, stream: str, durable: str) -> bool:
        """Whether there were files of a durable that the server has not loaded; they are aside now."""
        aside = self._aside(stream, durable)
        if not self._embedded:
            aside.mkdir(mode=0o700, parents=True, exist_ok=True)
            return False
        for found in self._directory.glob(f"{_STORED}/{stream}/obs/{durable}"):
            _log.warning("a durable cannot be read: it is made anew", stream=stream, durable=durable)
            self.forget(stream, durable)
            aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            found.rename(aside)
            return True
        return False

    def is_aside(self, stream: str, durable: str) -> bool:
        """Whether it is still to be made anew."""
        return self._aside(stream, durable).exists()

    def forget(self, stream: str, durable: str) -> None:
        """It is made."""
        shutil.rmtree(self._aside(stream, durable), ignore_errors=True)

    def _aside(self, stream: str, durable: str) -> Path:
        return self._directory / "spoiled" / stream / durable
