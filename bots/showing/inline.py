"""A reference typed inline, in a chat with somebody else: what may be offered for it. Part of the release
gate. Pure.

What is offered can be sent to anybody, by the officer and out of the bot's hands: it cannot be edited or
deleted later. So it is TLP:CLEAR and within the release ceiling, or nothing; and nothing is said of why.
"""

from dataclasses import dataclass
from typing import Final

from bots.showing.release import Ceiling, Release
from bots.showing.render import Reader, render
from bots.showing.rendered import Part
from bots.wording import labels
from bots.wording.words import words
from schemas.vocabulary import Tlp
from subscribers.records import Record

_NEVER: Final = frozenset({"expired", "private"})


@dataclass(frozen=True, slots=True)
class Inline:
    """What a person typed after the bot's name in some chat; `query` is how the door knows it again."""

    person: int
    text: str
    query: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A choice in the person's client: what it is called there, and what is sent once it is chosen."""

    key: str
    title: str
    about: str
    part: Part


def offered(record: Record, ceiling: Ceiling, reader: Reader) -> Offered | None:
    """What may go into any chat: a current bulletin that anybody may be told of; None for every other."""
    bulletin, say = record.bulletin, words(reader.language)
    if bulletin.tlp is not Tlp.CLEAR or ceiling.allows(bulletin.tlp) is not Release.FULL:
        return None
    if record.state == "retracted" or record.flags & _NEVER:
        return None
    about = f"{labels.severity(bulletin.severity, say)} · {labels.kind(bulletin.kind, say)}"
    shown = render(record, ceiling, reader).parts[0]
    return Offered(bulletin.id, bulletin.text_in(reader.language).title, f"{bulletin.ref} · {about}", shown)
