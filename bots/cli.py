"""`liaison-bot`: run the bot and the reading room, invite and remove officers, start the sandbox chat."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO, TypeVar

import typer

from bots.doors.terminal.cli import chat
from schemas.errors import Code, LiaisonError, OperationError

T = TypeVar("T")
HOUR = 3_600.0

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The liaison officers' chat bot: a client of the agency's node, without the agency's keys.",
)
officer_app = typer.Typer(no_args_is_help=True, help="Who may use the bot.")
app.add_typer(officer_app, name="officer")
app.command("chat", epilog="Example: liaison-bot chat --node-dir agency/local --officer 'Amina K.'")(chat)

StateOption = Annotated[
    Path | None, typer.Option("--state", help="The bot's folder [LIAISON_BOT_STATE].", show_default="bot")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]


@app.command(epilog="Example: liaison-bot run --token-file token --node-dir agency/local --json-events -")
def run(
    state: StateOption = None,
    api_url: Annotated[str | None, typer.Option(help="Base address of the Bot API.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the bot's token.")] = None,
    node_dir: Annotated[Path | None, typer.Option(help="The directory of the node's local NATS.")] = None,
    json_events: Annotated[
        Path | None, typer.Option(help="Append a JSON line for each delivery (ids only); - for stdout.")
    ] = None,
) -> None:
    """Run the bot until SIGTERM or SIGINT."""
    from bots.logs import configure
    from bots.settings import load

    def work() -> None:
        settings = load(**_given(state=state, api_url=api_url, token_file=token_file, node_dir=node_dir))
        configure(settings.log, settings.log_level)
        settings.secret_token()
        from bots.process import run_bot

        stream = _events(json_events)
        try:
            run_bot(settings, stream)
        finally:
            if stream is not None and stream is not sys.stdout:
                stream.close()

    _refusing(work)


@officer_app.command("add", epilog="Example: liaison-bot officer add 'Amina K.' --admin")
def officer_add(
    name: Annotated[str, typer.Argument(help="How colleagues know the officer.")],
    admin: Annotated[bool, typer.Option("--admin", help="May invite others in chat.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invite an officer: prints a code that works once. Again for the same name: the earlier code ends."""

    async def work() -> None:
        from bots.clock import SystemClock, moment
        from bots.codes import new_code
        from bots.settings import load
        from bots.state import State

        settings = load(**_given(state=state))
        code, now = new_code(), SystemClock().now()
        expires = now + settings.invitation_hours * HOUR
        async with await State.open(settings.state) as opened:
            officer = await opened.officers.invite(
                name,
                "administrator" if admin else "officer",
                code=code,
                expires=expires,
                zone=settings.zone,
                now=now,
            )
        until = moment(expires).strftime("%Y-%m-%dT%H:%M:%SZ")
        if as_json:
            _print_json({"officer": officer.id, "name": officer.name, "code": code, "expires": until})
            return
        typer.echo(f"{officer.name} may enrol once, until {until}, by sending the bot:\n\n  /start {code}\n")
        typer.echo(f"or by opening https://t.me/<name of the bot>?start={code}")

    _refusing(lambda: _wait(work()))


@officer_app.command("list", epilog="Example: liaison-bot officer list --json")
def officer_list(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Everybody who is enrolled or invited."""

    async def work() -> None:
        from bots.settings import load
        from bots.state import State

        settings = load(**_given(state=state))
        async with await State.open(settings.state) as opened:
            found = await opened.officers.all()
        rows = [
            {
                "officer": each.id,
                "name": each.name,
                "role": each.role,
                "language": each.language.value,
                "zone": each.zone.key,
                "standing": "invited"
                if each.chat is None
                else "enrolled"
                if each.reachable
                else "unreachable",
            }
            for each in found
        ]
        if as_json:
            _print_json({"officers": rows})
            return
        for row in rows:
            typer.echo("{officer:>4}  {name:<24} {role:<14} {standing:<12} {language}  {zone}".format(**row))
        if not rows:
            typer.echo("Nobody yet. Begin with: liaison-bot officer add NAME --admin")

    _refusing(lambda: _wait(work()))


@officer_app.command("remove", epilog="Example: liaison-bot officer remove 'Amina K.'")
def officer_remove(
    name: Annotated[str, typer.Argument(help="The name that `officer list` shows.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shut an officer out at once, and forget their subscriptions. A lost phone: do this."""

    async def work() -> None:
        from bots.settings import load
        from bots.state import State

        settings = load(**_given(state=state))
        async with await State.open(settings.state) as opened:
            removed = await opened.officers.remove(name)
        if not removed:
            raise OperationError(
                Code.NOT_FOUND, "there is no officer of that name", "see `liaison-bot officer list`"
            )
        if as_json:
            _print_json({"removed": name})
        else:
            typer.echo(f"{name} is shut out.")

    _refusing(lambda: _wait(work()))


@officer_app.command("passkey", epilog="Example: liaison-bot officer passkey 'Amina K.'")
def officer_passkey(
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
        from bots.lobby import Lobby
        from bots.room.origin import read_origin
        from bots.settings import load
        from bots.state import State

        settings = load(**_given(state=state))
        read_origin(settings.room_origin)
        async with await State.open(settings.state) as opened:
            officer = next((each for each in await opened.officers.all() if each.name == name), None)
            if officer is None:
                raise OperationError(
                    Code.NOT_FOUND, "there is no officer of that name", "see `liaison-bot officer list`"
                )
            link = await Lobby(settings, opened, SystemClock(), new_key).key_link(officer)
        if as_json:
            _print_json({"officer": officer.id, "name": officer.name, "link": link})
        else:
            typer.echo(f"For {officer.name}, once, within an hour:\n\n  {link}")

    _refusing(lambda: _wait(work()))


@app.command(epilog="Example: LIAISON_BOT_ROOM_ORIGIN=https://room.agency.example liaison-bot room")
def room(
    state: StateOption = None,
    origin: Annotated[
        str | None, typer.Option(help="Where browsers find it [LIAISON_BOT_ROOM_ORIGIN].")
    ] = None,
    listen: Annotated[str | None, typer.Option(help="Address and port behind the TLS proxy.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the bot's token.")] = None,
    node_dir: Annotated[Path | None, typer.Option(help="The directory of the node's local NATS.")] = None,
) -> None:
    """Open the reading room until SIGTERM or SIGINT: the agency's web page for what is kept out of chat."""
    from bots.logs import configure
    from bots.settings import load

    def work() -> None:
        settings = load(
            **_given(
                state=state, room_origin=origin, room_listen=listen, token_file=token_file, node_dir=node_dir
            )
        )
        configure(settings.log, settings.log_level)
        from bots.room.process import run_room

        run_room(settings)

    _refusing(work)


@app.command(epilog="Example: liaison-bot status --json")
def status(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Officers and what waits for delivery; exit code 1 when the running bot has not been heard of for a
    minute.
    """

    async def work() -> bool:
        from bots.clock import SystemClock
        from bots.process import ALIVE_SECONDS, last_heard
        from bots.settings import load
        from bots.state import State

        settings = load(**_given(state=state))
        async with await State.open(settings.state) as opened:
            officers = await opened.officers.all()
            jobs = await opened.outbox.counts()
            heard = await last_heard(opened)
        alive = heard is not None and SystemClock().now() - heard < ALIVE_SECONDS
        told = {
            "alive": alive,
            "officers": len(officers),
            "enrolled": sum(each.chat is not None for each in officers),
            "unreachable": sum(not each.reachable for each in officers),
            "jobs": jobs,
        }
        if as_json:
            _print_json(told)
        else:
            for key, value in told.items():
                typer.echo(f"{key:<12} {value}")
        return alive

    if not _refusing(lambda: _wait(work())):
        raise typer.Exit(1)


@app.command(epilog="Example: liaison-bot sandbox --officer Amina:ar --officer Claire:fr --json")
def sandbox(
    port: Annotated[int, typer.Option(help="On 127.0.0.1; 0 for any free one.")] = 0,
    bot: Annotated[
        list[str] | None, typer.Option(help="USERNAME:NAME, again for each bot. One when left out.")
    ] = None,
    officer: Annotated[
        list[str] | None,
        typer.Option(help="NAME, NAME:LANGUAGE or NAME:LANGUAGE:BOT, again for each person."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start a chat service of your own on this machine, with a page to chat in; no token needed. Ctrl-C
    ends it.
    """

    async def work() -> None:
        from bots.logs import configure
        from bots.sandbox.server import start
        from bots.sandbox.settings import Officer, SandboxSettings, named_bots

        configure("auto", "info")
        people = tuple(Officer(*each.split(":", 2)) for each in officer or ["Amina:ar", "Claire:fr"])
        settings = SandboxSettings(port=port, officers=people)
        running = await start(replace(settings, bots=named_bots(bot)) if bot else settings)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        try:
            if as_json:
                _print_json(running.summary())
            else:
                typer.echo(f"Bot API:  {running.base_url}")
                typer.echo(f"Token:    {running.bots[0].token}")
                typer.echo(f"Page:     {running.page_url}")
            sys.stdout.flush()
            await stop.wait()
        finally:
            await running.close()

    _refusing(lambda: _wait(work()))


def _given(**options: object) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _events(path: Path | None) -> TextIO | None:
    if path is None:
        return None
    if str(path) == "-":
        return sys.stdout
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise OperationError(
            Code.BAD_SETTINGS, f"the events file cannot be opened: {error.strerror}", "name another file"
        ) from None


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


def _wait(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _refusing(work: "Any") -> Any:  # noqa: ANN401 - what the command returns
    """Run; a refusal becomes a line on stderr and exit code 1."""
    from bots.logs import known

    try:
        return work()
    except Exception as error:
        found = known(error)
        if found is None:
            raise
        _stop(found)


def _stop(error: LiaisonError) -> NoReturn:
    typer.echo(f"{error.code}: {error.message}" + (f"\n{error.fix}" if error.fix else ""), err=True)
    raise typer.Exit(1)


def main() -> None:
    """The command's entry point."""
    app()
