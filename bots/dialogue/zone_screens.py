"""Screens about the time zone. Pure."""

from collections.abc import Sequence
from typing import Final

from bots.clock import moment
from bots.dialogue.screens import plain_answer
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import Officer
from bots.wording.words import Words, words
from bots.wording.zones import city
from schemas.errors import Code, FormatError

Place = list[str]
"""The menu that is gone back to: `dig`, `sub`, or `mine` and which one."""
DIGEST: Final = ["dig"]
_BACK: Final = {"dig": ("dig", "home"), "sub": ("sub", "quiet"), "mine": ("mine", "hours")}
_SHOWN: Final = 12
_WIDTH: Final = 2


def place(arguments: Sequence[str]) -> Place:
    """From a button. Raises FormatError."""
    if not arguments or arguments[0] not in _BACK:
        raise FormatError(Code.BAD_REQUEST, "a button of an unknown menu")
    return list(arguments[:2])


def asking(officer: Officer, back: Place, found: Sequence[str] = (), *, wrong: bool = False) -> Rendered:
    """Which zone? `found` are those that may be meant; `wrong`: nothing is called what was typed."""
    say = words(officer.language)
    text = say.text(
        "Where are you? Send a city or a country, such as {city}.", city=say.embed(city("Europe/Paris", say))
    )
    if found:
        text = say.text("Which of these has your time? Choose, or send another city.")
    if wrong:
        text = say.sentences(say.text("No time zone is called that."), text)
    buttons = [Button("🕰 " + city(each, say), encode("zone", "set", each)) for each in found[:_SHOWN]]
    rows = tuple(tuple(buttons[at : at + _WIDTH]) for at in range(0, len(buttons), _WIDTH))
    return plain_answer("🕰 " + text, officer.language, (*rows, *_rows(back, say.text("Back"))))


def taken(officer: Officer, back: Place, now: float) -> Rendered:
    """It holds from now on; the time there shows whether it is the right one."""
    say = words(officer.language)
    local = moment(now).astimezone(officer.zone)
    text = say.text(
        "Time zone: {zone}. It is {time} there.",
        zone=_both(officer.zone.key, say),
        time=say.clock(local.hour * 60 + local.minute),
    )
    rows = _rows(back, say.text("Quiet hours"))
    if back[0] == "sub":
        rows = ((Button("👁 " + say.text("Preview and save"), encode("sub", "see")),), *rows)
    if back[0] == "mine":
        rows += ((Button("◀️ " + say.text("The subscription"), encode("mine", "open", *back[1:])),),)
    return plain_answer("✅ " + text, officer.language, rows)


def _both(zone: str, say: Words) -> str:
    return f"{city(zone, say)} ({say.embed(zone)})"


def _rows(back: Place, text: str) -> Rows:
    return ((Button("◀️ " + text, encode(*_BACK[back[0]], *back[1:])),),)
