"""A short draft with all that it needs."""

from typing import Final

from bots.drafting.draft import HalfDraft
from schemas.vocabulary import Kind, Severity, Tlp
from tests.support.node_api import COMMUNITY

HELD: Final = HalfDraft(
    tlp=Tlp.GREEN,
    community=COMMUNITY,
    kind=Kind.THREAT,
    severity=Severity.LOW,
    title="Drone over the stadium",
    body="Seen at noon.",
)
