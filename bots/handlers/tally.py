"""`/tally REF`: which agencies have acknowledged, sighted and answered a bulletin."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.drafting.looking import readers
from bots.parsing.commands import reference
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Release
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.telling.tally import ANSWERS_MAX, tally
from bots.wording.words import words


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """By its reference."""
    named = reference(asked.after)
    if not named:
        await context.say(officer, asked.chat, screens.usage(officer, "/tally FRA-2026-0042"))
        return
    await context.say(officer, asked.chat, await _counted(context, officer, named))


async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """By the button under one's own bulletin."""
    await context.chat.toast(asked.press)
    await context.say(officer, asked.chat, await _counted(context, officer, asked.action.bulletin()))


async def _counted(context: Context, officer: Officer, ref: str) -> Rendered:
    """Of a bulletin that may be shown in full: a number would tell of another."""
    allows, node = context.desk.ceiling.allows, context.node
    (record,) = await as_marked_now([await node.show(ref)], at(node))
    if allows(record.bulletin.tlp) is not Release.FULL:
        text = words(officer.language).text(
            "Its marking keeps this out of chat. See it on your agency's terminal."
        )
        return screens.plain_answer(text, officer.language)
    found = await as_marked_now(await node.replies(record.bulletin.id, ANSWERS_MAX), at(node))
    shown = [each for each in found if allows(each.bulletin.tlp) is Release.FULL]
    places = [each for each in await node.communities() if each.id == record.community]
    return tally(officer, record, shown, readers(places[0]) if places else 0)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("tally", typed)
    book.button("tally", button)
