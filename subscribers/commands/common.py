"""What the commands share: where the state is, how a client of the node is opened, how answers and refusals
are shown. They import what they need where they need it, so that each starts at once: the libraries under
the client, the settings and the tables take a second together, and no command needs all of them.
"""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from schemas.errors import Code, LiaisonError, of_files
from schemas.lean import load_without

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console
    from rich.table import Table

    from subscribers.client import Agency
    from subscribers.settings import NodeSettings

REFUSED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
COMMAND_LINE: Final = "cli"
"""The local client that `init` makes for these commands."""

_PATIENCE: Final = 30.0
"""Seconds that a node which is there has for an answer: whoever types a command would rather wait for a busy
one than not know what it has done.
"""

T = TypeVar("T")

State = Annotated[
    Path | None,
    typer.Option(help="The node's state directory.", envvar="LIAISON_AGENCY_STATE", show_default="agency"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
As = Annotated[str, typer.Option("--client", help="Ask as this local client.")]


@functools.cache
def console() -> "Console":
    """Standard output for people."""
    from rich.console import Console

    return Console()


def escape(text: str) -> str:
    """`text` for the console as it stands, whatever looks like markup in it."""
    from rich.markup import escape as escaped

    return escaped(text)


def settings_of(state: Path | None) -> "NodeSettings":
    """The settings, with `--state` on top. LiaisonError `bad_settings`."""
    from pydantic import ValidationError

    from schemas.bulletin import where
    from subscribers.settings import NodeSettings

    try:
        return NodeSettings(state=state) if state else NodeSettings()
    except ValidationError as error:
        raise LiaisonError(Code.BAD_SETTINGS, where(error), "correct the named settings") from None


def load_lean() -> None:
    """Load the libraries under every connection, without what they load for features that nobody uses here
    and that take longer than all the rest: WebSockets for nats-py, coloured tracebacks for structlog.
    """
    load_without("aiohttp", "nats")
    load_without("rich", "structlog")


@contextlib.asynccontextmanager
async def node(state: Path | None, client: str) -> AsyncIterator["Agency"]:
    """The running node, as its local client `client`."""
    load_lean()
    from subscribers.client import Agency, ClientSettings
    from subscribers.log import configure

    chosen = settings_of(state)
    configure(chosen.log, "error")  # stdout is for answers alone; a refusal is told once, on stderr
    settings = ClientSettings.from_directory(chosen.state / "local", client)
    async with Agency.open(settings.model_copy(update={"timeout": _PATIENCE})) as agency:
        yield agency


def run(work: Coroutine[Any, Any, T], *, as_json: bool = False) -> T:
    """Run one command's work; a refusal ends the command with its line on stderr and an exit code that means
    something.
    """
    with refusals(as_json=as_json):
        return asyncio.run(work)
    raise AssertionError  # pragma: no cover - `refusals` leaves by an exception


@contextlib.contextmanager
def refusals(*, as_json: bool = False) -> Iterator[None]:
    """Turn a LiaisonError into `code: message (fix)` on stderr and exit 1, or 3 when somebody cannot be
    reached.
    """
    try:
        with of_files():
            yield
    except LiaisonError as error:
        typer.echo(json.dumps(error.as_dict()) if as_json else str(error), err=True)
        unreachable = error.code in {Code.NODE_UNREACHABLE, Code.HUB_UNREACHABLE}
        raise typer.Exit(UNREACHABLE if unreachable else REFUSED) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def show_json(value: "BaseModel | Sequence[BaseModel] | dict[str, Any]") -> None:
    """One JSON value on stdout."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    elif not isinstance(value, dict):
        typer.echo(json.dumps([each.model_dump(mode="json") for each in value], ensure_ascii=False))
        return
    typer.echo(json.dumps(value, ensure_ascii=False))


def table(*columns: str) -> "Table":
    """A plain table that wraps long text."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
