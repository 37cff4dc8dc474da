"""The files of durables that the local server could not read: put aside before a durable is made anew, and
deleted once it is. Who is killed in between knows by them that it is to begin from the beginning. There is a
twin on the hub's side.
"""

import shutil
from pathlib import Path
from typing import Final

import structlog

from schemas.subjects import BULLETINS

log = structlog.get_logger(__name__)

_STORED: Final = f"jetstream/*/streams/{BULLETINS}/obs"


class Spoiled:
    """Those of the server whose files are in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put_aside(self, client: str) -> bool:
        """Whether there were files of a durable that the server has not loaded; they are aside now."""
        for found in self._directory.glob(f"{_STORED}/{client}"):
            log.warning("the server cannot read a client's place: it is made anew", client=client)
            self.forget(client)
            aside = self._aside(client)
            aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            found.rename(aside)
            return True
        return False

    def is_aside(self, client: str) -> bool:
        """Whether it is still to be made anew."""
        return self._aside(client).exists()

    def forget(self, client: str) -> None:
        """It is made."""
        shutil.rmtree(self._aside(client), ignore_errors=True)

    def _aside(self, client: str) -> Path:
        return self._directory / "spoiled" / client
