"""`/officers`, `/invite NAME` and `/lost NAME [now]` for administrators: who may use the bot, and as what."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.duty import absent
from bots.duty.absent import OnDuty
from bots.enquiries.desk import Answer
from bots.handlers import duty
from bots.handlers.common import administrators_only
from bots.officers import called, lost_phone, shut_already, staffing
from bots.officers.appointing import appoint
from bots.officers.lost_phone import OnPhone
from bots.officers.roles import Right, Role
from bots.officers.seen import numbers_of
from bots.parsing.commands import clean
from bots.showing.rendered import Rendered
from bots.state.audit import Wanted
from bots.state.officers import Officer
from bots.state.partings import Parting, Partings
from bots.state.rosters import AGENCY
from bots.telling.aftermath import DELETE_WITHIN
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
    """A lost phone: of whom, whether to shut it out, or, with `now` behind the name, at once."""
    found = await context.state.officers.all()
    name, at_once = lost_phone.asked_for(clean(asked.after), [each.name for each in found])
    known = called.meant(name, found) or called.meant(asked.after, found)
    if len(known) != 1:
        if name and not known:
            await context.did(officer, "", outcome=Code.NOT_FOUND)
        seen, several = await context.state.audit.last_seen(), bool(known)
        shown = lost_phone.choose(
            officer, known or found, seen, unknown=bool(name) and not several, several=several
        )
        await context.say(officer, asked.chat, shown)
        return
    (whose,) = known
    try:
        if at_once and whose.chat is not None and whose.id != officer.id:
            await _shut_out(context, officer, asked.chat, whose)
            return
        shown = await _sure(context, officer, whose)
    except OperationError as error:
        await _refuse(context, officer, whose, error)
        shown = _refused(officer, whose, error, "lost")
    await context.say(officer, asked.chat, shown)


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
                shown = _refused(officer, known, error, asked.action.argument(0))
    await context.replace(officer, asked.chat, asked.message, Answer(shown))


async def _step(asked: Pressed, context: Context, officer: Officer, known: Officer) -> Rendered:
    match asked.action.argument(0):
        case "role":
            wanted = asked.action.argument(2)
            if wanted not in set(Role):
                raise FormatError(Code.BAD_REQUEST, "a button with an unknown role")
            now = context.clock.now()
            known = await appoint(context.state, known.id, Role(wanted), now, by=officer.id)
            await context.did(officer, known.name, outcome=wanted)
            await context.announce(known)
            context.wake()
        case "invite":
            await _invite(context, officer, asked.chat, known.name, known.role)
        case "remove":
            return staffing.sure(officer, known)
        case "gone":
            await context.state.staff.check_leaving(known.id)
            on = await _on_phone(context, officer, known)
            since = context.clock.now() - DELETE_WITHIN
            taken = await context.state.staff.remove(known.id, since)
            await _parting(context, officer, known, taken, on)
            await context.did(officer, known.name, outcome="removed")
            return lost_phone.removed(officer, known, on, context.settings.chat_rate)
        case "lost":
            return await _sure(context, officer, known)
        case "shut" if known.chat is None:
            return await _sure(context, officer, known)
        case "shut":
            await _shut_out(context, officer, asked.chat, known)
            known = await context.state.officers.get(known.id) or known
    return staffing.one(officer, known, await context.state.audit.last_seen())


async def _sure(context: Context, officer: Officer, known: Officer) -> Rendered:
    """The question before it; refused at once where it would be. Whoever has no phone here is shown, and
    since when theirs is shut out.
    """
    if known.chat is None:
        shut = await context.state.lost.standing(known.id, known.name, context.clock.now())
        if shut is not None:
            return shut_already.already(officer, known, shut, await _duties(context, officer, known))
        return staffing.one(officer, known, await context.state.audit.last_seen())
    await context.state.staff.check_leaving(known.id)
    return lost_phone.ask(officer, known, await _on_phone(context, officer, known))


async def _on_phone(context: Context, officer: Officer, known: Officer) -> OnPhone:
    now, audit = context.clock.now(), context.state.audit
    there = await context.state.staff.in_chat(known.id, now - DELETE_WITHIN)
    seen = (await audit.last_seen()).get(known.id)
    room, keys = bool(context.settings.room_origin), len(await context.state.room.passkeys(known.id))
    enrolled = await audit.enrolled(known.id)
    bulletins, aside = numbers_of(await audit.shown(Wanted(known.name, since=enrolled or 0.0)))
    return OnPhone(
        there.young,
        there.old,
        bulletins,
        enrolled,
        seen,
        room=room,
        keys=keys,
        stay=there.stay,
        aside=aside,
        duties=await _duties(context, officer, known),
        others=await _others(context, officer) if known.id == officer.id else (),
    )


async def _others(context: Context, officer: Officer) -> tuple[str, ...]:
    """The other administrators with a phone here, by their names."""
    return tuple(
        each.name
        for each in await context.state.officers.all()
        if each.id != officer.id and each.chat is not None and each.may(Right.ADMINISTER)
    )


async def _duties(context: Context, officer: Officer, known: Officer) -> tuple[OnDuty, ...]:
    """Which duties somebody has now, for `officer` to take; nobody takes over from themselves."""
    if known.id == officer.id:
        return ()
    cells = [each.id for each in await context.state.cells.open()]
    numbers = dict.fromkeys([AGENCY, *await context.state.rosters.numbers(), *cells])
    return absent.held(known.id, [await duty.board(context, each) for each in numbers])


async def _shut_out(context: Context, officer: Officer, chat: int, known: Officer) -> None:
    own = known.id == officer.id
    code, expires = context.new_code(), context.clock.now() if own else _expiry(context)
    on = await _on_phone(context, officer, known)
    since = context.clock.now() - DELETE_WITHIN
    taken = await context.state.staff.shut_out(
        known.id, code=code, expires=expires, guarded=True, since=since
    )
    await _parting(context, officer, known, taken, on)
    await context.did(officer, known.name, outcome="shut_out")
    await context.say(officer, chat, lost_phone.shut_out(officer, known, on, context.settings.chat_rate))
    if own:
        return  # whoever has the phone would read the code: another administrator makes one
    hours = context.settings.invitation_hours
    text = screens.invitation(officer, known.name, code, context.username, hours)
    await context.say(officer, chat, text)


async def _parting(context: Context, officer: Officer, known: Officer, taken: int, on: OnPhone) -> None:
    """Messages of somebody who was shut out are taken back: tell the officer when it is done."""
    if taken and known.chat is not None and known.id != officer.id:
        parting = Parting(
            known.chat,
            officer.id,
            known.name,
            context.clock.now(),
            of=known.id,
            stay=on.stay,
            enrolled=on.enrolled or 0.0,
        )
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


def _refused(officer: Officer, known: Officer, error: OperationError, step: str) -> Rendered:
    """Why a step was not done; of a lost phone what can be done instead."""
    if error.code is Code.FORBIDDEN and step in {"lost", "shut"}:
        return shut_already.only_one(officer, known)
    return staffing.refused(officer, error)


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
