"""`/subscribe` and `/subscriptions`: menus that are edited in place."""

from collections.abc import Callable
from typing import Final

from aiogram import F, Router
from aiogram.filters import Command, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from bots import menus, screens
from bots.actions import Action
from bots.commands import regions
from bots.context import Context
from bots.handlers.common import pressed, verb
from bots.release import Release
from bots.rendered import Rendered
from bots.state.officers import Officer
from bots.state.outbox import KEEP
from bots.words import words
from schemas.errors import Code, FormatError, OperationError
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Filters

RECENT: Final = 16


class Steps(StatesGroup):
    """Where a new subscription stands."""

    choosing = State()
    regions = State()


async def subscribe(message: Message, context: Context, officer: Officer, state: FSMContext) -> None:
    """A new draft in a new menu."""
    await _keep(state, Filters())
    await state.set_state(Steps.choosing)
    await context.say(
        officer, message.chat.id, menus.subscribing(officer, Filters(), await context.node.communities())
    )


async def menu(query: CallbackQuery, context: Context, officer: Officer, state: FSMContext) -> None:
    """A button of the menu."""
    place = pressed(query)
    draft = await _draft(state)
    shown = await _step(place.action, context, officer, state, draft)
    await query.answer()
    if shown:
        await context.chat.edit(place.chat, place.message, shown.parts[0], rows=shown.rows)


async def typed_regions(message: Message, context: Context, officer: Officer, state: FSMContext) -> None:
    """Country codes, sent while the menu asks for regions."""
    draft = await _draft(state)
    try:
        draft = draft.model_copy(update={"regions": draft.regions | regions(message.text or "")})
    except OperationError:
        await context.say(officer, message.chat.id, screens.usage(officer, "FR, DE-BE"))
        return
    await _keep(state, draft)
    await state.set_state(Steps.choosing)
    await context.say(
        officer, message.chat.id, menus.subscribing(officer, draft, await context.node.communities())
    )


async def subscriptions(message: Message, context: Context, officer: Officer) -> None:
    """What the officer subscribes to."""
    held = await context.state.officers.subscriptions(officer.id)
    await context.say(
        officer, message.chat.id, menus.subscribed(officer, held, await context.node.communities())
    )


async def manage(query: CallbackQuery, context: Context, officer: Officer) -> None:
    """Pause, resume or delete one."""
    place = pressed(query)
    what, key = place.action.argument(0), place.action.number(1)
    held = {each.id: each for each in await context.state.officers.subscriptions(officer.id)}
    if key in held and what == "pause":
        await context.state.officers.pause(officer.id, key, paused=not held[key].paused)
    if key in held and what == "delete":
        await context.state.officers.unsubscribe(officer.id, key)
    await query.answer()
    now = await context.state.officers.subscriptions(officer.id)
    shown = menus.subscribed(officer, now, await context.node.communities())
    await context.chat.edit(place.chat, place.message, shown.parts[0], rows=shown.rows)


async def _step(
    action: Action, context: Context, officer: Officer, state: FSMContext, draft: Filters
) -> Rendered | None:
    what = action.argument(0)
    if what == "save":
        return await _save(context, officer, state, draft)
    if what == "drop":
        await state.clear()
        return menus.dropped(officer)
    if what in _TOGGLES:
        field, read = _TOGGLES[what]
        draft = _toggled(draft, field, read(action.argument(1)))
        await _keep(state, draft)
    await state.set_state(Steps.regions if what in {"reg", "tr"} else Steps.choosing)
    match what:
        case "com" | "tc":
            return menus.choosing_communities(officer, draft, await context.node.communities())
        case "kind" | "tk":
            return menus.choosing_kinds(officer, draft)
        case "sev" | "ts":
            return menus.choosing_severity(officer, draft)
        case "reg" | "tr":
            return menus.choosing_regions(officer, draft, await _recent_regions(context))
        case "lang" | "tl":
            return menus.choosing_languages(officer, draft)
        case _:
            return menus.subscribing(officer, draft, await context.node.communities())


async def _save(context: Context, officer: Officer, state: FSMContext, draft: Filters) -> Rendered:
    if await state.get_state() is None:
        return menus.dropped(officer)
    try:
        kept = await context.state.officers.subscribe(officer.id, draft)
    except OperationError:
        text = words(officer.language).text(
            "You have as many subscriptions as there may be. Delete one first."
        )
        return screens.plain_answer(text, officer.language)
    await state.clear()
    return menus.saved(officer, kept, await context.node.communities())


async def _recent_regions(context: Context) -> list[str]:
    """Regions of late bulletins that may be shown in full: a withheld bulletin's region stays withheld."""
    now = context.clock.now()
    seen: dict[str, None] = {}
    for record in reversed(await context.state.outbox.records(now - KEEP, now + 1)):
        if context.desk.ceiling.allows(record.bulletin.tlp) is Release.FULL:
            seen.update(dict.fromkeys(record.bulletin.regions))
    return list(seen)[:RECENT]


def _toggled(draft: Filters, field: str, value: object) -> Filters:
    if field == "severity_at_least":
        return draft.model_copy(update={field: value})
    return draft.model_copy(update={field: getattr(draft, field) ^ {value}})


def _one_of(values: type[Kind] | type[Language] | type[Severity]) -> Callable[[str], object]:
    def read(text: str) -> object:
        if text not in set(values):
            raise FormatError(Code.BAD_REQUEST, "a button with an unknown value")
        return values(text)

    return read


def _region(text: str) -> object:
    try:
        return next(iter(regions(text)))
    except OperationError:
        raise FormatError(Code.BAD_REQUEST, "a button with an unknown region") from None


_TOGGLES: Final[dict[str, tuple[str, Callable[[str], object]]]] = {
    "tc": ("communities", str),
    "tk": ("kinds", _one_of(Kind)),
    "ts": ("severity_at_least", _one_of(Severity)),
    "tr": ("regions", _region),
    "tl": ("languages", _one_of(Language)),
}


async def _draft(state: FSMContext) -> Filters:
    kept = (await state.get_data()).get("filters")
    return Filters.model_validate_json(kept) if kept else Filters()


async def _keep(state: FSMContext, draft: Filters) -> None:
    await state.update_data(filters=draft.model_dump_json())


def router() -> Router:
    """The subscriptions' router."""
    made = Router(name="subscribing")
    made.message.register(subscribe, Command("subscribe"))
    made.message.register(subscriptions, Command("subscriptions"))
    made.callback_query.register(menu, verb("sub"))
    made.callback_query.register(manage, verb("mine"))
    made.message.register(typed_regions, StateFilter(Steps.regions), F.text, ~F.text.startswith("/"))
    return made
