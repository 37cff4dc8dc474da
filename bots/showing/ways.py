"""Where what chat may not show is read and written: which way leads there depends on its marking. Pure.

What the chat service could have asked for itself, a session by `/room`, ends below what a passkey made at the
agency's terminal opens (decision 0035).
"""

from enum import StrEnum

from bots.showing.release import Ceiling, Release
from bots.wording.markup import Span, Spans
from bots.wording.words import Words
from schemas.vocabulary import Tlp

TERMINAL = "liaison-agency chat"
PASSKEY = "liaison-bot officer passkey NAME"
"""With it an administrator makes the link by which an officer makes a passkey."""


class Way(StrEnum):
    """The nearest place for a marking."""

    LINK = "link"
    """The reading room, entered by /room."""
    PASSKEY = "passkey"
    """The reading room, entered with a passkey made at the agency's terminal."""
    TERMINAL = "terminal"


def way(tlp: Tlp, ceiling: Ceiling) -> Way:
    """The way to what is marked `tlp`."""
    if not ceiling.room or tlp.rank > ceiling.by_passkey.rank:
        return Way.TERMINAL
    return Way.LINK if tlp.rank <= ceiling.by_link.rank else Way.PASSKEY


def to_read(tlp: Tlp, ceiling: Ceiling, say: Words) -> str:
    """Where a withheld bulletin is read. Of one that only waits, this does not tell the marking."""
    waits = ceiling.allows(tlp) is Release.WAITING
    found = way(Tlp.RED if waits else tlp, ceiling)
    if not ceiling.room or (found is Way.TERMINAL and not waits):
        return say.text("Read it on your agency's terminal.")
    if found is Way.LINK:
        return say.text("Read it in the reading room (/room signs you in), or on your agency's terminal.")
    return say.text(
        "Read it in the reading room: /room signs you in up to {tlp}, above that only a passkey made at your"
        " agency’s terminal. Or read it on that terminal.",
        tlp=say.embed(ceiling.by_link.value),
    )


def to_write(tlp: Tlp, ceiling: Ceiling, say: Words, *, two: bool, administers: bool = False) -> Spans:
    """Where a bulletin marked `tlp` is written; `two`: a second officer must release it, whom a terminal does
    not have; `administers`: whoever reads it makes links themselves.
    """
    found = way(tlp, ceiling)
    spans: list[Span] = []
    if found is not Way.TERMINAL:
        room = say.text("Write it in the reading room, under “Write”:")
        spans += [Span(f"\n{room} "), Span("/room" if found is Way.LINK else say.embed(ceiling.room))]
    if found is Way.PASSKEY:
        passkey = say.text(
            "Sign in there with a passkey made at your agency’s terminal: {command} does not reach {tlp}.",
            command=say.embed("/room"),
            tlp=say.embed(tlp.value),
        )
        spans += _without_passkey(passkey, say, administers=administers)
    if two and spans:
        return tuple(spans)
    terminal = say.text("Write it on your agency’s terminal, with /draft in this program:")
    spans += [Span(f"\n{terminal}\n"), *say.code(TERMINAL)]
    if two:
        spans.append(Span("\n" + two_needed(say)))
    return tuple(spans)


def to_go_on(tlp: Tlp, ceiling: Ceiling, say: Words, *, administers: bool = False) -> Spans:
    """Where a draft that is not for this chat goes on; nothing where no room shows it. As `to_read`, of what
    is announced by its reference alone this does not tell the marking. `administers` as in `to_write`.
    """
    found = _into_room(tlp, ceiling)
    if found is Way.TERMINAL:
        return ()
    if found is Way.LINK:
        text = say.text(
            "It goes on in the reading room. /room is enough to read and change it and to send it for"
            " release; releasing it there takes a passkey made at your agency’s terminal."
        )
        return (Span("\n" + text),)
    text = say.text(
        "It goes on in the reading room. A passkey made at your agency’s terminal opens it there; /room signs"
        " you in up to {tlp} only.",
        tlp=say.embed(ceiling.by_link.value),
    )
    return _without_passkey(text, say, administers=administers)


def to_change(tlp: Tlp, ceiling: Ceiling, say: Words, *, two: bool, administers: bool = False) -> Spans:
    """Where a bulletin that is not for this chat is amended or retracted, as `to_write` has it:
    on its page in the reading room where that shows it, and at a terminal unless two must release it.
    """
    found = _into_room(tlp, ceiling)
    spans: list[Span] = []
    if found is Way.LINK:
        text = say.text(
            "Amend or retract it on its page in the reading room. /room is enough to do that and to send it"
            " for release; releasing it there takes a passkey made at your agency’s terminal."
        )
        spans.append(Span("\n" + text))
    if found is Way.PASSKEY:
        text = say.text(
            "Amend or retract it on its page in the reading room. A passkey made at your agency’s terminal"
            " opens it there; /room signs you in up to {tlp} only.",
            tlp=say.embed(ceiling.by_link.value),
        )
        spans += _without_passkey(text, say, administers=administers)
    if two and spans:
        return tuple(spans)
    text = say.text("Amend or retract it on your agency’s terminal, in this program:")
    spans += [Span(f"\n{text}\n"), *say.code(TERMINAL)]
    if two:
        spans.append(Span("\n" + two_needed(say)))
    return tuple(spans)


def _into_room(tlp: Tlp, ceiling: Ceiling) -> Way:
    """The way into the reading room, or to the terminal where no room shows it; of what only waits, without
    telling its marking.
    """
    waits = bool(ceiling.room) and ceiling.allows(tlp) is Release.WAITING
    found = way(Tlp.RED if waits else tlp, ceiling)
    return Way.PASSKEY if waits and found is Way.TERMINAL else found


def _without_passkey(after: str, say: Words, *, administers: bool) -> Spans:
    """What is done without one, `after` a sentence."""
    text = without_passkey(say, administers=administers)
    return (Span(f"\n{say.sentences(after, text)}\n"), *say.code(PASSKEY))


def without_passkey(say: Words, *, administers: bool) -> str:
    """Who types `PASSKEY`, to stand above it: an administrator has nobody to ask."""
    if administers:
        return say.text(
            "Without such a passkey, make yourself a link for one. Type, on your agency’s machine:"
        )
    return say.text(
        "Without such a passkey, ask your administrator for a link that makes one. The administrator types,"
        " on your agency’s machine:"
    )


def two_needed(say: Words) -> str:
    """For a door with one officer, where a second one must release."""
    return say.text(
        "A second officer must release it, and a terminal has one. Write it in chat or in the reading room,"
        " as its marking allows."
    )
