"""The menu in which administrators change an event: buttons for what is usual, typed lines for the rest."""

from typing import Final

from bots.cells import menu
from bots.cells.cells import Cell
from bots.cells.orders import Fields, dates, venues
from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.desk import Answer
from bots.handlers.events import GONE, ONLY, change, standing
from bots.officers.roles import Right
from bots.parsing.actions import Action
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.times import MINUTES_A_DAY
from bots.wording.words import words
from schemas.errors import Code, FormatError, OperationError
from schemas.vocabulary import Severity

_DATES: Final = "event.dates"
_VENUES: Final = "event.venues"


async def pressed(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button of the menu."""
    if not officer.may(Right.ADMINISTER):
        await context.chat.toast(asked.press, words(officer.language).text(ONLY))
        return
    cell = await context.state.cells.get(asked.action.number(1))
    await context.chat.toast(asked.press)
    if cell is None or cell.closed is not None:
        return
    shown = await _pressed(asked.action, context, officer, cell)
    await context.replace(officer, asked.chat, asked.message, Answer(shown))


async def typed_dates(asked: Typed, context: Context, officer: Officer) -> None:
    """The first and the last day."""
    try:
        await _typed(asked, context, officer, dates(asked.text.split()))
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, menu.DATES))


async def typed_venues(asked: Typed, context: Context, officer: Officer) -> None:
    """Where it is."""
    try:
        await _typed(asked, context, officer, venues(asked.text))
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, menu.VENUES))


async def _pressed(action: Action, context: Context, officer: Officer, cell: Cell) -> Rendered:
    """Do what a button says; the screen after it."""
    match action.argument(0):
        case "dates":
            await _wait(context, officer, cell, _DATES)
            return menu.asking_dates(officer, cell)
        case "venues":
            await _wait(context, officer, cell, _VENUES)
            return menu.asking_venues(officer, cell)
        case "sure":
            return menu.closing(officer, cell)
        case "close":
            await context.caretaker.close(cell)
            return await standing(context, officer, cell.id)
        case "shown":
            return await standing(context, officer, cell.id)
        case "rings":
            await change(context, cell, (("least", _least(action.argument(2))),))
        case "report":
            await change(context, cell, (("report", action.number(2) % MINUTES_A_DAY),))
        case "silent":
            await change(context, cell, (("report", None),))
        case _:
            if await context.steps(officer).at() in {_DATES, _VENUES}:
                await context.steps(officer).end()
    changed = await context.state.cells.get(cell.id) or cell
    return menu.changing(officer, changed, context.settings.ways().zone)


async def _wait(context: Context, officer: Officer, cell: Cell, state: str) -> None:
    steps = context.steps(officer)
    await steps.keep(event=cell.id)
    await steps.go(state)


async def _typed(asked: Typed, context: Context, officer: Officer, fields: Fields) -> None:
    steps = context.steps(officer)
    cell = await context.state.cells.get((await steps.data()).get("event", 0))
    await steps.end()
    if cell is None or cell.closed is not None or not officer.may(Right.ADMINISTER):
        text = words(officer.language).text(GONE if officer.may(Right.ADMINISTER) else ONLY)
        await context.say(officer, asked.chat, screens.plain_answer(text, officer.language))
        return
    await change(context, cell, fields)
    await context.say(officer, asked.chat, await standing(context, officer, cell.id))


def _least(text: str) -> Severity:
    for each in menu.RINGS:
        if each.value == text:
            return each
    raise FormatError(Code.BAD_REQUEST, "a button with a severity that does not ring")


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.button("cell", pressed)
    book.step(_DATES, typed_dates)
    book.step(_VENUES, typed_venues)
