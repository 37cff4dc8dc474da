"""What every way of sealing can do in the bench, and which there are here."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from tests.bench.peers import gnupg, jose, megolm


class Sealer(Protocol):
    """One publisher and its readers. What it seals, it signs; what a reader opens, it verifies."""

    def first(self, payload: bytes) -> Any:  # each has a form of its own
        """Seal for all of them, with whatever of keys has to reach them before they can open it."""

    def further(self, payload: bytes) -> Any:  # the same
        """Seal the next one to the same readers."""

    def open(self, sealed: Any) -> bytes:  # the same
        """What one of the readers makes of the outcome of `first`."""

    def size(self, sealed: Any) -> int:  # the same
        """Bytes that have to be sent, to all readers together, each part counted once."""


class Peer(NamedTuple):
    """`missing` says why it is not here, and how to get it; empty when it is."""

    name: str
    missing: str
    made: Any

    def sealer(self, directory: Path, readers: int) -> AbstractContextManager[Sealer]:
        """One for so many readers; what it needs of files is in `directory`."""
        made: AbstractContextManager[Sealer] = self.made(directory, readers)
        return made


@contextmanager
def _jose(_directory: Path, readers: int) -> Iterator[Sealer]:
    yield jose.Jose(readers)


@contextmanager
def _megolm(_directory: Path, readers: int) -> Iterator[Sealer]:
    yield megolm.Megolm(readers)


PEERS: Final = (
    Peer("gnupg", gnupg.missing(), gnupg.prepared),
    Peer("joserfc", jose.missing(), _jose),
    Peer("vodozemac", megolm.missing(), _megolm),
)
