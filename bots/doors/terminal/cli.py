"""`liaison-bot chat`; `liaison-agency chat` starts it."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import Code
from schemas.vocabulary import Tlp

REFUSED = 1
UNREACHABLE = 3


def chat(
    node_dir: Annotated[
        Path | None, typer.Option(help="The directory of the node's local NATS [LIAISON_BOT_NODE_DIR].")
    ] = None,
    client: Annotated[str, typer.Option(help="Ask the node as this local client.")] = "chat",
    officer: Annotated[
        str | None, typer.Option(help="Your name, for your colleagues.", show_default="login name")
    ] = None,
    ceiling: Annotated[Tlp, typer.Option(help="The highest marking that is shown in full.")] = Tlp.RED,
    state: Annotated[
        Path | None,
        typer.Option(help="Where your subscriptions are kept.", show_default="NODE_DIR/../chat/CLIENT"),
    ] = None,
) -> None:
    """Talk with the bot in this terminal, within the agency: the same commands, without a chat service.

    Lines are commands or words; a number presses the button that it stands before; Ctrl-D ends. From a pipe
    it answers line by line in plain text, and ends with the input.
    """
    from bots.logs import configure, known
    from bots.settings import load

    try:
        configure("auto", "error")
        stub = Tlp.AMBER if ceiling.rank < Tlp.AMBER.rank else ceiling
        settings = load(node_dir=node_dir, node_name=client, ceiling=ceiling, stub_ceiling=stub)
        folder = state or (settings.node_dir.parent if settings.node_dir else Path()) / "chat" / client
        from bots.doors.terminal.app import run_chat

        run_chat(settings.model_copy(update={"state": folder}), officer)
    except Exception as error:
        found = known(error)
        if found is None:
            raise
        typer.echo(str(found), err=True)
        raise typer.Exit(UNREACHABLE if found.code is Code.NODE_UNREACHABLE else REFUSED) from None
