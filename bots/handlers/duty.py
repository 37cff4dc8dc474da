"""`/duty`: who is on duty; taking over; for administrators, writing the roster. And the bell's own button."""

from dataclasses import replace

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.digests import relief, stretches
from bots.duty import duties, roster
from bots.duty.duties import Add, Board
from bots.duty.roster import Takeover
from bots.enquiries.desk import Answer
from bots.officers.roles import Right
from bots.parsing.commands import clean
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.state.rosters import AGENCY
from bots.wording.words import words
from schemas.errors import OperationError


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """`/duty` alone shows the roster; with words it does what they say."""
    try:
        order = duties.read(asked.after)
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, duties.EXAMPLES[0]))
        return
    match order:
        case Add():
            if trouble := await add_shift(context, officer, AGENCY, order):
                await context.say(officer, asked.chat, trouble)
                return
        case "take":
            await take_over(context, officer, AGENCY)
        case "back":
            await hand_back(context, officer, AGENCY)
        case _:
            pass
    await context.say(officer, asked.chat, await shown(context, officer, AGENCY))


async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button under a roster."""
    number = asked.action.number(1)
    match asked.action.argument(0):
        case "take":
            await take_over(context, officer, number)
        case "back":
            await hand_back(context, officer, number)
        case "del" if officer.may(Right.ADMINISTER):
            await context.state.rosters.remove(number, asked.action.number(2))
    await context.chat.toast(asked.press)
    now = await shown(context, officer, number)
    await context.replace(officer, asked.chat, asked.message, Answer(now))
    context.wake()


async def handover(asked: Typed, context: Context, officer: Officer) -> None:
    """What came in the officer's own shift, or in the hours that are asked for, what changed, and what
    waits.
    """
    try:
        back = stretches.read(clean(asked.after))
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, stretches.EXAMPLE))
        return
    now, zone = context.clock.now(), context.settings.ways().zone
    await relief.hand_over(context.state, context.schedule, officer, now, zone, back=back)


async def next_waiting(asked: Pressed, context: Context, officer: Officer) -> None:
    """What waits behind what a hand-over or a digest names, as a message of its own."""
    after, cell = asked.action.bulletin(), asked.action.number(1)
    await context.chat.toast(asked.press)
    await relief.next_waiting(context.state, officer, after, cell, context.clock.now())
    context.wake()


async def open_called(asked: Pressed, context: Context, officer: Officer) -> None:
    """What a call was about, as a message of its own: the call itself goes when the next one comes."""
    await context.chat.toast(asked.press)
    await context.answer(officer, asked.chat, await context.desk.show(officer, asked.action.bulletin()))


async def shown(context: Context, officer: Officer, number: int) -> Rendered:
    """The roster of that number."""
    return duties.shown(officer, await board(context, number), context.settings.ways())


async def board(context: Context, number: int, title: str = "") -> Board:
    """A roster as it stands now."""
    rosters, now, zone = context.state.rosters, context.clock.now(), context.settings.ways().zone
    shifts = await rosters.shifts(number)
    duty = roster.read(shifts, await rosters.takeover(number), now, zone)
    if number != AGENCY and not title:
        cell = await context.state.cells.get(number)
        title = cell.name if cell else ""
    names = {each.id: each.name for each in await context.state.officers.all()}
    return Board(number, title, shifts, duty, names)


async def take_over(context: Context, officer: Officer, number: int) -> None:
    """This officer has the duty until the end of the shift."""
    duty = (await board(context, number)).duty
    await context.state.rosters.take_over(number, Takeover(officer.id, replace(duty, takeover=None).until))
    context.wake()


async def hand_back(context: Context, officer: Officer, number: int) -> None:
    """As written again: by whoever has taken over, or an administrator."""
    held = await context.state.rosters.takeover(number)
    if held is not None and (held.officer == officer.id or officer.may(Right.ADMINISTER)):
        await context.state.rosters.hand_back(number)


async def add_shift(context: Context, officer: Officer, number: int, order: Add) -> Rendered | None:
    """Put somebody on a roster. Whether something kept it from being done, as an answer."""
    say = words(officer.language)
    if not officer.may(Right.ADMINISTER):
        return screens.plain_answer(say.text("Only administrators write the roster."), officer.language)
    found = [
        each for each in await context.state.officers.all() if each.name.casefold() == order.name.casefold()
    ]
    if not found:
        text = say.text(
            "There is no officer of that name. These are known: {names}", names=await _names(context)
        )
        return screens.plain_answer(text, officer.language)
    try:
        await context.state.rosters.add(number, replace(order.shift, officer=found[0].id))
    except OperationError:
        text = say.text("The roster has as many shifts as there may be. Delete some first.")
        return screens.plain_answer(text, officer.language)
    context.wake()
    return None


async def _names(context: Context) -> str:
    return ", ".join(each.name for each in (await context.state.officers.all())[:_NAMED])


_NAMED = 50


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("duty", typed)
    book.command("handover", handover)
    book.button("duty", button)
    book.button("bell", open_called)
    book.button("waits", next_waiting)
