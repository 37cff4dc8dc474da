"""`/search`, its filters, and the buttons that take them away, turn the page, or make a subscription."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.finding import typed_query
from bots.handlers.subscribing import begin
from bots.parsing.queries import KEYS
from bots.searches.alternatives import EXAMPLE
from bots.searches.watching import Search
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.wording.words import words
from schemas.errors import OperationError

EXAMPLES = ("/search drone stadium", "/search kind:cyber severity:high region:FR since:7d port")


async def search(asked: Typed, context: Context, officer: Officer) -> None:
    """Bulletins with the given words, within the given restrictions."""
    known = await context.node.communities() if "community:" in asked.after.lower() else []
    try:
        query = typed_query(asked.after, context.clock.now(), known, words(officer.language))
    except OperationError:
        await context.say(officer, asked.chat, _usage(officer))
        return
    if not asked.after:
        await context.say(officer, asked.chat, _usage(officer))
        return
    await context.answer(officer, asked.chat, await context.finder.find(officer, query))


def _usage(officer: Officer) -> Rendered:
    first, *more = EXAMPLES
    either = f"/search {words(officer.language).text(EXAMPLE)}"
    return screens.searching(officer, (first, either, *more), KEYS)


async def turn(asked: Pressed, context: Context, officer: Officer) -> None:
    """The next page of a list."""
    answer = await context.finder.next_page(officer) or await context.desk.next_page(officer)
    end = "" if answer else words(officer.language).text("That was the last of them.")
    await context.chat.toast(asked.press, end)
    if answer:
        await context.answer(officer, asked.chat, answer)


async def change(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button under a list: take a restriction or a word away, take what was suggested, or subscribe."""
    what, token = asked.action.argument(0), asked.action.number(1)
    if what == "save":
        await _subscribe(asked, context, officer, token)
        return
    finder = context.finder
    if what == "better":
        answer = await finder.better(officer, token)
    else:
        drop = finder.fewer if what == "less" else finder.without
        answer = await drop(officer, token, asked.action.number(2))
    await context.chat.toast(asked.press, "" if answer else _over(officer))
    if answer:
        await context.answer(officer, asked.chat, answer)


async def _subscribe(asked: Pressed, context: Context, officer: Officer, token: int) -> None:
    """A subscription begins with what was searched; it looks ahead, so times have no place in it."""
    query = await context.finder.asked(officer, token)
    await context.chat.toast(asked.press, "" if query else _over(officer))
    if query:
        ahead = query.filters.model_copy(update={"since": None, "until": None})
        await begin(asked.chat, context, officer, Search(words=query.words, filters=ahead))


def _over(officer: Officer) -> str:
    return words(officer.language).text(
        "Another search came after this one. Send /search and the words again."
    )


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("search", search)
    book.button("next", turn)
    book.button("find", change)
