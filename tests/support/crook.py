"""A hub that cheats: its own keys and its own streams, worked by a test. The product has no such switches.

What is held back from a reader is taken out of that reader's durable while its node is down; what is put in
is published on the stream as the router does.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.accounts import Accounts, Service
from hub.settings import HubSettings
from hub.streams import scan
from schemas.frame import Frame, parse_frame
from schemas.subjects import TRAFFIC
from tests.support.world import DEADLINE, Member, World


@dataclass
class Crook:
    """A connection with all rights of the hub's own account."""

    nc: Client

    async def frames(self, publisher: Member, community: str) -> list[Frame]:
        """Everything that a publisher has said in a community, as it stands on the stream."""
        found = []
        async for messages in scan(self.nc, TRAFFIC, [f"f.*.{community}.*.{publisher.endpoint}"]):
            found += [parse_frame(each.data) for each in messages]
        return found

    async def withhold(self, reader: Member, unwanted: Callable[[Frame], bool]) -> int:
        """Go through what waits for a reader whose node is down, and leave out the unwanted frames; how
        many those were. What is not left out is delivered in its order.
        """
        assert not reader.node.running
        kept, hidden = [], 0
        while message := await self._next(reader):
            if message.subject.startswith("f.") and unwanted(parse_frame(message.data)):
                hidden += 1
            else:
                kept.append(message)
            await message.ack_sync()
        for each in kept:
            await self.deliver(each.subject, each.data)
        return hidden

    async def deliver(self, subject: str, data: bytes) -> None:
        """Put a message on the stream, for everybody whose durable has its subject."""
        answer = json.loads((await self.nc.request(subject, data, timeout=DEADLINE)).data)
        assert "error" not in answer, answer

    async def _next(self, reader: Member) -> Msg | None:
        asked = json.dumps({"batch": 1, "no_wait": True}).encode()
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{TRAFFIC}.{reader.endpoint}"
        inbox = self.nc.new_inbox()
        arrived = await self.nc.subscribe(inbox, max_msgs=1)
        await self.nc.publish(subject, asked, reply=inbox)
        message = await arrived.next_msg(DEADLINE)
        return None if message.headers and "Status" in message.headers else message


@contextlib.asynccontextmanager
async def cheating(world: World) -> AsyncIterator[Crook]:
    """The hub's own account, while the hub runs."""
    accounts = Accounts.load(HubSettings(state=world.state).accounts_directory)
    nc = Client()
    await nc.connect(
        f"nats://127.0.0.1:{world.port}",
        **accounts.credentials(Service.HUB).options(),
        allow_reconnect=False,
    )
    try:
        yield Crook(nc)
    finally:
        await nc.close()
