"""One frame from its publisher to many endpoints, each on a connection and an account of its own, each
verifying it: through the real hub, against two streams with nothing decided between them.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import nats
from nats.aio.client import Client

from hub.grants import TRAFFIC
from hub.jetstream import api
from hub.pull import Pull
from schemas.frame import parse_frame, signed_message
from schemas.signing import verify
from tests.bench import memory
from tests.bench.arrivals import Arrivals, Send, at, last, tasks
from tests.bench.hops import forwarder, prepared, server
from tests.bench.many import Many, hub_of
from tests.bench.measure import Result, latency
from tests.support.frames import AgencyKit, Chain, Circle

TEXT: Final = bytes(1_000)
_ANSWER_LIMIT: Final = 30.0
_NOTE: Final = (
    "publish, pull, publish (synced) with nothing decided, durables in one account, Ed25519 at each"
)
_DURABLE: Final = {"ack_policy": "explicit", "max_ack_pending": 1_000, "deliver_policy": "new"}

Numbered = Callable[[bytes], int | None]
"""The round to which a verified message belongs."""


async def measure(directory: Path, *, readers: int, rounds: int) -> list[Result]:
    """`fan_out_<readers>_p50`, `_p99` and `_last`: ms from the publisher's call until so many have verified
    it; and `memory_hub`.
    """
    async with hub_of(directory, agencies=readers + 1) as many, liaison(many, readers) as (arrivals, send):
        ours = await arrivals.rounds(send, rounds)
        kept = await memory.measure("hub")
    async with server(directory) as url, _bare(directory, url, readers) as (arrivals, send):
        theirs = await arrivals.rounds(send, rounds)
    name = f"fan_out_{readers}"
    return [
        latency(f"{name}_p50", at(ours, 0.5), at(theirs, 0.5), _NOTE),
        latency(f"{name}_p99", at(ours, 0.99), at(theirs, 0.99), _NOTE),
        latency(f"{name}_last", last(ours), last(theirs), _NOTE),
        *kept,
    ]


@asynccontextmanager
async def liaison(many: Many, readers: int) -> AsyncIterator[tuple[Arrivals, Send]]:
    """The first member publishes in the first community; so many of the others read."""
    publisher, *others = many.members
    arrivals, sealed = Arrivals(readers), _Sealed(Chain(publisher.kit, many.circles[0]))
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(publisher.connected(many.url))
        clients = [await stack.enter_async_context(each.connected(many.url)) for each in others[:readers]]
        start = await stack.enter_async_context(tasks())
        for number, (member, nc) in enumerate(zip(others, clients, strict=False)):
            start(_read(nc, member.kit.endpoint, number, arrivals, sealed.numbered))

        async def send(number: int) -> None:
            raw = sealed.make(number, many.world.now)
            await own.request(sealed.chain.subject.intake(), raw, timeout=_ANSWER_LIMIT)

        yield arrivals, send


@asynccontextmanager
async def _bare(directory: Path, url: str, readers: int) -> AsyncIterator[tuple[Arrivals, Send]]:
    kit = AgencyKit("b0")
    arrivals, sealed = Arrivals(readers), _Sealed(Chain(kit, Circle(kit)))
    await prepared(url, ["INTAKE", TRAFFIC])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(forwarder(directory, "hub", url, url))
        own = await stack.enter_async_context(_plain(url))
        clients = [await stack.enter_async_context(_plain(url)) for _ in range(readers)]
        start = await stack.enter_async_context(tasks())
        for number, nc in enumerate(clients):
            body = {"stream_name": TRAFFIC, "config": {**_DURABLE, "durable_name": f"r{number}"}}
            await api(own, f"CONSUMER.DURABLE.CREATE.{TRAFFIC}.r{number}", body)
            start(_read(nc, f"r{number}", number, arrivals, sealed.numbered))

        async def send(number: int) -> None:
            await own.request("in.x", sealed.make(number, 1), timeout=_ANSWER_LIMIT)

        yield arrivals, send


class _Sealed:
    """Frames of one chain: made for a round, and known again by it."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._numbers: dict[str, int] = {}

    def make(self, number: int, now: int) -> bytes:
        """The frame of a round."""
        raw = self.chain.make(now, text=TEXT)
        self._numbers[parse_frame(raw).hash] = number
        return raw

    def numbered(self, data: bytes) -> int | None:
        """The round of a frame, if its signature holds."""
        frame = parse_frame(data)
        message = signed_message(frame.header_bytes, frame.body)
        if not verify(self.chain.kit.signing.public, message, frame.signature):
            raise ValueError("a signature does not hold")
        return self._numbers.get(frame.hash)


@asynccontextmanager
async def _plain(url: str) -> AsyncIterator[Client]:
    nc = await nats.connect(url)
    try:
        yield nc
    finally:
        await nc.close()


async def _read(nc: Client, durable: str, reader: int, arrivals: Arrivals, numbered: Numbered) -> None:
    async with Pull(nc, TRAFFIC, durable) as pull:
        async for messages in pull:
            for message in messages:
                if message.subject.startswith("f.") and (number := numbered(message.data)):
                    arrivals.arrived(reader, number)
                await message.ack()
