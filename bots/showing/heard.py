"""Who of the agency acknowledged a bulletin that rang, in words. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bots.wording.markup import Span
from bots.wording.words import Words


@dataclass(frozen=True, slots=True)
class Heard:
    """Who of the agency acknowledged a bulletin that rang, '' when not in this chat, and when."""

    name: str
    at: datetime

    def said(self, say: Words, zone: ZoneInfo) -> str:
        """In words."""
        time = say.embed(say.when(self.at, zone))
        if self.name:
            return say.text("Acknowledged by {name}, {time}", name=say.embed(self.name), time=time)
        return say.text("Acknowledged by your agency outside this chat, {time}", time=time)


def heard(by: Heard | None, say: Words, zone: ZoneInfo) -> Iterable[Span]:
    """A line of its own; nothing for a bulletin that nobody acknowledged so."""
    if by is not None:
        yield Span("\n✅ " + by.said(say, zone))
