"""What the hub's commands have in common: results to stdout, refusals to stderr as `code: message (fix)`,
exit codes.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from schemas.errors import Code, LiaisonError, OperationError, of_files
from schemas.lean import load_without

if TYPE_CHECKING:  # it takes a moment to load, and --help does not need it
    from hub.settings import HubSettings

EXIT_REFUSED: Final = 1
EXIT_UNREACHABLE: Final = 3
"""2 is wrong usage, as Typer says it."""

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines.")]
State = Annotated[
    Path | None,
    typer.Option(
        "--state", help="The hub's directory; without it LIAISON_HUB_STATE, the settings, or ./hub-state."
    ),
]

_UNREACHABLE: Final = frozenset({Code.HUB_UNREACHABLE, Code.NODE_UNREACHABLE})


def load_lean() -> None:
    """Load the libraries under every connection, without what they load for features that nobody uses here
    and that take longer than all the rest: WebSockets for nats-py, coloured tracebacks for structlog.
    """
    load_without("aiohttp", "nats")
    load_without("rich", "structlog")


@contextmanager
def refusals(*, as_json: bool = False) -> Iterator[None]:
    """Tell a refusal on stderr and end the command with its exit code."""
    try:
        with of_files():
            yield
    except LiaisonError as error:
        typer.echo(json.dumps(error.as_dict()) if as_json else str(error), err=True)
        raise typer.Exit(EXIT_UNREACHABLE if error.code in _UNREACHABLE else EXIT_REFUSED) from None


def show(result: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print the result: one JSON object for machines, or the text for people."""
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else text)


def read_file(path: Path, limit: int) -> bytes:
    """A file of at most `limit` bytes. OperationError NOT_FOUND, BAD_REQUEST."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as failure:
        raise OperationError(
            Code.NOT_FOUND, f"{path} cannot be read: {failure.strerror}", "check the path"
        ) from None
    if len(data) > limit:
        raise OperationError(
            Code.TOO_LARGE, f"{path} is larger than {limit} bytes", "give the file that was meant"
        )
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a public file. OperationError BAD_REQUEST."""
    try:
        path.write_bytes(data)
    except OSError as failure:
        raise OperationError(
            Code.BAD_REQUEST, f"{path} cannot be written: {failure.strerror}", "choose another place"
        ) from None


def settings_of(state: Path | None, **given: str | int | None) -> "HubSettings":
    """The settings, with what was given on the command line. OperationError `bad_settings`."""
    load_lean()
    from pydantic import ValidationError  # noqa: PLC0415 - `--help` answers without it

    from hub.settings import HubSettings  # noqa: PLC0415 - the same

    chosen: dict[str, Any] = {
        name: value for name, value in {"state": state, **given}.items() if value is not None
    }
    try:
        return HubSettings(**chosen)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise OperationError(
            Code.BAD_SETTINGS, f"{name}: {first['msg']}", "correct the option, LIAISON_HUB_* variable or file"
        ) from None


def ask_hub(state: Path | None, verb: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What the running hub answers to a request of its control service. Raises as `hub.client.ask`."""
    settings = settings_of(state)
    from hub.client import ask  # noqa: PLC0415 - `--help` answers without it

    return ask(settings, verb, asked)
