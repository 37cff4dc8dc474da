"""Which function answers what: commands, buttons, the next line of a conversation, and everything else.

Every module of `bots.handlers` enters its own here, and every front door looks them up. A line that begins
with a stroke is a command or nothing we know; any other line belongs to the step of a conversation, if one
waits for it. A file, and a message that is passed on, have their own answers. Nothing here asks or answers.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.context import Context
from bots.state.officers import Officer

Said = Callable[[Typed, Context, Officer], Awaitable[None]]
"""Answers a typed line."""
Touched = Callable[[Pressed, Context, Officer], Awaitable[None]]
"""Answers a pressed button, toast included."""
Enrolled = Callable[[Typed, Context], Awaitable[bool]]
"""Takes a stranger's code of invitation; whether it was good."""

T = TypeVar("T")


class Book:
    """The entries. Adding one twice raises ValueError, which is a programming error."""

    def __init__(self, *, newcomer: Enrolled, else_said: Said, else_touched: Touched) -> None:
        self.newcomer = newcomer
        self._else_said = else_said
        self._else_touched = else_touched
        self._commands: dict[str, Said] = {}
        self._buttons: dict[str, Touched] = {}
        self._steps: dict[str, Said] = {}
        self._things: dict[str, Said] = {}

    @property
    def commands(self) -> frozenset[str]:
        """The names of the commands."""
        return frozenset(self._commands)

    @property
    def verbs(self) -> frozenset[str]:
        """The verbs of the buttons."""
        return frozenset(self._buttons)

    @property
    def steps(self) -> frozenset[str]:
        """The states in which a conversation waits for a line."""
        return frozenset(self._steps)

    def command(self, name: str, answer: Said) -> None:
        """`answer` takes `/name`."""
        _enter(self._commands, name, answer)

    def button(self, verb: str, answer: Touched) -> None:
        """`answer` takes the buttons with this verb."""
        _enter(self._buttons, verb, answer)

    def step(self, state: str, answer: Said) -> None:
        """`answer` takes the next line, no command, of a conversation in this state (see `steps`)."""
        _enter(self._steps, state, answer)

    def leave_out(self, names: Collection[str]) -> None:
        """Commands that make no sense at this door: nobody answers them."""
        for name in names:
            self._commands.pop(name, None)

    def file(self, answer: Said) -> None:
        """`answer` takes files."""
        _enter(self._things, "file", answer)

    def forwarded(self, answer: Said) -> None:
        """`answer` takes messages that are passed on."""
        _enter(self._things, "forwarded", answer)

    def name_of(self, asked: Typed | Pressed, state: str | None = None) -> str:
        """What is asked, as the audit calls it: of what was typed, the name of a command of ours at most."""
        if isinstance(asked, Pressed):
            return f"button {asked.action.verb}" if asked.action.verb in self._buttons else "button"
        if asked.is_command:
            return f"/{asked.command}" if asked.command in self._commands else "command"
        return state if state and state in self._steps else "line"

    def for_typed(self, asked: Typed, state: str | None) -> Said:
        """Who answers a message in a conversation that stands at `state`."""
        if asked.file is not None:
            return self._things.get("file", self._else_said)
        if asked.forwarded is not None:
            return self._things.get("forwarded", self._else_said)
        if asked.is_command:
            return self._commands.get(asked.command, self._else_said)
        return self._steps.get(state or "", self._else_said)

    def for_pressed(self, asked: Pressed) -> Touched:
        """Who answers a button."""
        return self._buttons.get(asked.action.verb, self._else_touched)


def _enter(entries: dict[str, T], key: str, answer: T) -> None:
    if not key or key in entries:
        raise ValueError(f"{key!r} is answered already")
    entries[key] = answer
