"""`/duty`: who is on duty; taking over; for administrators, writing the roster. And the bell's own button."""

from dataclasses import replace
from typing import Final

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.digests import relief, stretches
from bots.digests.stretches import Wish
from bots.duty import duties, roster, takeovers
from bots.duty.duties import Add, Board
from bots.duty.roster import Takeover
from bots.enquiries.desk import Answer
from bots.officers.roles import Right
from bots.parsing.commands import clean
from bots.showing.buttons import WHOLE
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.state.rosters import AGENCY
from bots.wording.labels import N_
from bots.wording.words import words
from schemas.errors import OperationError

ONLY: Final = N_("Only administrators write the roster.")


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
            if why_not := await take_over(context, officer, AGENCY):
                await context.say(officer, asked.chat, screens.plain_answer(why_not, officer.language))
                return
        case "back":
            await context.say(officer, asked.chat, await hand_back(context, officer, AGENCY))
            return
        case _:
            pass
    await context.say(officer, asked.chat, await shown(context, officer, AGENCY))


async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button under a roster, or under what is told of it."""
    number, trouble = asked.action.number(1), ""
    now: Rendered | None = None
    match asked.action.argument(0):
        case "take":
            trouble = await take_over(context, officer, number)
        case "back":
            trouble = takeovers.refused(officer, await board(context, number))
            now = None if trouble else await hand_back(context, officer, number)
        case "stand":
            trouble = await take_over(context, officer, number)
            await context.chat.toast(asked.press, trouble)
            await context.say(officer, asked.chat, await shown(context, officer, number))
            return
        case "end":
            trouble = await end(context, officer, number, asked.action.number(2))
        case "del":
            trouble = await _delete(context, officer, number, asked.action.number(2))
        case "hand":
            await context.chat.toast(asked.press)
            await _hand_over(context, officer)
            return
        case "open":
            await context.chat.toast(asked.press)
            await context.say(officer, asked.chat, await shown(context, officer, number))
            return
    await context.chat.toast(asked.press, trouble)
    now = now or await shown(context, officer, number)
    await context.replace(officer, asked.chat, asked.message, Answer(now))
    context.wake()


async def handover(asked: Typed, context: Context, officer: Officer) -> None:
    """What came in the officer's own shift, or in the hours that are asked for, what changed, and what
    waits.
    """
    try:
        back = stretches.read(clean(asked.after), officer.zone, context.clock.now())
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, stretches.EXAMPLE))
        return
    await _hand_over(context, officer, back)


async def _hand_over(context: Context, officer: Officer, back: Wish | None = None) -> None:
    now, zone = context.clock.now(), context.settings.ways().zone
    await relief.hand_over(context.state, context.schedule, officer, now, zone, back=back)


async def next_waiting(asked: Pressed, context: Context, officer: Officer) -> None:
    """What waits behind what a hand-over or a digest names, as a message of its own."""
    after, cell = asked.action.bulletin(), asked.action.number(1)
    await context.chat.toast(asked.press)
    whole = WHOLE in asked.action.arguments[2:]
    await relief.next_waiting(context.state, officer, after, cell, context.clock.now(), whole=whole)
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
    everybody = await context.state.officers.all()
    names = {each.id: each.name for each in everybody}
    mute = frozenset(each.id for each in everybody if each.standing != "enrolled")
    return Board(number, title, shifts, duty, names, mute)


async def take_over(context: Context, officer: Officer, number: int) -> str:
    """This officer has the duty until the end of the shift, and whoever had it is told. Why not, in words."""
    held = await board(context, number)
    if held.duty.present == (officer.id,):
        return takeovers.has_it(officer)
    until = replace(held.duty, takeover=None).until
    told = takeovers.told_taken(held, officer, until)
    if not await context.state.rosters.take_over(
        number, Takeover(officer.id, until), told, context.clock.now()
    ):
        return takeovers.gone(officer)
    context.wake()
    return ""


async def hand_back(context: Context, officer: Officer, number: int) -> Rendered:
    """The roster as written again, by whoever has taken over; an administrator is asked first. What is shown
    then.
    """
    held = await board(context, number)
    if trouble := takeovers.refused(officer, held):
        return screens.plain_answer(trouble, officer.language)
    if held.duty.takeover and held.duty.takeover.officer != officer.id:
        return takeovers.sure(officer, held)
    await end(context, officer, number, officer.id)
    return await shown(context, officer, number)


async def end(context: Context, officer: Officer, number: int, whose: int) -> str:
    """End the takeover of one officer, and tell those whom it concerns. Why not, in words."""
    held = await board(context, number)
    if trouble := takeovers.refused(officer, held):
        return trouble
    taken = held.duty.takeover
    if taken is None or taken.officer != whose:
        return takeovers.gone(officer)
    told = takeovers.told_ended(held, officer)
    done = await context.state.rosters.hand_back(number, taken, told, context.clock.now())
    context.wake()
    return "" if done else takeovers.gone(officer)


async def _delete(context: Context, officer: Officer, number: int, shift: int) -> str:
    """Take a shift off a roster. Why not, in words."""
    if not officer.may(Right.ADMINISTER):
        return words(officer.language).text(ONLY)
    if shift not in {each.id for each in await context.state.rosters.shifts(number)}:
        return takeovers.gone(officer)
    await context.state.rosters.remove(number, shift)
    return ""


async def add_shift(context: Context, officer: Officer, number: int, order: Add) -> Rendered | None:
    """Put somebody on a roster. Whether something kept it from being done, as an answer."""
    say = words(officer.language)
    if not officer.may(Right.ADMINISTER):
        return screens.plain_answer(say.text(ONLY), officer.language)
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
