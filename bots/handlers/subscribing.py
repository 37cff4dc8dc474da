"""`/subscribe` and `/subscriptions`: menus that are edited in place."""

from collections.abc import Callable
from typing import Final

from bots import menus, screens
from bots.actions import Action
from bots.asking import Pressed, Typed
from bots.book import Book
from bots.commands import regions
from bots.context import Context
from bots.release import Release
from bots.rendered import Rendered
from bots.state.officers import Officer
from bots.state.outbox import KEEP
from bots.steps import Steps
from bots.words import words
from schemas.errors import Code, FormatError, OperationError
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Filters

RECENT: Final = 16
_CHOOSING: Final = "subscribing"
_REGIONS: Final = "subscribing.regions"
"""The menu asks for regions: country codes may be typed."""


async def subscribe(asked: Typed, context: Context, officer: Officer) -> None:
    """A new draft in a new menu."""
    steps = context.steps(officer)
    await _keep(steps, Filters())
    await steps.go(_CHOOSING)
    await context.say(
        officer, asked.chat, menus.subscribing(officer, Filters(), await context.node.communities())
    )


async def menu(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button of the menu."""
    shown = await _step(asked.action, context, officer)
    await context.chat.toast(asked.press)
    if shown:
        await context.chat.edit(asked.chat, asked.message, shown.parts[0], rows=shown.rows)


async def typed_regions(asked: Typed, context: Context, officer: Officer) -> None:
    """Country codes, sent while the menu asks for regions."""
    steps = context.steps(officer)
    draft = await _draft(steps)
    try:
        draft = draft.model_copy(update={"regions": draft.regions | regions(asked.text)})
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, "FR, DE-BE"))
        return
    await _keep(steps, draft)
    await steps.go(_CHOOSING)
    await context.say(
        officer, asked.chat, menus.subscribing(officer, draft, await context.node.communities())
    )


async def subscriptions(asked: Typed, context: Context, officer: Officer) -> None:
    """What the officer subscribes to."""
    held = await context.state.officers.subscriptions(officer.id)
    await context.say(officer, asked.chat, menus.subscribed(officer, held, await context.node.communities()))


async def manage(asked: Pressed, context: Context, officer: Officer) -> None:
    """Pause, resume or delete one."""
    what, key = asked.action.argument(0), asked.action.number(1)
    held = {each.id: each for each in await context.state.officers.subscriptions(officer.id)}
    if key in held and what == "pause":
        await context.state.officers.pause(officer.id, key, paused=not held[key].paused)
    if key in held and what == "delete":
        await context.state.officers.unsubscribe(officer.id, key)
    await context.chat.toast(asked.press)
    now = await context.state.officers.subscriptions(officer.id)
    shown = menus.subscribed(officer, now, await context.node.communities())
    await context.chat.edit(asked.chat, asked.message, shown.parts[0], rows=shown.rows)


async def _step(action: Action, context: Context, officer: Officer) -> Rendered | None:
    steps = context.steps(officer)
    draft = await _draft(steps)
    what = action.argument(0)
    if what == "save":
        return await _save(context, officer, steps, draft)
    if what == "drop":
        await steps.end()
        return menus.dropped(officer)
    if what in _TOGGLES:
        field, read = _TOGGLES[what]
        draft = _toggled(draft, field, read(action.argument(1)))
        await _keep(steps, draft)
    await steps.go(_REGIONS if what in {"reg", "tr"} else _CHOOSING)
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


async def _save(context: Context, officer: Officer, steps: Steps, draft: Filters) -> Rendered:
    if await steps.at() is None:
        return menus.dropped(officer)
    try:
        kept = await context.state.officers.subscribe(officer.id, draft)
    except OperationError:
        text = words(officer.language).text(
            "You have as many subscriptions as there may be. Delete one first."
        )
        return screens.plain_answer(text, officer.language)
    await steps.end()
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


async def _draft(steps: Steps) -> Filters:
    kept = (await steps.data()).get("filters")
    return Filters.model_validate_json(kept) if kept else Filters()


async def _keep(steps: Steps, draft: Filters) -> None:
    await steps.keep(filters=draft.model_dump_json())


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("subscribe", subscribe)
    book.command("subscriptions", subscriptions)
    book.button("sub", menu)
    book.button("mine", manage)
    book.step(_REGIONS, typed_regions)
