"""What a node's clients may ask of the agency's identity key, and what is answered."""

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from schemas.particulars import Instant


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IdentityState(_Shape):
    """An agency's identity key, and what is to become of it. Fingerprints are what its people read aloud."""

    agency: str
    agency_name: str
    own: bool
    fingerprint: str
    next_fingerprint: str = ""
    """Of the key that is to replace it; empty where none is."""
    effective: Instant | None = None
    """When it may be taken up; sooner where the present key signs too."""
    disputed: bool = False
    """Its present key has objected to a replacement."""


class IdentityRequest(_Shape):
    """A new identity key that is ready on the node's machine: its fingerprint to be read aloud, and the
    request for the secretariat.
    """

    fingerprint: str
    request: str


class IdentityDocument(_Shape):
    """A signed document about our identity; `submitted` where the hub has taken it."""

    agency: str
    document: str
    submitted: bool


class SuccessionApi(Protocol):
    """What becomes of the agency's identity key."""

    def identity(self) -> list[IdentityState]:
        """Our own, and every agency's that is about to change."""

    async def identity_new(self) -> IdentityRequest:
        """A new key on the node's machine, and the request for the secretariat."""

    async def identity_object(self) -> IdentityDocument:
        """Our no to the replacement that waits."""

    async def identity_take_up(self) -> IdentityDocument:
        """Our new key, from now on."""
