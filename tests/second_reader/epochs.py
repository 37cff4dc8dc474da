"""Epochs: keys that publishers announce, and what is derived from them."""

from dataclasses import dataclass
from hashlib import blake2b

from .frame import Frame
from .refusals import demand


def derived(key: bytes, person: bytes) -> bytes:
    """A key or a commitment that is made of another key."""
    return blake2b(key=key, digest_size=32, person=person).digest()


def aead_key(key: bytes) -> bytes:
    """The key under which an epoch's bodies are sealed."""
    return derived(key, b"liaison/1 aead")


def key_commitment(key: bytes) -> bytes:
    """What an announcement says of an epoch's key."""
    return derived(key, b"liaison/1 commit")


@dataclass
class Epoch:
    """An epoch whose announcement was accepted."""

    announcement: Frame
    due: bool

    @property
    def hist(self) -> str:
        """Which bulletins go under it."""
        return self.announcement.header.hist


class Epochs:
    """The epochs that a reader knows."""

    def __init__(self) -> None:
        self._epochs: dict[tuple[str, str, int], Epoch] = {}
        self._reserved: dict[tuple[str, str, int], bytes] = {}

    def reserve(self, frame: Frame) -> None:
        """Let no other frame announce the number of an announcement."""
        header = frame.header
        self._reserved[header.pub, header.com, header.ep] = frame.hash

    def announce(self, frame: Frame, due: bool, anchor: int) -> None:
        """Take an announcement in a chain with that anchor."""
        header = frame.header
        place = (header.pub, header.com, header.ep)
        demand(header.ep >= anchor and place not in self._epochs, "not_next")
        demand(self._reserved.get(place, frame.hash) == frame.hash, "not_next")
        self._epochs[place] = Epoch(frame, due)

    def of(self, frame: Frame) -> Epoch | None:
        """The epoch under which a frame goes, if it was announced in the frame's chain."""
        header = frame.header
        epoch = self._epochs.get((header.pub, header.com, header.ep))
        return epoch if epoch and epoch.announcement.header.chain == header.chain else None

    def announced_by(self, digest: bytes) -> Epoch | None:
        """The epoch whose announcement has a hash."""
        return next((epoch for epoch in self._epochs.values() if epoch.announcement.hash == digest), None)
