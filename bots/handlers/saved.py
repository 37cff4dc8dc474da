"""`/subscriptions`: the saved searches, how loud each is, when it rests, what it matches."""

from typing import Final, get_args

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.desk import Answer
from bots.handlers.subscribing import own
from bots.parsing.actions import Action
from bots.parsing.queries import Query
from bots.searches import saved_menus
from bots.searches.drafts import pressed_hours, read_mode
from bots.searches.drafts import typed_hours as read_hours
from bots.searches.watching import Snooze, Subscription, snooze_until
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from schemas.errors import Code, FormatError, OperationError

_HOURS: Final = "saved.hours"
"""A menu asks for quiet hours, which may be typed."""


async def subscriptions(asked: Typed, context: Context, officer: Officer) -> None:
    """What the officer subscribes to."""
    await context.say(officer, asked.chat, await _list(context, officer))


async def manage(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button of the list, or of one of them."""
    action = asked.action
    what, key = action.argument(0), action.number(1)
    if what not in {"hours", "quiet"} and await (steps := context.steps(officer)).at() == _HOURS:
        await steps.back()
    one = await own(context, officer, key)
    if what == "show" and one:
        await context.chat.toast(asked.press)
        query = Query(words=one.search.words, filters=one.search.filters)
        await context.answer(officer, asked.chat, await context.finder.find(officer, query))
        return
    shown = await _pressed(action, one, context, officer) if one else None
    await context.chat.toast(asked.press)
    if shown is None:
        shown = await _list(context, officer, key if what == "list" else 0)
    await context.replace(officer, asked.chat, asked.message, Answer(shown))


async def typed_hours(asked: Typed, context: Context, officer: Officer) -> None:
    """Quiet hours, sent while the menu of one asks for them."""
    steps = context.steps(officer)
    key = (await steps.data()).get("subscription", 0)
    try:
        quiet = read_hours(asked.text)
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, "23:00-06:00"))
        return
    await context.state.officers.set_hours(officer.id, key, quiet)
    context.wake()
    await steps.back()
    await context.say(officer, asked.chat, await _opened(context, officer, key))


async def _pressed(action: Action, one: Subscription, context: Context, officer: Officer) -> Rendered | None:
    """Do what a button of `one` says; the screen after it, None for the list."""
    officers, now = context.state.officers, context.clock.now()
    match action.argument(0):
        case "open":
            pass
        case "hours":
            steps = context.steps(officer)
            await steps.keep(subscription=one.id)
            await steps.aside(_HOURS)
            return saved_menus.choosing_hours(officer, one)
        case "sure":
            return saved_menus.deleting(officer, one, await context.node.communities())
        case "delete":
            await officers.unsubscribe(officer.id, one.id)
            return None
        case "pause":
            await officers.pause(officer.id, one.id, paused=not one.paused)
        case "mode":
            await officers.set_mode(officer.id, one.id, read_mode(action.argument(2)))
        case "nap":
            until = snooze_until(_snooze(action.argument(2)), now, officer.zone)
            await officers.snooze(officer.id, one.id, until)
        case "wake":
            await officers.snooze(officer.id, one.id, 0.0)
        case "quiet":
            await officers.set_hours(officer.id, one.id, pressed_hours(action, 2))
            context.wake()
            return saved_menus.choosing_hours(officer, await own(context, officer, one.id) or one)
        case _:
            return None
    context.wake()
    return await _opened(context, officer, one.id)


async def _list(context: Context, officer: Officer, first: int = 0) -> Rendered:
    held = await context.state.officers.subscriptions(officer.id)
    known = await context.node.communities()
    return saved_menus.subscribed(officer, held, known, context.clock.now(), first)


async def _opened(context: Context, officer: Officer, key: int) -> Rendered:
    one = await own(context, officer, key)
    if one is None:
        return await _list(context, officer)
    known, held = await context.node.communities(), await context.state.officers.subscriptions(officer.id)
    others = (each for each in held if each.id != one.id)
    louder = saved_menus.louder(one.search, others, officer, known)
    place = [each.id for each in held].index(key) if one in held else 0
    now, withheld = context.clock.now(), context.desk.ceiling.withheld
    return saved_menus.opened(officer, one, known, now, louder, withheld=withheld, place=place)


def _snooze(text: str) -> Snooze:
    for each in get_args(Snooze):
        if each == text:
            choice: Snooze = each
            return choice
    raise FormatError(Code.BAD_REQUEST, "a button with an unknown snooze")


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("subscriptions", subscriptions)
    book.button("mine", manage)
    book.step(_HOURS, typed_hours)
