"""A steady stream of messages, timed until a plain NATS reader at the far end has them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.bulletin import Draft
from subscribers.client import Agency, ClientSettings

BODY: Final = "Seen twice near the northern gate, heading west. " * 13
"""Makes a bulletin of just under one KiB."""
_PATIENCE: Final = 60.0
_AT_ONCE: Final = 1e9
_CLIENT: Final = "cli"
_MARK: Final = b'"title":"N'

Send = Callable[[int], Awaitable[object]]


@dataclass
class Timings:
    """When each numbered message was sent, and when it arrived; seconds."""

    sent: dict[int, float] = field(default_factory=dict)
    arrived: dict[int, float] = field(default_factory=dict)
    all_there: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: int = 0

    def arrival(self, number: int) -> None:
        """Note the first arrival of a number."""
        self.arrived.setdefault(number, time.perf_counter())
        if len(self.arrived) >= self.wanted:
            self.all_there.set()

    def latencies(self, numbers: range) -> list[float]:
        """Milliseconds from the call to the arrival."""
        return [1000 * (self.arrived[number] - self.sent[number]) for number in numbers]


class Stream:
    """One way from a sender to a reader, used in several rounds."""

    def __init__(self, send: Send, timings: Timings) -> None:
        self._send = send
        self._timings = timings
        self._next = 0

    async def rate(self, count: int) -> float:
        """Messages a second of `count` more, all sent as soon as they may be."""
        begun = time.perf_counter()
        await self.round(count, _AT_ONCE)
        return count / (time.perf_counter() - begun)

    async def round(self, count: int, rate: float) -> list[float]:
        """`count` messages more, `rate` a second whether or not earlier ones are through; their latencies in
        ms.
        """
        numbers = range(self._next, self._next + count)
        self._next += count
        timings = self._timings
        timings.wanted = len(timings.arrived) + count
        timings.all_there.clear()
        start = time.perf_counter()

        async def one(number: int) -> None:
            await asyncio.sleep(start + (number - numbers.start) / rate - time.perf_counter())
            timings.sent[number] = time.perf_counter()
            await self._send(number)

        async with asyncio.timeout(_PATIENCE + count / rate), asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(one(number))
            await timings.all_there.wait()
        return timings.latencies(numbers)


def draft(number: int) -> Draft:
    """A bulletin of one KiB whose title is its number."""
    fields = {"kind": "threat", "title": f"N{number}", "language": "en", "severity": "high"}
    return Draft.model_validate({**fields, "tlp": "TLP:GREEN", "body": BODY})


async def plain_reader(local: Path) -> Client:
    """A plain NATS connection to an agency's own server, with the key of its command line client."""
    url = (local / "url").read_text().strip()
    seed = (local / "clients" / f"{_CLIENT}.nk").read_text().strip()
    return await nats.connect(url, nkeys_seed_str=seed)


@contextlib.asynccontextmanager
async def chain(sender: Path, reader: Path, community: str, most: int) -> AsyncIterator[Stream]:
    """One client that publishes at a node, a plain NATS subscription at another's; given are their local
    directories. At most `most` bulletins: they are made beforehand.
    """
    timings = Timings()

    async def receive(message: Msg) -> None:
        begin = message.data.index(_MARK) + len(_MARK)
        timings.arrival(int(message.data[begin : message.data.index(b'"', begin)]))

    settings = ClientSettings.from_directory(sender, _CLIENT).model_copy(update={"timeout": _PATIENCE})
    async with Agency.open(settings) as agency:
        plain = await plain_reader(reader)
        try:
            await plain.subscribe("bulletin.>", cb=receive)
            await plain.flush()
            drafts = [draft(number) for number in range(most)]
            yield Stream(lambda number: agency.publish(drafts[number], community), timings)
        finally:
            await plain.close()
