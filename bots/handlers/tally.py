"""`/tally REF`: which agencies have acknowledged, sighted and answered a bulletin."""

from bots.dialogue import screens
from bots.dialogue.asking import Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.parsing.commands import reference
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Release
from bots.state.officers import Officer
from bots.telling.tally import ANSWERS_MAX, tally
from bots.wording.words import words


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """Of a bulletin that may be shown in full: a number would tell of another."""
    named = reference(asked.after)
    if not named:
        await context.say(officer, asked.chat, screens.usage(officer, "/tally FRA-2026-0042"))
        return
    (record,) = await as_marked_now([await context.node.show(named)], at(context.node))
    if context.desk.ceiling.allows(record.bulletin.tlp) is not Release.FULL:
        text = words(officer.language).text(
            "Its marking keeps this out of chat. See it on your agency's terminal."
        )
        await context.say(officer, asked.chat, screens.plain_answer(text, officer.language))
        return
    found = await context.node.replies(record.bulletin.id, ANSWERS_MAX)
    shown = [each for each in found if context.desk.ceiling.allows(each.bulletin.tlp) is Release.FULL]
    await context.say(officer, asked.chat, tally(officer, record, shown))


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("tally", typed)
