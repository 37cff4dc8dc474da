"""How much of a bulletin a chat may see. Pure; part of the release gate in `bots.showing.render`.

The chat service can read what the bot sends (docs: no end-to-end encryption for bots), so the agency sets a
ceiling by TLP: up to `full` everything, up to `stub` a stub (reference, kind, severity, marking), above
only that a bulletin waits.
"""

from dataclasses import dataclass
from enum import StrEnum

from schemas.vocabulary import Tlp


class Release(StrEnum):
    """What may be shown."""

    FULL = "full"
    STUB = "stub"
    WAITING = "waiting"


class Sight(StrEnum):
    """How much of a bulletin was shown, for the audit: as its release lets, or in a list, with its title."""

    FULL = "full"
    TITLE = "title"
    STUB = "stub"
    WAITING = "waiting"


@dataclass(slots=True)
class Ceiling:
    """The agency's decision: the highest marking in full, and the highest as a stub (at least `full`).

    The running bot shares one: when an administrator lowers it (`bots.officers.limit`), that holds
    everywhere at once.
    """

    full: Tlp = Tlp.GREEN
    stub: Tlp = Tlp.AMBER
    room: str = ""
    """The origin of the agency's reading room, where what is withheld can be read; empty: there is none."""
    by_link: Tlp = Tlp.AMBER_STRICT
    """The highest marking that the room shows to who comes by chat's link."""
    by_passkey: Tlp = Tlp.RED
    """The same for who comes with a passkey made at the agency's terminal: all that the room shows."""

    @property
    def withheld(self) -> Tlp | None:
        """The lowest marking that is not shown in full; None when all are."""
        return next((each for each in sorted(Tlp, key=_rank) if each.rank > self.full.rank), None)

    def allows(self, tlp: Tlp) -> Release:
        """What may be shown of a bulletin with this marking."""
        if tlp.rank <= self.full.rank:
            return Release.FULL
        return Release.STUB if tlp.rank <= self.stub.rank else Release.WAITING


def by_title(release: Release) -> Sight:
    """What a list shows of a bulletin that may be shown so far."""
    return Sight.TITLE if release is Release.FULL else Sight(release)


def _rank(tlp: Tlp) -> int:
    return tlp.rank
