"""Every fuzz target by its name."""

from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import agency, chat, documents, files, hub, room, sharing, wire

TARGETS: Final[dict[str, Target]] = {
    each.name: each
    for group in (wire, documents, files, agency, hub, chat, room, sharing)
    for each in group.TARGETS
}
