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
        if (before := await steps.at()) != ASKED:
            await steps.keep(before=before)
        await steps.keep(place=place)
        await steps.go(ASKED)
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
    place = (await context.steps(officer).data()).get("place")
    return zone_screens.asking(officer, place or zone_screens.DIGEST, found, wrong=not found)


async def _set(context: Context, officer: Officer, name: str) -> Rendered:
    await context.state.officers.set_zone(officer.id, zone(name))
    await context.schedule.reload()
    context.wake()
    steps = context.steps(officer)
    held = await steps.data()
    if await steps.at() == ASKED:
        if before := held.get("before"):
            await steps.go(before)
        else:
            await steps.end()
    fresh = await context.state.officers.get(officer.id) or officer
    place: Place = held.get("place") or zone_screens.DIGEST
    return zone_screens.taken(fresh, place, context.clock.now())


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.button("zone", button)
    book.step(ASKED, typed)
