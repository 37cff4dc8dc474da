"""`/digest`: when it comes, the time zone, quiet hours; typed or by the menu."""

from dataclasses import replace

from bots.dialogue import menus, screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.desk import Answer
from bots.handlers import zones
from bots.parsing import commands
from bots.parsing.actions import Action
from bots.parsing.commands import Hush, InZone, Order
from bots.state.officers import DigestPlan, Officer
from bots.times import MINUTES_A_DAY, Quiet, Schedule
from schemas.errors import Code, FormatError, OperationError

_EXAMPLES = {"zone": "/digest zone Paris", "quiet": "/digest quiet 22:00-06:30"}
_DEFAULT = Schedule("daily", 7 * 60)
_WEEK = 7


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """`/digest` alone shows the menu; with words it does what they say."""
    try:
        order = commands.digest(asked.after)
    except OperationError:
        meant, _, rest = asked.after.partition(" ")
        if meant.casefold() == "zone" and rest.strip():
            await context.say(officer, asked.chat, await zones.meant(context, officer, rest))
            return
        example = _EXAMPLES.get(meant.casefold(), "/digest daily 07:30")
        await context.say(officer, asked.chat, screens.usage(officer, example))
        return
    match order:
        case "now":
            await context.schedule.compose_now(officer)
            return
        case "off":
            await _order(context, officer, None)
        case "skip" | "say":
            await context.state.officers.skip_empty(officer.id, skip=order == "skip")
        case Order(schedule=schedule):
            await _order(context, officer, schedule)
        case InZone(zone=zone):
            await context.state.officers.set_zone(officer.id, zone)
            await context.schedule.reload()
        case Hush(quiet=quiet):
            await context.state.officers.set_quiet(officer.id, quiet)
            context.wake()
        case _:
            pass
    fresh, plan, charts = await _now(context, officer)
    await context.say(fresh, asked.chat, menus.digest(fresh, plan, charts=charts))


async def menu(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button of the menu."""
    _, plan, _ = await _now(context, officer)
    await _press(asked.action, context, officer, plan.schedule if plan else None)
    await zones.leave(context, officer)
    await context.chat.toast(asked.press)
    fresh, plan, charts = await _now(context, officer)
    shown = menus.digest(fresh, plan, charts=charts)
    await context.replace(officer, asked.chat, asked.message, Answer(shown))


async def _press(action: Action, context: Context, officer: Officer, held: Schedule | None) -> None:
    schedule = held or _DEFAULT
    match action.argument(0):
        case "daily":
            await _order(context, officer, replace(schedule, cadence="daily"))
        case "weekly":
            await _order(context, officer, replace(schedule, cadence="weekly"))
        case "off":
            await _order(context, officer, None)
        case "at":
            await _order(context, officer, replace(schedule, minute=_within(action.number(1), MINUTES_A_DAY)))
        case "on":
            await _order(context, officer, replace(schedule, weekday=_within(action.number(1), _WEEK)))
        case "quiet":
            start, end = (_within(action.number(index), MINUTES_A_DAY) for index in (1, 2))
            await context.state.officers.set_quiet(officer.id, Quiet(start, end))
        case "empty":
            await context.state.officers.skip_empty(officer.id, skip=action.argument(1) == "skip")
        case "chart":
            await context.state.officers.set_charts(officer.id, wanted=action.argument(1) == "on")
        case "loud":
            await context.state.officers.set_quiet(officer.id, None)
            context.wake()


async def _order(context: Context, officer: Officer, schedule: Schedule | None) -> None:
    await context.state.officers.set_digest(officer.id, schedule, now=context.clock.now())
    await context.schedule.reload()


async def _now(context: Context, officer: Officer) -> tuple[Officer, DigestPlan | None, bool]:
    fresh = await context.state.officers.get(officer.id) or officer
    plans = {plan.officer.id: plan for plan in await context.state.officers.digests()}
    return fresh, plans.get(officer.id), await context.state.officers.charts(officer.id)


def _within(number: int, limit: int) -> int:
    if number >= limit:
        raise FormatError(Code.BAD_REQUEST, "a button with a number out of range")
    return number


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("digest", typed)
    book.button("dig", menu)
