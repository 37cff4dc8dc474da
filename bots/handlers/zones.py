"""The time zone, from a menu of quiet hours and back to it: by a city or a country."""

from typing import Final

from bots.dialogue import zone_screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.dialogue.zone_screens import Place
from bots.enquiries.desk import Answer
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.times import zone
from bots.wording.words import words
from bots.wording.zones import called
from schemas.errors import Code, FormatError, OperationError

ASKED: Final = "zone"
"""A menu asks for a city or a country."""


async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """Ask for it, or take what was offered."""
    action, steps = asked.action, context.steps(officer)
    if action.argument(0) == "ask":
        place = zone_screens.place(action.arguments[1:])
        await steps.keep(place=place)
        await steps.aside(ASKED)
        shown = zone_screens.asking(officer, place)
    else:
        try:
            shown = await _set(context, officer, zone(action.argument(1)).key)
        except OperationError:
            raise FormatError(Code.BAD_REQUEST, "a button with a time zone that is none") from None
    await context.chat.toast(asked.press)
    await context.replace(officer, asked.chat, asked.message, Answer(shown))


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """A city, a country, or a zone's own name."""
    await context.say(officer, asked.chat, await meant(context, officer, asked.text))


async def meant(context: Context, officer: Officer, text: str) -> Rendered:
    """Take the zone that is called so; with several, or none, ask."""
    found = called(text, words(officer.language))
    if len(found) == 1:
        return await _set(context, officer, found[0])
    return zone_screens.asking(officer, await _place(context, officer), found, wrong=not found)


async def _set(context: Context, officer: Officer, name: str) -> Rendered:
    await context.state.officers.set_zone(officer.id, zone(name))
    await context.schedule.reload()
    context.wake()
    place = await _place(context, officer)
    await leave(context, officer)
    fresh = await context.state.officers.get(officer.id) or officer
    return zone_screens.taken(fresh, place, context.clock.now())


async def leave(context: Context, officer: Officer) -> None:
    """It is asked for no longer."""
    if await (steps := context.steps(officer)).at() == ASKED:
        await steps.back()


async def _place(context: Context, officer: Officer) -> Place:
    """The menu that asked for it; without one, the digest's."""
    steps = context.steps(officer)
    asked = await steps.at() == ASKED
    return ((await steps.data()).get("place") if asked else None) or zone_screens.DIGEST


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.button("zone", button)
    book.step(ASKED, typed)
