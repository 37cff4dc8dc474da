"""Heads that a witness does not cosign yet: they reach the replacement of an identity key that others have
not had the time to object to. FORMAT.md, "Directory".
"""

from schemas.directory import Directory
from schemas.documents import Identity, Replace, SignedDocument
from subscribers.judging.cooling import early_until, ready_at


class Holds:
    """From which size of the directory on, and until when (Unix ms). `ready` is when each replacement has had
    its time by this witness's clock, by the new key.
    """

    def __init__(self, ready: dict[str, int]) -> None:
        self.ready = ready
        self._held: list[tuple[int, int]] = []

    def begun(
        self, before: Directory, signed: SignedDocument, now: int, *, history: bool
    ) -> tuple[str, int] | None:
        """What to keep of a replacement that came at `now`; None for other documents. `history`: this witness
        has signed nothing yet, and reads what was there before it.
        """
        document = signed.document
        if not isinstance(document, Replace):
            return None
        return document.identity, ready_at(before, document, now, history=history)

    def take(self, before: Directory, signed: SignedDocument) -> None:
        """The document comes next after `before`."""
        if isinstance(signed.document, Identity):
            self._held.append((before.head.size + 1, early_until(before, signed, self.ready)))

    def until(self, size: int) -> int:
        """Before when (Unix ms) a head of so many documents is held; 0 for not at all."""
        return max((until for reached, until in self._held if reached <= size), default=0)
