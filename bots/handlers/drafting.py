"""`/draft`, `/ask`, `/drafts`, `/amend REF`, `/retract REF`, forwarded messages, files, and the drafts'
buttons.
"""

from collections.abc import Awaitable
from dataclasses import replace

from bots.dialogue import pause, screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.dialogue.left import RETURNING, WRITING, stays
from bots.drafting.choices import VERB
from bots.drafting.draft import Step
from bots.drafting.pending import LOOK
from bots.drafting.turns import Stop, Turn
from bots.drafting.writing import FILE_MAX
from bots.enquiries.desk import Answer, node_trouble
from bots.handlers.enquiries import show
from bots.outcomes import ChatFailure
from bots.parsing.commands import as_filed, reference
from bots.state.officers import Officer
from bots.wording.words import words
from schemas.errors import Code, FormatError, LiaisonError
from schemas.vocabulary import Language, Relation


async def draft(asked: Typed, context: Context, officer: Officer) -> None:
    """Begin one."""
    await say_turn(asked, context, officer, context.writing.begin(officer))


async def ask(asked: Typed, context: Context, officer: Officer) -> None:
    """A question to a community."""
    await say_turn(asked, context, officer, context.writing.question(officer, asked.after))


async def drafts(asked: Typed, context: Context, officer: Officer) -> None:
    """Those that there are. Where it was asked what should be changed in one, that is asked once more."""
    steps = context.steps(officer)
    returning = int((await steps.data())["draft"]) if await steps.at() == RETURNING else None
    await say_turn(asked, context, officer, context.writing.listed(officer))
    if returning is not None:
        await say_turn(asked, context, officer, context.releasing.returning(officer, returning))


async def amend(asked: Typed, context: Context, officer: Officer) -> None:
    """Change what is out."""
    await _change(asked, context, officer, Relation.AMENDS)


async def retract(asked: Typed, context: Context, officer: Officer) -> None:
    """Withdraw what is out."""
    await _change(asked, context, officer, Relation.RETRACTS)


async def forwarded(asked: Typed, context: Context, officer: Officer) -> None:
    """A draft from what somebody else wrote."""
    if not asked.text:
        await context.say(officer, asked.chat, screens.unknown(officer))
        return
    await say_turn(
        asked, context, officer, context.writing.forwarded(officer, asked.text, asked.forwarded or "")
    )


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """An answer to the question that stands."""
    held = await context.steps(officer).data()
    step = Step(held["step"]) if held.get("step") else None
    if step is not Step.REFERENCES and await _looked_up(asked, context, officer):
        kept = await context.state.drafts.get(int(held["draft"]))
        if kept is not None and kept.state not in ("released", "discarded"):
            await context.say(officer, asked.chat, stays(officer, kept, step))
        return
    language = Language(held["language"]) if held.get("language") else None
    going = context.writing.typed(officer, int(held["draft"]), step, asked.text, language)
    await say_turn(asked, context, officer, going)


async def _looked_up(asked: Typed, context: Context, officer: Officer) -> bool:
    """Whether it was nothing but a reference, where none was asked for: its bulletin is shown, and what was
    asked stays. What only looks like one (`Expo 2027 3`) may be an answer.
    """
    wanted = reference(asked.text)
    if not wanted:
        return False
    try:
        # In the audit it is a line, as it is without a draft, not the writing of one.
        await show(replace(asked, text=f"/show {wanted}"), context.on("line"), officer)
    except LiaisonError as error:
        if error.code is not Code.NOT_FOUND:
            raise
        if not as_filed(asked.text):
            return False
        await context.say(officer, asked.chat, node_trouble(error, officer))
    return True


async def note(asked: Typed, context: Context, officer: Officer) -> None:
    """Why a draft is sent back."""
    key = int((await context.steps(officer).data())["draft"])
    if await _looked_up(asked, context, officer):
        going = context.releasing.returning(officer, key, looked_up=True)
    else:
        going = context.releasing.send_back(officer, key, asked.text)
    await say_turn(asked, context, officer, going)


async def file(asked: Typed, context: Context, officer: Officer) -> None:
    """A file for the draft that is open. It goes from the chat service to the node by way of memory alone."""
    steps = context.steps(officer)
    if asked.file is None or await steps.at() != WRITING:
        text = words(officer.language).text("Open a draft first, then send the file: /draft, /drafts")
        await context.say(officer, asked.chat, screens.plain_answer("📎 " + text, officer.language))
        return
    key = int((await steps.data())["draft"])
    await say_turn(asked, context, officer, _attached(asked, context, officer, key))


async def _attached(asked: Typed, context: Context, officer: Officer, key: int) -> Turn:
    if asked.file is None:
        raise FormatError(Code.BAD_REQUEST, "no file")
    if instead := await context.writing.may_attach(officer, key, asked.file.size):
        return instead
    try:
        data = await context.chat.fetch(asked.file.key, FILE_MAX)
    except ChatFailure:
        text = words(officer.language).text("The file could not be fetched. Send it again.")
        return await context.writing.open(officer, key, told="⚠️ " + text)
    return await context.writing.attach(officer, key, asked.file.name, data)


async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button of a draft, answered in the place of its message; below it, where that names others too."""
    if asked.action.argument(0) == LOOK:
        await context.chat.toast(asked.press)
        await say_turn(asked, context, officer, context.releasing.view(officer, asked.action.number(1)))
        return
    turn = await _ended(_pressed(asked, context, officer))
    await context.chat.toast(asked.press)
    await _stand(context, officer, turn)
    await context.replace(officer, asked.chat, asked.message, Answer(turn.shown))


async def _pressed(asked: Pressed, context: Context, officer: Officer) -> Turn:
    action, writing = asked.action, context.writing
    what = action.argument(0)
    if what == "new":
        return await writing.begin(officer)
    if what == "list":
        return await writing.listed(officer)
    key = action.number(1)
    match what:
        case "open":
            return await writing.open(officer, key)
        case "ask":
            return await writing.ask(officer, key, _step(action.argument(2)))
        case "set":
            return await writing.choose(officer, key, _step(action.argument(2)), action.argument(3))
        case "skip":
            return await writing.leave_out(officer, key, _step(action.argument(2)))
        case "to":
            return await writing.address(officer, key)
        case "undo":
            return await writing.undo(officer, key)
        case "drop":
            return await writing.discarding(officer, key)
        case "gone":
            return await writing.discard(officer, key)
        case "take":
            return await context.releasing.take_back(officer, key) or await writing.open(officer, key)
        case _:
            return await _reviewed(asked, context, officer, key)


async def _reviewed(asked: Pressed, context: Context, officer: Officer, key: int) -> Turn:
    action, releasing = asked.action, context.releasing
    match action.argument(0):
        case "view":
            wanted = next(iter(action.arguments[2:]), "")
            return await releasing.view(
                officer, key, language=Language(wanted) if wanted in set(Language) else None
            )
        case "send":
            return await releasing.send(officer, key, action.argument(2))
        case "go":
            how = "".join(action.arguments[3:])
            return await releasing.release(
                officer, key, action.argument(2), official="o" in how, sure="y" in how
            )
        case "again":
            return await releasing.again(officer, key)
        case "back":
            return await releasing.returning(officer, key)
        case _:
            raise FormatError(Code.BAD_REQUEST, "a button of a draft with an unknown meaning")


async def _change(asked: Typed, context: Context, officer: Officer, relation: Relation) -> None:
    named = reference(asked.after)
    if not named:
        await context.say(officer, asked.chat, screens.usage(officer, f"/{asked.command} FRA-2026-0042"))
        return
    await say_turn(asked, context, officer, context.writing.change(officer, named, relation))


async def say_turn(
    asked: Typed | Pressed, context: Context, officer: Officer, going: Awaitable[Turn]
) -> None:
    """Answer with a turn of the drafting desk, as a new message."""
    turn = await _ended(going)
    await _stand(context, officer, turn)
    await context.say(officer, asked.chat, turn.shown)


async def _ended(going: Awaitable[Turn]) -> Turn:
    try:
        return await going
    except Stop as stop:
        return stop.turn


async def _stand(context: Context, officer: Officer, turn: Turn) -> None:
    """Remember where the conversation stands, before its question is shown."""
    steps = context.steps(officer)
    if turn.refused:
        await pause.begin(context.state.memory, officer, context.clock.now())
    if turn.draft is None:
        await steps.end()
        return
    await steps.keep(
        draft=turn.draft,
        step=turn.step.value if turn.step else None,
        language=turn.language.value if turn.language else None,
    )
    await steps.go(RETURNING if turn.returning else WRITING)


def _step(text: str) -> Step:
    if text not in set(Step):
        raise FormatError(Code.BAD_REQUEST, "a button with an unknown question")
    return Step(text)


def register(book: Book) -> None:
    """Enter them."""
    commands = {"draft": draft, "ask": ask, "drafts": drafts, "amend": amend, "retract": retract}
    for name, answer in commands.items():
        book.command(name, answer)
    book.button(VERB, button)
    book.step(WRITING, typed)
    book.step(RETURNING, note)
    book.forwarded(forwarded)
    book.file(file)
