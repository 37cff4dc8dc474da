"""`/ceiling` for administrators: how much may be shown in chat, and less of it."""

from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.desk import Answer
from bots.handlers.common import administrators_only
from bots.officers import audited
from bots.state.lowering import above
from bots.state.officers import Officer
from schemas.errors import Code, FormatError
from schemas.vocabulary import Tlp


@administrators_only
async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """The ceiling as it stands."""
    await context.say(
        officer, asked.chat, audited.ceiling(officer, context.limit.ceiling, context.limit.settings)
    )


@administrators_only
async def lower(asked: Pressed, context: Context, officer: Officer) -> None:
    """Lower it: what was sent and is above it now is shown anew, or taken back."""
    full = f"TLP:{asked.action.argument(0)}"
    if full not in set(Tlp):
        raise FormatError(Code.BAD_REQUEST, "a button with an unknown marking")
    lowered = await context.limit.lower(Tlp(full))
    await context.did(officer, full, outcome="lowered" if lowered else "unchanged")
    if lowered:
        await context.state.store.transact(
            lambda connection: above(connection, Tlp(full), context.clock.now())
        )
        context.wake()
    await context.chat.toast(asked.press)
    shown = audited.ceiling(officer, context.limit.ceiling, context.limit.settings, lowered=lowered)
    await context.replace(officer, asked.chat, asked.message, Answer(shown))


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("ceiling", typed)
    book.button("ceiling", lower)
