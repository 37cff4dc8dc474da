"""`/officers`, `/invite NAME` and `/lost NAME` for administrators: who may use the bot, and as what."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.handlers.common import administrators_only
from bots.officers import staffing
from bots.officers.roles import Role
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.state.partings import Parting, Partings
from schemas.errors import Code, FormatError, OperationError

HOUR = 3_600.0


@administrators_only
async def officers(asked: Typed, context: Context, officer: Officer) -> None:
    """Everybody, with buttons."""
    await context.say(officer, asked.chat, await _everybody(context, officer, 0))


@administrators_only
async def invite(asked: Typed, context: Context, officer: Officer) -> None:
    """A one-time code for a new officer, who begins as a reader; who is enrolled already is shown."""
    known = await context.state.officers.by_name(asked.after)
    if known and known.standing != "invited":
        await context.did(officer, known.name, outcome=Code.ALREADY_KNOWN)
        seen = await context.state.audit.last_seen()
        await context.say(officer, asked.chat, staffing.one(officer, known, seen))
        return
    try:
        await _invite(context, officer, asked.chat, asked.after, known.role if known else Role.READER)
    except OperationError as error:
        await context.did(officer, "", outcome=error.code)
        await context.say(officer, asked.chat, screens.usage(officer, "/invite Amina K."))


@administrators_only
async def lost(asked: Typed, context: Context, officer: Officer) -> None:
    """A lost phone, by its officer's name: shut out at once, without asking again."""
    if not asked.after:
        await context.say(officer, asked.chat, screens.usage(officer, "/lost Amina K."))
        return
    known = await context.state.officers.by_name(asked.after)
    if known is None:
        missing = OperationError(Code.NOT_FOUND, "there is no officer of that name", "see /officers")
        await context.say(officer, asked.chat, staffing.refused(officer, missing))
        await context.did(officer, "", outcome=missing.code)
        return
    try:
        await _shut_out(context, officer, asked.chat, known)
    except OperationError as error:
        await _refuse(context, officer, known, error)
        await context.say(officer, asked.chat, staffing.refused(officer, error))


@administrators_only
async def menu(asked: Pressed, context: Context, officer: Officer) -> None:
    """A button of the list, or of one officer."""
    await context.chat.toast(asked.press)
    if asked.action.argument(0) == "home":
        shown = await _everybody(context, officer, asked.action.number(1))
    else:
        known = await context.state.officers.get(asked.action.number(1))
        if known is None:
            shown = await _everybody(context, officer, 0)
        else:
            try:
                shown = await _step(asked, context, officer, known)
            except OperationError as error:
                await _refuse(context, officer, known, error)
                shown = staffing.refused(officer, error)
    await context.chat.edit(asked.chat, asked.message, shown.parts[0], rows=shown.rows)


async def _step(asked: Pressed, context: Context, officer: Officer, known: Officer) -> Rendered:
    match asked.action.argument(0):
        case "role":
            wanted = asked.action.argument(2)
            if wanted not in set(Role):
                raise FormatError(Code.BAD_REQUEST, "a button with an unknown role")
            known = await context.state.staff.change_role(known.id, Role(wanted))
            await context.did(officer, known.name, outcome=wanted)
            await context.announce(known)
        case "invite":
            await _invite(context, officer, asked.chat, known.name, known.role)
        case "remove":
            return staffing.sure(officer, known)
        case "gone":
            taken = await context.state.staff.remove(known.id)
            await _parting(context, officer, known, taken)
            await context.did(officer, known.name, outcome="removed")
            return staffing.removed(officer, known.name, taken, context.settings.chat_rate)
        case "lost":
            await _shut_out(context, officer, asked.chat, known)
            known = await context.state.officers.get(known.id) or known
    return staffing.one(officer, known, await context.state.audit.last_seen())


async def _shut_out(context: Context, officer: Officer, chat: int, known: Officer) -> None:
    code, expires = context.new_code(), _expiry(context)
    taken = await context.state.staff.shut_out(known.id, code=code, expires=expires, guarded=True)
    await _parting(context, officer, known, taken)
    await context.did(officer, known.name, outcome="shut_out")
    await context.say(
        officer, chat, staffing.shut_out(officer, known.name, taken, context.settings.chat_rate)
    )
    hours = context.settings.invitation_hours
    text = screens.invitation(officer, known.name, code, context.username, hours)
    await context.say(officer, chat, text)


async def _parting(context: Context, officer: Officer, known: Officer, taken: int) -> None:
    """Messages of somebody who was shut out are taken back: tell the officer when it is done."""
    if taken and known.chat is not None and known.id != officer.id:
        parting = Parting(known.chat, officer.id, known.name, context.clock.now())
        await Partings(context.state.store).begin(parting)
    context.take_back()


async def _invite(context: Context, officer: Officer, chat: int, name: str, role: Role) -> None:
    code, expires = context.new_code(), _expiry(context)
    invited = await context.state.officers.invite(
        name, role, code=code, expires=expires, zone=context.settings.zone, now=context.clock.now()
    )
    await context.did(officer, invited.name, outcome="invited")
    hours = context.settings.invitation_hours
    await context.say(officer, chat, screens.invitation(officer, invited.name, code, context.username, hours))


async def _refuse(context: Context, officer: Officer, known: Officer, error: OperationError) -> None:
    """Whatever was tried is written down."""
    await context.did(officer, known.name, outcome=error.code)


async def _everybody(context: Context, officer: Officer, page: int) -> Rendered:
    found = await context.state.officers.all()
    return staffing.everybody(officer, found, await context.state.audit.last_seen(), page)


def _expiry(context: Context) -> float:
    return context.clock.now() + context.settings.invitation_hours * HOUR


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("officers", officers)
    book.command("invite", invite)
    book.command("lost", lost)
    book.button("staff", menu)
