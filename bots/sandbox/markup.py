"""Reply markups: what the service accepts in them, and what it says when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bots.sandbox.refusals import refuse

MIN_CALLBACK_BYTES = 1
MAX_CALLBACK_BYTES = 64
MAX_BUTTONS = 100

_BUTTON_KINDS = (
    "callback_data",
    "url",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_URLS = ("http://", "https://", "tg://")
InlineKeyboard = list[list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Markup:
    """A checked markup: `inline` travels with the message, `keyboard` is put under the chat (None:
    unchanged).
    """

    inline: InlineKeyboard | None = None
    keyboard: list[list[str]] | None = None


def read_markup(value: object) -> Markup:
    """Check the decoded `reply_markup` (None: not given)."""
    if value is None:
        return Markup()
    if not isinstance(value, dict):
        raise refuse("markup-not-object")
    if "inline_keyboard" in value:
        rows = [[_button(button) for button in row] for row in _rows(value["inline_keyboard"])]
        if sum(len(row) for row in rows) > MAX_BUTTONS:
            raise refuse("markup-too-long")
        return Markup(inline=[row for row in rows if row] or None)
    if "keyboard" in value:
        return Markup(keyboard=[[_label(button) for button in row] for row in _rows(value["keyboard"])])
    if value.get("remove_keyboard"):
        return Markup(keyboard=[])
    return Markup()


def _rows(value: object) -> list[list[object]]:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise refuse("markup-unreadable")
    return value


def _label(button: object) -> str:
    text = button.get("text") if isinstance(button, dict) else button
    if not isinstance(text, str) or not text.strip():
        raise refuse("markup-unreadable")
    return text


def _button(button: object) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise refuse("button-unreadable", what="expected an Object")
    text = button.get("text")
    if not isinstance(text, str) or not text.strip():
        raise refuse("button-unreadable", what='field "text" must be of type String and non-empty')
    kinds = [kind for kind in _BUTTON_KINDS if kind in button]
    if not kinds:
        raise refuse("button-plain")
    if len(kinds) > 1:
        raise refuse("button-unreadable", what="exactly one of the optional fields must be used")
    kind = kinds[0]
    if kind == "callback_data":
        data = button[kind]
        size = len(data.encode("utf-8", "surrogatepass")) if isinstance(data, str) else 0
        if not MIN_CALLBACK_BYTES <= size <= MAX_CALLBACK_BYTES:
            raise refuse("button-data")
    if kind == "url" and not (isinstance(button[kind], str) and _is_url(button[kind])):
        raise refuse("button-url")
    return {"text": text, kind: button[kind]}


def _is_url(url: str) -> bool:
    return any(url.lower().startswith(scheme) and len(url) > len(scheme) for scheme in _URLS)
