"""`liaison-bot officer`: who may use the bot, and what to do about a lost phone."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bots.cli.tools import JsonOption, StateOption, given, print_json, refusing, wait
from schemas.errors import Code, OperationError

if TYPE_CHECKING:
    from bots.state import State
    from bots.state.officers import Officer

T = TypeVar("T")
HOUR = 3_600.0

officers = typer.Typer(no_args_is_help=True, help="Who may use the bot.")

NameArgument = Annotated[str, typer.Argument(help="The name that `officer list` shows.")]


@officers.command("add", epilog="Example: liaison-bot officer add 'Amina K.' --admin")
def add(
    name: Annotated[str, typer.Argument(help="How colleagues know the officer.")],
    role: Annotated[str, typer.Option(help="reader, drafter, releaser or administrator.")] = "reader",
    admin: Annotated[bool, typer.Option("--admin", help="The same as --role administrator.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invite an officer: prints a code that works once. Again for the same name: the earlier code ends."""

    async def work() -> None:
        from bots.clock import SystemClock
        from bots.codes import new_code
        from bots.officers.roles import Role, parse_role
        from bots.settings import load
        from bots.state import State

        settings = load(**given(state=state))
        wanted = Role.ADMINISTRATOR if admin else parse_role(role)
        code, now = new_code(), SystemClock().now()
        expires = now + settings.invitation_hours * HOUR
        async with await State.open(settings.state) as opened:
            officer = await opened.officers.invite(
                name, wanted, code=code, expires=expires, zone=settings.zone, now=now
            )
            await _written(opened, "officer add", officer.name, wanted)
        _show_code(officer, code, expires, as_json=as_json)

    refusing(lambda: wait(work()))


@officers.command("list", epilog="Example: liaison-bot officer list --json")
def show_all(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Everybody who is enrolled or invited."""

    async def work() -> None:
        from bots.clock import moment
        from bots.settings import load
        from bots.state import State

        settings = load(**given(state=state))
        async with await State.open(settings.state) as opened:
            found = await opened.officers.all()
            seen = await opened.audit.last_seen()
        rows = [
            {
                "officer": each.id,
                "name": each.name,
                "role": each.role.value,
                "language": each.language.value,
                "zone": each.zone.key,
                "standing": each.standing,
                "seen": moment(seen[each.id]).strftime("%Y-%m-%dT%H:%M:%SZ") if each.id in seen else "",
            }
            for each in found
        ]
        if as_json:
            print_json({"officers": rows})
            return
        for row in rows:
            line = "{officer:>4}  {name:<24} {role:<14} {standing:<12} {language}  {zone:<20} {seen}"
            typer.echo(line.format(**row).rstrip())
        if not rows:
            typer.echo("Nobody yet. Begin with: liaison-bot officer add NAME --admin")

    refusing(lambda: wait(work()))


@officers.command("role", epilog="Example: liaison-bot officer role 'Amina K.' releaser")
def change_role(
    name: NameArgument,
    role: Annotated[str, typer.Argument(help="reader, drafter, releaser or administrator.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an officer another role, at once: the running bot tells the officer. The last administrator keeps
    theirs.
    """

    async def change(opened: "State", officer: "Officer") -> None:
        from bots.clock import SystemClock
        from bots.officers.appointing import appoint
        from bots.officers.roles import parse_role

        changed = await appoint(opened, officer.id, parse_role(role), SystemClock().now())
        await _written(opened, "officer role", officer.name, changed.role)

    officer, _ = _with_officer(name, state, change)
    _told({"officer": officer.id, "name": officer.name, "role": role}, f"{officer.name}: {role}", as_json)


@officers.command("remove", epilog="Example: liaison-bot officer remove 'Amina K.'")
def remove(name: NameArgument, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Shut an officer out at once and forget all that is theirs: the running bot takes back what is in their
    chat, and rewrites its own messages that are older than 48 hours. Passkeys and sessions of the reading
    room end.
    """

    async def away(opened: "State", officer: "Officer") -> int:
        from bots.clock import SystemClock
        from bots.telling.aftermath import DELETE_WITHIN

        taken = await opened.staff.remove(officer.id, SystemClock().now() - DELETE_WITHIN)
        await _written(opened, "officer remove", officer.name, "done")
        return taken

    officer, taken = _with_officer(name, state, away)
    told = f"{officer.name} is shut out. Messages that the running bot takes back: {taken}."
    _told({"removed": officer.name, "taken_back": taken}, told, as_json)


@officers.command("lost", epilog="Example: liaison-bot officer lost 'Amina K.'")
def lost(name: NameArgument, state: StateOption = None, as_json: JsonOption = False) -> None:
    """A lost or stolen phone: shut it out at once, also that of the last administrator. The officer is signed
    out of the reading room, and passkeys for it are removed. Prints a code with which the officer enrols
    again, with role and subscriptions as before.
    """

    async def shut_out(opened: "State", officer: "Officer") -> tuple[str, float, int]:
        from bots.clock import SystemClock
        from bots.codes import new_code
        from bots.settings import load
        from bots.telling.aftermath import DELETE_WITHIN

        code, now = new_code(), SystemClock().now()
        expires = now + load(**given(state=state)).invitation_hours * HOUR
        keys = len(await opened.room.passkeys(officer.id))
        await opened.staff.shut_out(
            officer.id, code=code, expires=expires, guarded=False, since=now - DELETE_WITHIN
        )
        await _written(opened, "officer lost", officer.name, "done")
        return code, expires, keys

    officer, (code, expires, keys) = _with_officer(name, state, shut_out)
    if not as_json:
        typer.echo(f"{officer.name}'s chat is shut out; the running bot takes back what is in it.")
        typer.echo(f"Signed out of the reading room; passkeys removed: {keys}.\n")
    _show_code(officer, code, expires, as_json=as_json)


@officers.command("passkey", epilog="Example: liaison-bot officer passkey 'Amina K.'")
def passkey(
    name: Annotated[str, typer.Argument(help="The name that `officer list` shows.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """A link into the reading room, for an officer who stands before you: there they make a passkey that
    shows all that the room shows. It works once, within an hour. Give it by hand, never by chat.
    """

    async def work() -> None:
        from bots.clock import SystemClock
        from bots.codes import new_key
        from bots.officers.lobby import Lobby
        from bots.room.origin import read_origin
        from bots.settings import load
        from bots.state import State

        settings = load(**given(state=state))
        read_origin(settings.room_origin)
        async with await State.open(settings.state) as opened:
            officer = await opened.officers.by_name(name)
            if officer is None:
                raise OperationError(
                    Code.NOT_FOUND, "there is no officer of that name", "see `liaison-bot officer list`"
                )
            await _written(opened, "officer passkey", officer.name, "done")
            link = await Lobby(settings, opened, SystemClock(), new_key).key_link(officer)
        if as_json:
            print_json({"officer": officer.id, "name": officer.name, "link": link})
        else:
            typer.echo(f"For {officer.name}, once, within an hour:\n\n  {link}")

    refusing(lambda: wait(work()))


def _with_officer(
    name: str, state: object, work: "Callable[[State, Officer], Awaitable[T]]"
) -> "tuple[Officer, T]":
    """The officer of that name, and what `work` makes of them; a refusal ends the command."""

    async def found() -> "tuple[Officer, T]":
        from bots.settings import load
        from bots.state import State

        settings = load(**given(state=state))
        async with await State.open(settings.state) as opened:
            officer = await opened.officers.by_name(name)
            if officer is None:
                raise OperationError(
                    Code.NOT_FOUND, "there is no officer of that name", "see `liaison-bot officer list`"
                )
            return officer, await work(opened, officer)

    result: tuple[Officer, T] = refusing(lambda: wait(found()))
    return result


async def _written(opened: "State", verb: str, name: str, outcome: str) -> None:
    from bots.clock import SystemClock
    from bots.officers.audit import MACHINE, Act

    await opened.audit.write([Act(None, "", MACHINE, verb, name, outcome)], SystemClock().now())


def _show_code(officer: "Officer", code: str, expires: float, *, as_json: bool) -> None:
    from bots.clock import moment

    until = moment(expires).strftime("%Y-%m-%dT%H:%M:%SZ")
    if as_json:
        print_json({"officer": officer.id, "name": officer.name, "code": code, "expires": until})
        return
    typer.echo(f"{officer.name} may enrol once, until {until}, by sending the bot:\n\n  /start {code}\n")
    typer.echo(f"or by opening https://t.me/<name of the bot>?start={code}")


def _told(fields: dict[str, object], text: str, as_json: bool) -> None:
    if as_json:
        print_json(fields)
    else:
        typer.echo(text)
