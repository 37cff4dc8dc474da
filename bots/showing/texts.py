"""What a bulletin says, laid out in messages: one text, or a translation with its original under it. Pure.

Called by `bots.showing.render` alone, behind the release gate.
"""

from collections.abc import Iterable
from typing import Final

from bots.showing.details import language_note
from bots.showing.packing import packed, room_within
from bots.showing.rendered import Part
from bots.wording.markup import LRM, RLM, Span, Spans, directed, laid, pieces, plain, units
from bots.wording.words import RIGHT_TO_LEFT, Words
from schemas.bulletin import Bulletin
from schemas.particulars import Translation
from schemas.vocabulary import Kind, Language
from subscribers.records import Record

_ROOM_LEAST: Final = 400
"""Less room than this under a long head is not worth a piece of text: it starts its own message."""


def standing(record: Record, language: Language) -> Translation:
    """The text in a language, or the original, as far as it still holds."""
    text = record.bulletin.text_in(language)
    if record.state == "amended" and record.bulletin.kind is Kind.DIGEST:
        # It may list what was retracted since; its amendment, which answers it, has all that still stands.
        return text.model_copy(update={"summary": "", "body": ""})
    return text


def headed(bulletin: Bulletin, text: Translation, say: Words) -> tuple[Spans, str]:
    """One of two texts: under what it is and its title, what it says."""
    note = Span("🌐 " + language_note(bulletin, text, say), "b")
    heading = (note, Span("\n"), Span(say.embed(text.title), "b"), Span("\n"))
    return laid(heading, rtl=say.rtl), prose(text, say)


def prose(text: Translation, say: Words) -> str:
    """All that a text says under its title, each line in the direction of its language."""
    whole = "\n\n".join(each for each in (text.summary, text.body) if each)
    return in_direction(whole, text.language, say)


def in_direction(text: str, language: Language, say: Words) -> str:
    """A text whose lines run as those of its language do, among lines of the reader's."""
    if language in RIGHT_TO_LEFT:
        return directed(text, RLM)
    return directed(text, LRM) if say.rtl else text


def laid_out(texts: Iterable[tuple[Spans, str]], head: Spans, foot: Spans, around: Spans) -> tuple[Part, ...]:
    """All of each text under its heading, split between paragraphs; the foot closes the last message."""
    most = room_within(around)
    taken, blocks = units(plain(head)) + len("\n\n"), [head]
    for heading, text in texts:
        room = most - units(plain(heading))
        if room - taken < _ROOM_LEAST:
            taken = 0
        opening, *rest = pieces(text, room - taken, most) or [""]
        blocks += [(*heading, Span(opening)), *((Span(piece),) for piece in rest)]
        taken = (0 if rest else taken) + units(plain(blocks[-1])) + len("\n\n")
    return packed([each for each in (*blocks, foot) if plain(each)], around)
