"""Identities: the identity key of an agency, and how another comes in its place."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .documents import Document, role_keys
from .limits import DISPUTE_FACTOR
from .refusals import Refused, demand
from .signatures import Envelope, public_key

_NEVER_REPLACED = -1


def demand_role(role: Document, envelope: Envelope) -> None:
    """Refuse what a role has not signed."""
    envelope.demand_signers(role_keys(role), role["threshold"])


@dataclass
class Identity:
    """The identity keys that an agency had, the one that is waiting, and whether there is a dispute.

    `keys` has with each key from which entry on it counts in which membership log (from 0 in others); `place`
    is that of the last `identity` document, `agreed` whether the key before has signed it too.
    """

    keys: list[tuple[bytes, dict[str, int]]]
    place: int = _NEVER_REPLACED
    dispute: bool = False
    agreed: bool = False
    waiting: tuple[bytes, int] | None = None

    @property
    def key(self) -> bytes:
        """The key that counts in the directory."""
        return self.keys[-1][0]

    def key_at(self, community: str, index: int) -> bytes:
        """The key that counts for an entry of a membership log."""
        return next(key for key, sizes in reversed(self.keys) if index >= sizes.get(community, 0))

    def demand_replaceable(
        self, document: Document, envelope: Envelope, root_role: Document, cool_down: int
    ) -> None:
        """Refuse a `replace` document that is not allowed now."""
        if self.dispute:
            demand_role(root_role, envelope)
        demand(self.waiting is None, "not_next")
        factor = DISPUTE_FACTOR if self.dispute else 1
        demand(document["nbf"] >= document["issued"] + cool_down * factor, "too_early")

    def wait_for(self, key: bytes, nbf: int) -> None:
        """Begin a replacement."""
        self.waiting = key, nbf

    def end(self, document: Document, envelope: Envelope, registrar: Document) -> None:
        """End a replacement: the registrar takes it back, or the present key objects to it."""
        self._demand_waiting(document)
        if envelope.signers(role_keys(registrar)) < registrar["threshold"]:
            demand(not self.dispute, "below_threshold")
            envelope.demand_signer(self.key)
            self.dispute = True
        self.waiting = None

    def take_up(self, document: Document, envelope: Envelope, place: int) -> None:
        """Let the key that is waiting take effect."""
        key, nbf = self._demand_waiting(document)
        envelope.demand_signer(key)
        communities = [log["com"] for log in document["logs"]]
        demand(all(a < b for a, b in pairwise(communities)), "bad_document")
        agreed = envelope.signers([self.key]) == 1
        demand(agreed or document["issued"] >= nbf, "too_early")
        self.agreed = agreed
        self.keys.append((key, {log["com"]: log["size"] for log in document["logs"]}))
        self.waiting = None
        self.dispute = False
        self.place = place

    def _demand_waiting(self, document: Document) -> tuple[bytes, int]:
        if self.waiting is None or self.waiting[0] != public_key(document["identity"]):
            raise Refused("unknown_key")
        return self.waiting
