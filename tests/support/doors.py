"""One conversation, written to be read, held at any front door of the bot.

`>` is what an officer types, or the button in brackets that they press; `<` is what must be answered; `*` is
a bulletin of that title that arrives.
"""

import asyncio
import codecs
import contextlib
import os
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from bots.sandbox.client import SandboxUser
from tests.support.forked import Forked
from tests.support.officers_bot import says

DEADLINE = 90.0
DIALOGUE = """
> /latest
< FRA-2026-0060 · Threat · TLP:GREEN
> /search port
< 1 bulletin found
> /show FRA-2026-0060
< A drone was seen.
> [Acknowledge]
< FRA-2026-0060 acknowledged.
> /ack fra 2026 60
< FRA-2026-0060 was acknowledged already.
> /subscribe
< Narrow it down, then look at the preview.
> [Severity]
< From which severity up?
> [High]
< From which severity up?
> [Back]
< from “High” up
> [Region]
< Which regions?
> fr, DE-BE
< from “High” up · Germany (DE-BE), France
> [Preview]
< in the last 30 days
> [Save]
< Saved: subscription “Germany (DE-BE), France
* Two drones now
< Two drones now
> /subscriptions
< Your subscriptions
> /draft
< Choose the marking first
> [TLP:GREEN]
< What is it?
> [Notice]
< How bad is it?
> [For information]
< How reliable is the source?
> [Leave out]
< Send the title
> Written anywhere
< Send the text.
> By hand.
< Written anywhere
> [Preview]
< as readers in Alpha will see it
> [Release]
< Released as FRA-2026-
> what is this
< That was no command, so its words were looked for.
> /show FRA-2026-9999
< There is no such bulletin here.
"""


class Door(Protocol):
    """How an officer uses a front door."""

    async def types(self, text: str) -> None: ...

    async def presses(self, label: str) -> None:
        """The newest button with this label."""

    async def reads(self, text: str) -> None:
        """Wait for `text` in what was answered since the last reading."""


async def hold(dialogue: str, door: Door, arrive: Callable[[str], Awaitable[None]]) -> None:
    """Hold the conversation; what is not answered as written is an error that names it."""
    for line in filter(None, dialogue.splitlines()):
        mark, _, text = line.partition(" ")
        match mark:
            case ">" if text.startswith("["):
                await door.presses(text.strip("[]"))
            case ">":
                await door.types(text)
            case "<":
                await door.reads(text)
            case _:
                await arrive(text)


class ChatDoor:
    """The sandbox's chat."""

    def __init__(self, person: SandboxUser) -> None:
        self._person = person
        self._toast = ""

    async def types(self, text: str) -> None:
        await self._person.send(text)

    async def presses(self, label: str) -> None:
        self._toast = str((await self._person.press(label, deadline=DEADLINE)).get("text") or "")

    async def reads(self, text: str) -> None:
        toast, self._toast = self._toast, ""
        if text in toast:
            return
        said = (self._person.next_message, self._person.next_edit)
        waits = [asyncio.create_task(each(says(text), DEADLINE)) for each in said]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            for each in waits:
                each.cancel()


class TerminalDoor:
    """A terminal's process, by its pipes."""

    def __init__(self, process: Forked) -> None:
        self._process = process
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._said = ""
        self._read = 0

    async def types(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())
        await self._process.stdin.drain()

    async def presses(self, label: str) -> None:
        pattern = re.compile(rf"\[([0-9]+)\] [^\[\n]*{re.escape(label)}")
        await self._until(lambda: pattern.search(self._said) is not None, label)
        await self.types(pattern.findall(self._said)[-1])

    async def reads(self, text: str) -> None:
        await self._until(lambda: text in self._said[self._read :], text)
        self._read = self._said.index(text, self._read) + len(text)

    async def _until(self, shown: Callable[[], bool], wanted: str) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE):
                while not shown():
                    if not (chunk := await self._process.stdout.read(65_536)):
                        break
                    self._said += self._decoder.decode(chunk)
        assert shown(), f"{wanted!r} is not in {self._said[self._read :]!r}"


class Keyboard:
    """A person before the terminal whose other end is the file descriptor `end`."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._said = b""
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(end, self._take)

    def types(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    async def sees(self, *wanted: str) -> None:
        """Wait for one after the other of these in what is shown since the last that was seen."""
        for each in map(str.encode, wanted):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DEADLINE):
                    while each not in self._said:
                        self._more.clear()
                        await self._more.wait()
            assert each in self._said, f"{each!r} is not in {self._said!r}"
            _, _, self._said = self._said.partition(each)

    def leave(self) -> None:
        asyncio.get_running_loop().remove_reader(self._end)
        os.close(self._end)

    def _take(self) -> None:
        try:
            self._said += os.read(self._end, 65_536)
        except OSError:  # the other end was closed
            asyncio.get_running_loop().remove_reader(self._end)
        self._more.set()
