"""What the commands of `liaison-bot` share: options, and how a refusal is told."""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from schemas.errors import LiaisonError

T = TypeVar("T")

StateOption = Annotated[
    Path | None, typer.Option("--state", help="The bot's folder [LIAISON_BOT_STATE].", show_default="bot")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]


def given(**options: object) -> dict[str, Any]:
    """Settings from the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def print_json(value: object) -> None:
    """One JSON value on a line."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end."""
    return asyncio.run(work)


def refusing(work: "Any") -> Any:  # noqa: ANN401 - what the command returns
    """Run; a refusal becomes a line on stderr and exit code 1."""
    from bots.logs import known

    try:
        return work()
    except Exception as error:
        found = known(error)
        if found is None:
            raise
        stop(found)


def stop(error: LiaisonError) -> NoReturn:
    """Tell a refusal, and end with exit code 1."""
    typer.echo(str(error), err=True)
    raise typer.Exit(1)
