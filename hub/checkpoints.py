"""Heads of the directory: a checkpoint that the hub offers, the cosignatures that come for it, and what of
that is due. Pure. FORMAT.md, "Checkpoints"; docs/decisions/0016.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from schemas.checkpoint import Checkpoint, Note, NoteSignature, check_note, origin_of, sign_log
from schemas.directory import Directory
from schemas.documents import Root, Witness
from schemas.errors import Code, TrustError
from schemas.merkle import Head
from schemas.signing import Signer

BATCH_SECONDS: Final = 1.0
"""Offers are at least so far apart: documents that come together share one."""
GATHER_SECONDS: Final = 5.0
"""How long an offer without its quorum waits for cosignatures before a longer log is offered instead."""
PERIOD_LEAST: Final = 60.0
PERIOD_MOST: Final = 3600.0
_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class Offer:
    """A checkpoint as the log signed it, under the root that counts. `cosigned` maps a witness's name to its
    newest time (Unix ms) and signature; `told` is how many of them the newest published note carried, -1
    while there is none.
    """

    note: Note
    root: Root
    hub_key: bytes
    cosigned: Mapping[str, tuple[int, NoteSignature]] = field(default_factory=dict)
    told: int = -1

    @classmethod
    def of(cls, directory: Directory, fingerprint: bytes, signer: Signer) -> "Offer":
        """The directory's head, signed by the hub's receipt key. `fingerprint` is that of root version 1."""
        origin = origin_of(fingerprint)
        checkpoint = Checkpoint(origin, directory.head)
        return cls(Note(checkpoint, (sign_log(checkpoint, origin, signer),)), directory.root, signer.public)

    @property
    def head(self) -> Head:
        """What it is an offer of."""
        return self.note.checkpoint.head

    def take(self, note: Note, latest: int) -> "Offer":
        """The offer with the cosignatures in `note`, which is over the same checkpoint. TrustError
        `witness_shortfall` when no witness of the root signed it, `from_the_future` after `latest` (Unix ms).
        """
        found = dict(self.cosigned)
        valid = [
            (witness.name, time, signature)
            for witness in self.root.witnesses
            for signature in note.signatures
            if (time := self._time(witness, signature)) is not None
        ]
        if not valid:
            raise TrustError(
                Code.WITNESS_SHORTFALL,
                "no cosignature by a witness of the root",
                "see that the root names this witness and its key",
            )
        for name, time, signature in valid:
            if time > latest:
                raise TrustError(
                    Code.FROM_THE_FUTURE, "a cosignature of a time to come", "set the witness's clock by NTP"
                )
            if name not in found or time > found[name][0]:
                found[name] = (time, signature)
        return replace(self, cosigned=found)

    def _time(self, witness: Witness, signature: NoteSignature) -> int | None:
        if signature.name != witness.name:
            return None
        signed = self.note._replace(signatures=(*self.note.signatures, signature))
        try:
            return check_note(signed, self.note.checkpoint.origin, self.hub_key, [witness], 1).times[0]
        except TrustError:
            return None

    @property
    def complete(self) -> bool:
        """Whether a quorum has signed."""
        return len(self.cosigned) >= self.root.quorum

    @property
    def due(self) -> Note | None:
        """The note to publish; None when there is no quorum, or nobody new since the last one. So one offer
        is published at most once for each witness, and once more.
        """
        if not self.complete or len(self.cosigned) <= self.told:
            return None
        return self.note._replace(
            signatures=(*self.note.signatures, *(signature for _, signature in self.cosigned.values()))
        )

    def published(self) -> "Offer":
        """The offer after its due note was published."""
        return replace(self, told=len(self.cosigned))


def accept(
    offer: Offer | None, note: Note, directory: Directory, fingerprint: bytes, latest: int
) -> Offer | None:
    """The offer after a note that a witness handed in. One of a head that the log had, and that is offered no
    longer, came late: no news, and nothing wrong. TrustError `bad_checkpoint` for any other checkpoint, or as
    `Offer.take`.
    """
    if offer is not None and note.checkpoint == offer.note.checkpoint:
        return offer.take(note, latest)
    origin, (size, root) = note.checkpoint
    known = size < len(directory.roots) and directory.roots[size] == root
    if origin != origin_of(fingerprint) or not known:
        raise TrustError(
            Code.BAD_CHECKPOINT, "not a checkpoint that this log offered", "cosign the newest offer"
        )
    return offer


def period(root: Root) -> float:
    """Seconds after which the same head is offered again, so that it never comes near to being stale: a
    quarter of the freshness time, within a minute and an hour.
    """
    return min(PERIOD_MOST, max(PERIOD_LEAST, root.freshness / 1000 / _PARTS))


def wait(offer: Offer, size: int, age: float) -> float:
    """Seconds until the next offer, 0 or less for now. `size` is the log's, `age` the offer's in seconds."""
    if size == offer.head.size:
        return period(offer.root) - age
    return (BATCH_SECONDS if offer.complete else GATHER_SECONDS) - age
