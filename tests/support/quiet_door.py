"""A front door for tests that look at what leaves: each overrides what it looks at."""

from collections.abc import Sequence

from typing_extensions import override

from bots.ports import Chat
from bots.showing.rendered import Part, Rows


class QuietDoor(Chat):
    """Takes everything, shows nothing, numbers its messages from 1."""

    number: int = 0

    def next_number(self) -> int:
        self.number += 1
        return self.number

    @override
    async def send(
        self, chat: int, part: Part, *, rows: Rows, protect: bool, silent: bool, reply_to: int | None
    ) -> int:
        return self.next_number()

    @override
    async def file(self, chat: int, name: str, data: bytes, caption: str) -> int:
        return self.next_number()

    @override
    async def picture(
        self, chat: int, png: bytes, caption: Part, *, rows: Rows, protect: bool, silent: bool
    ) -> int:
        return self.next_number()

    @override
    async def edit(self, chat: int, message: int, part: Part, *, rows: Rows) -> None: ...

    @override
    async def label(self, chat: int, message: int, rows: Rows) -> None: ...

    @override
    async def delete(self, chat: int, message: int) -> None: ...

    @override
    async def delete_all(self, chat: int, messages: Sequence[int]) -> None: ...

    @override
    async def toast(self, press: str, text: str = "") -> None: ...

    @override
    async def fetch(self, key: str, limit: int) -> bytes:
        return b""
