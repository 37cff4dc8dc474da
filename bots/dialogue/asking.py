"""What comes in by any front door: a typed line, a pressed button, an officer gone or back. Shapes only."""

from dataclasses import dataclass

from bots.parsing.actions import Action, decode
from bots.showing.rendered import Rows
from schemas.errors import FormatError


@dataclass(frozen=True, slots=True)
class Handed:
    """A file that came with a message: `key` is how the door fetches it, `size` in bytes as the door says."""

    key: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Typed:
    """A message of a person in their own chat; `text` is empty when it has none.

    `chat`, `person` and `message` are numbers of the door's own. `tongue` is the language tag (IETF) of the
    person's client, None when that does not say. `forwarded` names who wrote what this person passes on, ''
    when the door does not know, None for their own words.
    """

    chat: int
    person: int
    message: int
    text: str
    tongue: str | None = None
    forwarded: str | None = None
    file: Handed | None = None

    @property
    def is_command(self) -> bool:
        """Whether it is meant as a command, known or not: what somebody else wrote, or what stands under a
        file, is none.
        """
        return self.text.lstrip().startswith("/") and self.forwarded is None and self.file is None

    @property
    def command(self) -> str:
        """The command's name without its stroke; '' when it is none."""
        return self.text.split(maxsplit=1)[0][1:] if self.is_command else ""

    @property
    def after(self) -> str:
        """What stands after the command."""
        return " ".join(self.text.split(maxsplit=1)[1:]).strip() if self.is_command else ""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A pressed button: what it means, where it hangs, and with which others.

    `press` is how the door knows this press again when it is answered.
    """

    action: Action
    chat: int
    person: int
    message: int
    press: str
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """A person shut the door to the bot, or opened it again."""

    person: int
    here: bool


def meant(data: str | None) -> Action:
    """What a button says; an action without a verb, which no handler takes, for a forged or outlived one."""
    try:
        return decode(data)
    except FormatError:
        return Action("")
