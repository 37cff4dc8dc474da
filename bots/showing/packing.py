"""Blocks of text as few messages as hold them. Pure.

An exercise begins and ends with its call, three times over as on the radio: in each message, since each is
passed on by itself.
"""

from collections.abc import Sequence

from bots.showing.rendered import Part
from bots.wording.markup import UNITS_MAX, Span, Spans, laid, pieces, plain, units
from bots.wording.words import Words
from schemas.bulletin import Bulletin


def called(bulletin: Bulletin, say: Words) -> Spans:
    """How every message about an exercise begins and ends; nothing for what is real."""
    if not bulletin.exercise:
        return ()
    return laid((Span("🟦 " + " ".join([say.text("EXERCISE")] * 3), "b"),), rtl=say.rtl)


def packed(blocks: Sequence[Spans], around: Spans = ()) -> tuple[Part, ...]:
    """Blocks with an empty line between them, as few messages as hold them; an overlong block is cut,
    unstyled. Each message begins and ends with `around`.
    """
    most = room_within(around)
    packed: list[Spans] = []
    held: Spans = ()
    for block in blocks:
        joined = (*held, Span("\n\n"), *block) if held else block
        if units(plain(joined)) <= most:
            held = joined
            continue
        if held:
            packed.append(held)
        *whole, last = [(Span(piece),) for piece in pieces(plain(block), most, most)]
        packed.extend(whole)
        held = block if not whole else last
    packed += [held] if held else []
    if not around:
        return tuple(map(Part.of, packed))
    return tuple(Part.of((*around, Span("\n"), *each, Span("\n"), *around)) for each in packed)


def room_within(around: Spans) -> int:
    """How many units a message has room for between `around` and `around`."""
    return UNITS_MAX - (2 * units(plain(around)) + len("\n\n") if around else 0)
