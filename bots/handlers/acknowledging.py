"""`/ack REF [private]` and the button that acknowledges."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.desk import Acknowledged
from bots.parsing.commands import acknowledgement
from bots.showing.buttons import button_acknowledge
from bots.state.officers import Officer
from bots.wording.words import words


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """By its reference."""
    named, private = acknowledgement(asked.after)
    if not named:
        await context.say(officer, asked.chat, screens.usage(officer, "/ack FRA-2026-0042"))
        return
    given = await context.desk.acknowledge(officer, named, private=private)
    await _write_down(context, officer, given)
    context.wake()
    await context.say(officer, asked.chat, screens.plain_answer(given.text, officer.language))


async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """By the button under a bulletin, which then says so."""
    bulletin = asked.action.bulletin()
    given = await context.desk.acknowledge(officer, bulletin, pressed=asked.message)
    await _write_down(context, officer, given)
    context.wake()
    await context.chat.toast(asked.press, given.text)
    done = button_acknowledge(bulletin, words(officer.language), done=True)
    rows = tuple(tuple(done if each.data == done.data else each for each in row) for row in asked.rows)
    await context.chat.label(asked.chat, asked.message, rows)


async def _write_down(context: Context, officer: Officer, given: Acknowledged) -> None:
    await context.did(officer, given.ref, outcome="acknowledged" if given.done else "unchanged")


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("ack", typed)
    book.button("ack", button)
