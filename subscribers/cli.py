"""`liaison-agency`: the commands of an agency. All but `init`, `enrol` and `run` are clients of the running
node and hold no agency keys.
"""

from collections import UserDict
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group

from subscribers import coredump

if TYPE_CHECKING:
    from typer._click import Command  # Typer has its own copy of Click, and no public name for this class


class Part(NamedTuple):
    """Where a command is: a function, or a Typer with commands of its own."""

    module: str
    name: str
    panel: str


_SET_UP: Final = "Set up"
_WRITE: Final = "Write"
_READ: Final = "Read"
_OFFLINE: Final = "Without a network"
_OWN: Final = "Own and operate"
_EXERCISE: Final = "Exercise"

PARTS: Final = {
    "init": Part("setup", "init", _SET_UP),
    "enrol": Part("setup", "enrol", _SET_UP),
    "run": Part("setup", "run_node", _SET_UP),
    "publish": Part("writing", "publish", _WRITE),
    "publish-lines": Part("writing", "publish_lines", _WRITE),
    "ack": Part("writing", "acknowledge", _WRITE),
    "sight": Part("writing", "sight", _WRITE),
    "digest": Part("writing", "digest", _WRITE),
    "readers": Part("keys", "readers", _WRITE),
    "outbox": Part("sending", "outbox", _WRITE),
    "release": Part("sharing", "release", _WRITE),
    "chat": Part("chatting", "chat", _READ),
    "tail": Part("reading", "tail", _READ),
    "latest": Part("reading", "latest", _READ),
    "search": Part("reading", "search", _READ),
    "show": Part("reading", "show", _READ),
    "replies": Part("reading", "replies", _READ),
    "like": Part("referring", "like", _READ),
    "tactic": Part("referring", "tactic", _READ),
    "subject": Part("referring", "subject", _READ),
    "un-list": Part("referring", "un_list", _READ),
    "compliance": Part("recalling", "compliance", _READ),
    "attachments": Part("moving", "attachments", _READ),
    "fetch": Part("moving", "fetch", _READ),
    "evidence": Part("proving", "evidence", _READ),
    "notices": Part("agreeing", "notices", _READ),
    "history": Part("sharing", "history", _READ),
    "directory": Part("directory", "directory", _READ),
    "verify-directory": Part("directory", "verify_directory", _READ),
    "export": Part("media", "export", _OFFLINE),
    "import": Part("media", "take", _OFFLINE),
    "courier": Part("media", "courier", _OFFLINE),
    "exercise": Part("exercising", "exercise", _EXERCISE),
    "community": Part("owning", "community", _OWN),
    "client": Part("owning", "clients", _OWN),
    "keys": Part("keys", "keys", _OWN),
    "identity": Part("identity", "identity", _OWN),
    "recover": Part("keys", "recover", _OWN),
    "backup": Part("recovering", "backup", _OWN),
    "restore": Part("recovering", "restore", _OWN),
    "hold": Part("holding", "hold", _OWN),
    "salvage": Part("recovering", "salvage", _OWN),
    "status": Part("owning", "status", _OWN),
    "alarms": Part("alarming", "alarms", _OWN),
    "quarantine": Part("owning", "quarantine", _OWN),
    "doctor": Part("owning", "doctor", _OWN),
}


class _Loading(UserDict[str, Any]):
    """The commands by their names, each loaded when it is asked for."""

    def __getitem__(self, name: str) -> "Command":
        return _load(name, self.data[name])


class Commands(TyperGroup):
    """A command is loaded when it is asked for: to build all of them takes longer than most take to run."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - whatever Typer gives
        super().__init__(**given)
        self.commands = _Loading(PARTS)


app = typer.Typer(
    name="liaison-agency",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="An agency's side of Liaison: its node, and what officers and integrators ask of it.",
    epilog="Exit codes: 0 done, 1 refused, 2 wrong use, 3 node or hub unreachable.",
)


@app.callback()
def _nothing() -> None:
    """Typer makes a group of what has this."""


def main() -> None:
    """The console script."""
    coredump.forbid()
    app()


def _load(name: str, part: Part) -> "Command":
    found = getattr(import_module(f"subscribers.commands.{part.module}"), part.name)
    one = typer.Typer()
    if isinstance(found, typer.Typer):
        one.add_typer(found, name=name, rich_help_panel=part.panel)
    else:
        one.command(name, rich_help_panel=part.panel)(found)
    return get_group(one).commands[name]
