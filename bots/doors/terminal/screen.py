"""The terminal as `bots.ports.Chat`: messages one below the other, buttons numbered.

A number stays its button's as long as the session lasts, and is never given to another: what is typed while
an alert arrives presses what was meant. A message that is edited is shown again, with a mark.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bots.clock import Clock
from bots.doors.terminal.paper import Paper
from bots.outcomes import NotSent, Refused
from bots.showing.rendered import Part, Rows
from bots.wording.markup import Span, Spans, isolate

EDITED: Final = "✎ "
GONE: Final = "🗑 "
TOAST: Final = "» "
_KEPT: Final = 500
"""Messages whose buttons can be pressed: as far as anybody scrolls back."""


@dataclass(frozen=True, slots=True)
class Place:
    """A button that can be pressed: its data, its message, and the buttons beside it."""

    data: str
    message: int
    rows: Rows


class Screen:
    """Messages are numbered by the time (ms), so that none of an earlier session is met again."""

    def __init__(self, paper: Paper, clock: Clock) -> None:
        self._paper = paper
        self._clock = clock
        self._last = 0
        self._shown: OrderedDict[int, tuple[Part, Rows]] = OrderedDict()
        self._numbers: dict[tuple[int, str], int] = {}
        self._buttons: dict[int, tuple[int, str]] = {}

    def fresh(self) -> int:
        """The number of a new message."""
        self._last = max(self._last + 1, int(self._clock.now() * 1000))
        return self._last

    def place(self, number: int) -> Place | None:
        """The button of this number; None when it does not hang there any more."""
        message, data = self._buttons.get(number, (0, ""))
        _, rows = self._shown.get(message, (None, ()))
        hangs = any(button.data == data for row in rows for button in row)
        return Place(data, message, rows) if hangs else None

    def was_shown(self, number: int) -> bool:
        """Whether a button ever had this number."""
        return 0 < number <= len(self._numbers)

    async def send(
        self, chat: int, part: Part, *, rows: Rows, protect: bool, silent: bool, reply_to: int | None
    ) -> int:
        """See `Chat`."""
        message = self.fresh()
        self._show(message, part, rows)
        if not silent:
            self._paper.ring()
        return message

    async def file(self, chat: int, name: str, data: bytes, caption: str) -> int:
        """See `Chat`. Its text is shown."""
        message = self.fresh()
        self._paper.write((Span(f"{caption}: {name}\n", "b"), Span(data.decode("utf-8", "replace"))))
        return message

    async def picture(
        self, chat: int, png: bytes, caption: Part, *, rows: Rows, protect: bool, silent: bool
    ) -> int:
        """See `Chat`: the words, which say the same."""
        return await self.send(chat, caption, rows=rows, protect=protect, silent=silent, reply_to=None)

    async def edit(self, chat: int, message: int, part: Part, *, rows: Rows) -> None:
        """See `Chat`."""
        if self._shown.get(message) != (part, rows):
            self._show(message, part, rows, mark=EDITED)

    async def label(self, chat: int, message: int, rows: Rows) -> None:
        """See `Chat`. Nothing is shown: what was done is said by the toast."""
        if message in self._shown:
            self._shown[message] = (self._shown[message][0], rows)

    async def delete(self, chat: int, message: int) -> None:
        """See `Chat`. What stands on the terminal stays there, so it is said which message is void."""
        part, _ = self._shown.pop(message, (None, ()))
        if part is not None:
            self._paper.write((Span(GONE), Span(part.plain.partition("\n")[0], "s")))

    async def delete_all(self, chat: int, messages: Sequence[int]) -> None:
        """Each by itself."""
        for each in messages:
            await self.delete(chat, each)

    async def toast(self, press: str, text: str = "") -> None:
        """See `Chat`."""
        if text:
            self._paper.write((Span(TOAST), Span(text)))

    async def fetch(self, key: str, limit: int) -> bytes:
        """See `Chat`. The key is a path that the officer typed."""
        return await asyncio.to_thread(_read, Path(key), limit)

    def _show(self, message: int, part: Part, rows: Rows, mark: str = "") -> None:
        self._shown[message] = (part, rows)
        self._shown.move_to_end(message)
        if len(self._shown) > _KEPT:
            self._shown.popitem(last=False)
        text = part.spans or (Span(part.plain),)
        self._paper.write((*([Span(mark)] if mark else []), *text, *self._lines(message, rows)))

    def _lines(self, message: int, rows: Rows) -> Spans:
        spans: list[Span] = []
        for row in rows:
            for index, button in enumerate(row):
                spans.append(Span("   " if index else "\n"))
                if button.data:
                    spans.append(Span(f"[{self._number(message, button.data)}] ", "code"))
                spans.append(Span(isolate(button.text, rtl=False)))
                if button.url:
                    spans.append(Span(": " + button.url))
        return tuple(spans)

    def _number(self, message: int, data: str) -> int:
        key = (message, data)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            self._buttons[self._numbers[key]] = key
        return self._numbers[key]


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError:
        raise NotSent("a file that cannot be read") from None
    if len(data) > limit:
        raise Refused("too large")
    return data
