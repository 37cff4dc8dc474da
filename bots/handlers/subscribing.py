"""`/subscribe`: a saved search is put together in one message that is edited in place, previewed, kept."""

from collections.abc import Mapping
from typing import Final

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed, meant
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.dialogue.steps import Steps
from bots.enquiries.desk import Answer
from bots.enquiries.previewing import previewed
from bots.searches import drafts as search_drafts
from bots.searches import menus as search_menus
from bots.searches.drafts import TYPED
from bots.searches.facets import suggested_name
from bots.searches.menus import OFFERED_MAX, Offer
from bots.searches.recents import recent
from bots.searches.saved_menus import louder, title
from bots.searches.watching import Search, Subscription, same_as
from bots.showing.overtaken import as_marked_now
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.state.outbox import KEEP
from bots.wording.words import words
from schemas.errors import OperationError
from subscribers.records import Filters

_CHOOSING: Final = "subscribing"
_STEP: Final = "subscribing."
"""A menu that asks for something to be typed: `subscribing.regions`, and so on."""
_NAMED: Final = {"ev": "events", "tac": "tactics", "subj": "subjects"}
_ASKS: Final = {
    **_NAMED, "reg": "regions", "tr": "regions", "words": "words", "nowords": "words", "quiet": "hours",
    "tq": "hours", "name": "name",
}  # fmt: skip
"""What may be typed after which button."""
_OURS: Final = frozenset({"sub", "zone", "mine"})
"""The verbs of the buttons that hang under a menu of ours."""


async def subscribe(asked: Typed, context: Context, officer: Officer) -> None:
    """A new draft in a new menu."""
    await begin(asked.chat, context, officer, Search())


async def begin(chat: int, context: Context, officer: Officer, draft: Search) -> None:
    """A menu for a draft, which may hold something already."""
    steps = context.steps(officer)
    await steps.end()
    await _keep(steps, draft)
    await steps.go(_CHOOSING)
    await context.say(officer, chat, await _home(context, officer, draft))


async def menu(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button of the menu."""
    shown = await _step(asked, context, officer)
    await context.chat.toast(asked.press)
    await context.replace(officer, asked.chat, asked.message, shown)


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """What is sent while a menu asks for it."""
    steps = context.steps(officer)
    what = (await steps.at() or "").removeprefix(_STEP)
    try:
        say, now = words(officer.language), context.clock.now()
        draft = search_drafts.typed(what, asked.text, await _draft(steps), now, say)
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, TYPED[what]))
        return
    await _keep(steps, draft)
    await steps.go(_CHOOSING)
    if what == "name":
        shown = await previewed(context.finder, officer, draft, await _changes(steps))
        await context.answer(officer, asked.chat, shown)
    else:
        await context.say(officer, asked.chat, await _home(context, officer, draft))


async def _step(asked: Pressed, context: Context, officer: Officer) -> Answer:
    action, steps = asked.action, context.steps(officer)
    what = action.argument(0)
    if what == "new":  # not what was left half made
        await steps.end()
    if what == "change":
        return Answer(await _reopened(action.number(1), context, officer, steps))
    if not _open(held := await steps.data()) and not _begins(asked, saved := held.get("saved", 0)):
        return Answer(await _ended(context, officer, saved))
    draft, changes = await _draft(steps), await _changes(steps)
    if what == "save":
        if action.arguments[1:] and action.number(1) != changes:  # of another draft than the one that is kept
            return await previewed(context.finder, officer, draft, changes)
        return Answer(await _save(context, officer, steps, draft))
    if what == "drop":
        await steps.end()
        return Answer(search_menus.dropped(officer, changes))
    field = search_drafts.named(action.argument(1)) if what == "to" else _NAMED.get(what, "")
    offered = (await steps.data()).get("offered", {}).get(field, [])
    draft = search_drafts.pressed(action, draft, offered)
    await _keep(steps, draft)
    asks = _ASKS.get(what) or field
    await steps.go(_STEP + asks if asks else _CHOOSING)
    if what == "see":
        return await previewed(context.finder, officer, draft, changes)
    if field:
        return Answer(await _named(context, officer, steps, draft, field))
    return Answer(await _screen(what, context, officer, draft))


async def _screen(what: str, context: Context, officer: Officer, draft: Search) -> Rendered:
    match what:
        case "com" | "tc":
            return search_menus.choosing_communities(officer, draft, await context.node.communities())
        case "kind" | "tk":
            return search_menus.choosing_kinds(officer, draft)
        case "sev" | "ts":
            return search_menus.choosing_severity(officer, draft)
        case "reg" | "tr":
            found = (each.value for each in await _recent(context, "regions"))
            return search_menus.choosing_regions(officer, draft, found)
        case "lang" | "tl":
            return search_menus.choosing_languages(officer, draft)
        case "words" | "nowords":
            return search_menus.asking_words(officer, draft)
        case "loud" | "tm":
            return search_menus.choosing_mode(officer, draft)
        case "quiet" | "tq":
            return search_menus.choosing_hours(officer, draft)
        case "name":
            known = await context.node.communities()
            return search_menus.naming(officer, suggested_name(draft, known, words(officer.language)))
        case _:
            return await _home(context, officer, draft)


async def _home(context: Context, officer: Officer, draft: Search) -> Rendered:
    known = await context.node.communities()
    if not (changes := await _changes(context.steps(officer))):
        return search_menus.subscribing(officer, draft, known)
    if (one := await own(context, officer, changes)) is None:
        return search_menus.gone(officer)
    return search_menus.subscribing(officer, draft, known, changed=title(one, known, words(officer.language)))


async def _reopened(key: int, context: Context, officer: Officer, steps: Steps) -> Rendered:
    """The same menu for a subscription that there is."""
    if (one := await own(context, officer, key)) is None:
        return search_menus.gone(officer)
    await steps.end()
    known = await context.node.communities()
    draft = search_drafts.reopened(one.search, known, words(officer.language))
    await steps.keep(changes=key)
    await _keep(steps, draft)
    await steps.go(_CHOOSING)
    return await _home(context, officer, draft)


async def own(context: Context, officer: Officer, key: int) -> Subscription | None:
    """A subscription of this officer's; None when it is not, or no more."""
    one = (await context.state.officers.subscriptions_by_id([key])).get(key)
    return one if one and one.officer == officer.id else None


async def _named(context: Context, officer: Officer, steps: Steps, draft: Search, field: str) -> Rendered:
    """The screen on which events, tactics or subjects are chosen: those of the draft, then late ones."""
    chosen = sorted(getattr(draft.filters, field))
    late = await _recent(context, field)
    labels = {each.value: each for each in late}
    own = [labels.get(each, Offer(each, each)) for each in chosen]
    offers = [*own, *(each for each in late if each.value not in chosen)][: max(OFFERED_MAX, len(own))]
    data = (await steps.data()).get("offered", {})
    await steps.keep(offered={**data, field: [each.value for each in offers]})
    return search_menus.choosing_named(officer, field, offers, chosen)


async def _recent(context: Context, field: str) -> list[Offer]:
    now = context.clock.now()
    outbox = context.state.outbox
    late = await as_marked_now(await outbox.records(now - KEEP, now + 1), outbox.record)
    return recent(reversed(late), context.desk.ceiling, field)


async def _save(context: Context, officer: Officer, steps: Steps, draft: Search) -> Rendered:
    say, known = words(officer.language), await context.node.communities()
    wanted = draft if draft.name else draft.model_copy(update={"name": suggested_name(draft, known, say)})
    officers, changes = context.state.officers, await _changes(steps)
    others = [each for each in await officers.subscriptions(officer.id) if each.id != changes]
    if same := same_as(wanted, others):
        return search_menus.not_saved(officer, same, title(same, known, say))
    try:
        kept = await (
            officers.change(officer.id, changes, wanted)
            if changes
            else officers.subscribe(officer.id, wanted)
        )
    except OperationError:
        text = say.text("You have as many subscriptions as there may be. Delete one first.")
        return screens.plain_answer(text, officer.language)
    await steps.end()
    if kept is None:
        return search_menus.gone(officer)
    await steps.keep(saved=kept.id)
    context.wake()
    withheld = context.desk.ceiling.withheld
    loud = louder(wanted, others, officer, known)
    return search_menus.saved(officer, kept, known, loud, withheld=withheld)


def _open(held: Mapping[str, object]) -> bool:
    """Whether a search is being made."""
    return not {"search", "filters"}.isdisjoint(held)


def _begins(asked: Pressed, saved: int) -> bool:
    """Whether it is the way in, from another message than a menu of ours; there `home` leads back. Where a
    door does not say what hangs beside it, it is, unless the last search that was made was `saved`.
    """
    what = asked.action.argument(0)
    if what != "home":
        return what == "new"
    beside = {meant(each.data).verb for row in asked.rows for each in row}
    return not beside <= _OURS if beside else not saved


async def _ended(context: Context, officer: Officer, saved: int) -> Rendered:
    """For a menu whose draft is gone: the subscription that was made of it, or that there is none."""
    if (one := await own(context, officer, saved)) is None:
        return search_menus.ended(officer)
    say = words(officer.language)
    return search_menus.saved_before(officer, one, title(one, await context.node.communities(), say))


async def _draft(steps: Steps) -> Search:
    data = await steps.data()
    if kept := data.get("search"):
        return Search.model_validate_json(kept)
    before = data.get("filters")  # a menu that was half made before searches had names
    return Search(filters=Filters.model_validate_json(before)) if before else Search()


async def _changes(steps: Steps) -> int:
    """The subscription that the draft changes; 0 for a new one."""
    return int((await steps.data()).get("changes", 0))


async def _keep(steps: Steps, draft: Search) -> None:
    await steps.keep(search=draft.model_dump_json())


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("subscribe", subscribe)
    book.button("sub", menu)
    for what in TYPED:
        book.step(_STEP + what, typed)
