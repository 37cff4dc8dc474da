"""`/tactic`, `/subject`, `/like`, and the buttons that open techniques, entries and where they were seen."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.desk import Answer
from bots.enquiries.likening import Likening
from bots.enquiries.technique_screens import EXAMPLE
from bots.parsing.commands import named, words
from bots.state.officers import Officer
from bots.wording.words import words as speak


async def tactic(asked: Typed, context: Context, officer: Officer) -> None:
    """A technique of ATT&CK or DISARM."""
    wanted = words(asked.after)
    if not wanted:
        await context.say(officer, asked.chat, screens.usage(officer, "/tactic T1566", f"/tactic {EXAMPLE}"))
        return
    await context.answer(officer, asked.chat, await context.reference.tactic(officer, wanted))


async def subject(asked: Typed, context: Context, officer: Officer) -> None:
    """An entry of the UN list, or who may be meant by a name; alone, which edition there is."""
    wanted = words(asked.after)
    desk = context.reference
    answer = await (desk.subject(officer, wanted) if wanted else desk.list_state(officer))
    await context.answer(officer, asked.chat, answer)


async def like(asked: Typed, context: Context, officer: Officer) -> None:
    """Bulletins like one."""
    wanted = named(asked.after)
    if not wanted:
        await context.say(officer, asked.chat, screens.usage(officer, "/like FRA-2026-0042"))
        return
    desk = Likening(context.node, context.desk.ceiling)
    await context.answer(officer, asked.chat, await desk.like(officer, wanted))


async def open_one(asked: Pressed, context: Context, officer: Officer) -> None:
    """A bulletin of a list, below it."""
    answer = await context.desk.show(officer, asked.action.bulletin())
    await _answer(asked, context, officer, answer)


async def technique(asked: Pressed, context: Context, officer: Officer) -> None:
    """The technique of a button."""
    answer = await context.reference.technique(officer, asked.action.argument(0))
    await _answer(asked, context, officer, answer)


async def entry(asked: Pressed, context: Context, officer: Officer) -> None:
    """The entry of a button."""
    answer = await context.reference.entry(officer, asked.action.argument(0))
    await _answer(asked, context, officer, answer)


async def hits(asked: Pressed, context: Context, officer: Officer) -> None:
    """More possible matches."""
    await _answer(asked, context, officer, await context.reference.more_hits(officer, asked.action.number(0)))


async def seen(asked: Pressed, context: Context, officer: Officer) -> None:
    """Where it was seen."""
    what = asked.action.argument(0)
    if what == "more":
        answer = await context.reference.seen_more(officer)
    else:
        answer = await context.reference.seen(officer, what, asked.action.argument(1))
    await _answer(asked, context, officer, answer)


async def _answer(asked: Pressed, context: Context, officer: Officer, answer: Answer | None) -> None:
    end = "" if answer else speak(officer.language).text("That was the last of them.")
    await context.chat.toast(asked.press, end)
    if answer:
        await context.answer(officer, asked.chat, answer)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("tactic", tactic)
    book.command("subject", subject)
    book.command("like", like)
    book.button("open", open_one)
    book.button("tech", technique)
    book.button("listed", entry)
    book.button("hits", hits)
    book.button("seen", seen)
