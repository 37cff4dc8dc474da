"""`/event`: how a major event stands, and following it; for administrators, what makes it, to its end."""

from dataclasses import replace
from typing import Final

from bots.cells import orders as cell_orders
from bots.cells import screens as cell_screens
from bots.cells.caretaker import asked as report_asked
from bots.cells.cells import Cell, belongs
from bots.cells.orders import EXAMPLES, Change, Close, Fields, New, OnDuty
from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.desk import Answer
from bots.handlers.duty import add_shift, board
from bots.handlers.duty import shown as roster
from bots.officers.roles import Right
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.wording.labels import N_
from bots.wording.words import words
from schemas.errors import Code, OperationError

GONE: Final = N_("There is no open event of that short name. /event lists them.")
ONLY: Final = N_("Only administrators begin, change and close events.")


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """`/event` alone lists them; with a name it shows one; with more it does what it says."""
    try:
        order = cell_orders.read(asked.after)
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, EXAMPLES[1]))
        return
    if isinstance(order, str):
        await _show(asked.chat, context, officer, order)
        return
    if not officer.may(Right.ADMINISTER):
        text = words(officer.language).text(ONLY)
        await context.say(officer, asked.chat, screens.plain_answer(text, officer.language))
        return
    if trouble := await _do(order, context, officer):
        await context.say(officer, asked.chat, trouble)
        return
    if cell := await context.state.cells.named(order.slug):
        await context.say(officer, asked.chat, await _screen(context, officer, cell))


async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button under an event."""
    what = asked.action.argument(0)
    cell = await context.state.cells.get(asked.action.number(1))
    await context.chat.toast(asked.press)
    if cell is None or cell.closed is not None:
        return
    match what:
        case "follow" | "leave":
            await context.state.cells.follow(cell.id, officer.id, on=what == "follow")
            now = await _screen(context, officer, cell)
            await context.replace(officer, asked.chat, asked.message, Answer(now))
        case "report":
            now_, outbox = context.clock.now(), context.state.outbox
            late = [each for each in await outbox.records(now_ - 86_400.0, now_ + 1) if belongs(each, cell)]
            await outbox.add(report_asked(cell, officer.id, late, now_), now_)
            context.wake()
        case "duty":
            await context.say(officer, asked.chat, await roster(context, officer, cell.id))


async def _show(chat: int, context: Context, officer: Officer, name: str) -> None:
    known = await context.state.cells.all()
    if not name:
        shown = cell_screens.listed(officer, known, context.settings.ways(), context.clock.now())
        await context.say(officer, chat, shown)
        return
    cell = await context.state.cells.named(name)
    if cell is not None:
        await context.say(officer, chat, await _screen(context, officer, cell))
    await context.answer(officer, chat, await context.desk.of_event(officer, cell or Cell(0, "", name)))


async def _screen(context: Context, officer: Officer, cell: Cell) -> Rendered:
    follows = await context.state.cells.follows(cell.id, officer.id)
    held = await board(context, cell.id, cell.name)
    return cell_screens.shown(officer, cell, held, context.settings.ways(), follows=follows)


async def _do(order: New | Change | OnDuty | Close, context: Context, officer: Officer) -> Rendered | None:
    """What an administrator ordered; an answer when it could not be done."""
    say = words(officer.language)
    if isinstance(order, New):
        try:
            await context.state.cells.begin(order.slug, order.name, context.clock.now())
        except OperationError:
            text = say.text("There is an event of that short name already, or there are too many.")
            return screens.plain_answer(text, officer.language)
        return None
    cell = await context.state.cells.named(order.slug)
    if cell is None or cell.closed is not None:
        return screens.plain_answer(say.text(GONE), officer.language)
    match order:
        case Change(fields=fields):
            await change(context, cell, fields)
        case OnDuty(add=add):
            return await add_shift(context, officer, cell.id, add)
        case _:
            await context.caretaker.close(cell)
    return None


async def change(context: Context, cell: Cell, fields: Fields) -> None:
    """Change what an administrator ordered."""
    changed = replace(cell, **dict(fields))  # type: ignore[arg-type] # these are fields of a cell
    if cell.report is None:
        changed = replace(changed, covered=context.clock.now())
    await context.state.cells.change(changed)


async def standing(context: Context, officer: Officer, key: int) -> Rendered:
    """How an event stands. Raises OperationError `not_found`."""
    if (cell := await context.state.cells.get(key)) is None:
        raise OperationError(Code.NOT_FOUND, "there is no such event", "see /event")
    return await _screen(context, officer, cell)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("event", typed)
    book.button("event", button)
