"""`liaison-bot`: run the bot and the reading room, invite and remove officers, start the sandbox chat."""

import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TextIO

import typer

from bots.cli.audit import audit, ceiling
from bots.cli.officers import officers
from bots.cli.tools import JsonOption, StateOption
from bots.cli.tools import given as _given
from bots.cli.tools import print_json as _print_json
from bots.cli.tools import refusing as _refusing
from bots.cli.tools import wait as _wait
from bots.doors.terminal.cli import chat
from schemas.errors import Code, OperationError
from subscribers import coredump

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The liaison officers' chat bot: a client of the agency's node, without the agency's keys.",
)
app.add_typer(officers, name="officer")
app.command(epilog="Example: liaison-bot audit --about FRA-2026-0042 --json")(audit)
app.command(epilog="Example: liaison-bot ceiling --restore")(ceiling)
app.command("chat", epilog="Example: liaison-bot chat --node-dir agency/local --officer 'Amina K.'")(chat)


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


def main() -> None:
    """The command's entry point."""
    coredump.forbid()
    app()
