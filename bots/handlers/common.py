"""What the handlers share: which button of which message was pressed."""

from dataclasses import dataclass

from aiogram import F
from aiogram.types import CallbackQuery, Message
from aiogram.utils.magic_filter import MagicFilter

from bots.actions import Action, decode


@dataclass(frozen=True, slots=True)
class Pressed:
    """A pressed button: what it means and where it hangs."""

    action: Action
    chat: int
    message: int


def pressed(query: CallbackQuery) -> Pressed:
    """The action and the place of a pressed button. Raises FormatError for a forged or outlived one."""
    action = decode(query.data)
    if query.message is None:
        return Pressed(action, query.from_user.id, 0)
    return Pressed(action, query.message.chat.id, query.message.message_id)


def verb(name: str) -> MagicFilter:
    """A filter for buttons with this verb."""
    return (F.data == name) | F.data.startswith(name + ":")


def after_command(message: Message) -> str:
    """What stands after the command."""
    return (message.text or "").partition(" ")[2].strip()
