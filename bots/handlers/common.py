"""What the handlers share: which button of which message was pressed."""

from dataclasses import dataclass

from aiogram import F
from aiogram.types import CallbackQuery, Message
from aiogram.utils.magic_filter import MagicFilter

from bots.actions import Action, decode
from bots.rendered import Button, Rows


@dataclass(frozen=True, slots=True)
class Pressed:
    """A pressed button: what it means, where it hangs, and with which others."""

    action: Action
    chat: int
    message: int
    rows: Rows = ()


def pressed(query: CallbackQuery) -> Pressed:
    """The action and the place of a pressed button. Raises FormatError for a forged or outlived one."""
    action = decode(query.data)
    if query.message is None:
        return Pressed(action, query.from_user.id, 0)
    hung = query.message.reply_markup if isinstance(query.message, Message) else None
    rows = tuple(
        tuple(Button(each.text, each.callback_data) for each in row if each.callback_data)
        for row in (hung.inline_keyboard if hung else ())
    )
    return Pressed(action, query.message.chat.id, query.message.message_id, rows)


def verb(name: str) -> MagicFilter:
    """A filter for buttons with this verb."""
    return (F.data == name) | F.data.startswith(name + ":")


def after_command(message: Message) -> str:
    """What stands after the command."""
    return (message.text or "").partition(" ")[2].strip()
