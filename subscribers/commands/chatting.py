"""For the officer at the terminal: `chat`."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Tlp
from subscribers.commands.common import COMMAND_LINE, State, node, refusals, run, settings_of

CHAT: Final = "chat"
_BOT: Final = "liaison-bot"


def chat(
    officer: Annotated[
        str | None, typer.Option(help="Your name, for your colleagues.", show_default="login name")
    ] = None,
    ceiling: Annotated[Tlp, typer.Option(help="The highest marking that is shown in full.")] = Tlp.RED,
    state: State = None,
    client: Annotated[str, typer.Option(help="Ask as this local client; made if need be.")] = CHAT,
) -> None:
    """Talk with the bot in this terminal: its commands and alerts, within the agency, without a chat service.

    Lines are commands or words; a number presses the button that it stands before; Ctrl-D ends. From a pipe
    it answers line by line in plain text, and ends with the input.

    Example: liaison-agency chat --officer "Amina K."

    Example: echo "/search drone" | liaison-agency chat
    """
    with refusals():
        program = _beside()
        local = settings_of(state).state / "local"
        if not (local / "clients" / f"{client}.nk").exists():
            run(_make(state, client))
        given = ["--node-dir", str(local), "--client", client, "--ceiling", ceiling.value]
        _become(program, CHAT, *given, *(["--officer", officer] if officer else []))


async def _make(state: Path | None, client: str) -> None:
    """A client for this terminal: it reads everything and may acknowledge, and holds no agency keys."""
    from subscribers.local import Role

    async with node(state, COMMAND_LINE) as agency:
        await agency.client_add(client, Role.PUBLISHER, Tlp.RED)


def _beside() -> Path:
    """The bot's command that is installed with this one. LiaisonError `not_found`."""
    program = Path(sys.executable).with_name(_BOT)
    if not program.exists():
        fix = "install it on this machine, or use `latest`, `search` and `show`"
        raise LiaisonError(Code.NOT_FOUND, "the bot is not installed beside this command", fix)
    return program


def _become(program: Path, *arguments: str) -> NoReturn:
    """Replace this process."""
    sys.stdout.flush()
    os.execv(program, [str(program), *arguments])  # noqa: S606 - a program of our own, without a shell
