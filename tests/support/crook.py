"""A hub that cheats: its own keys and its own streams, worked by a test. The product has no such switches.

What is held back from a reader is taken out of that reader's durable: its filters are the hub's to set. What
is put in is published on the stream as the router does; who shall not see it is blinded meanwhile.
"""

import contextlib
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.accounts import Accounts, Service
from hub.jetstream import JetStreamRefused, api
from hub.settings import HubSettings
from hub.streams import scan
from schemas.frame import Frame, parse_frame
from schemas.subjects import (
    DIRECTORY_HEAD,
    DIRECTORY_OFFER,
    TRAFFIC,
    receipts_for,
    wraps_for,
)
from tests.support.world import DEADLINE, PATIENCE, Member, World, eventually


@dataclass
class Crook:
    """A connection with all rights of the hub's own account."""

    nc: Client

    async def frames(self, publisher: Member, community: str) -> list[Frame]:
        """Everything that a publisher has said in a community, as it stands on the stream."""
        found = await self.all(TRAFFIC, f"f.*.{community}.*.{publisher.endpoint}")
        return [parse_frame(each) for each in found]

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
            await message.ack_sync(DEADLINE)
        for each in kept:
            await self.deliver(each.subject, each.data)
        return hidden

    async def deliver(self, subject: str, data: bytes) -> int:
        """Put a message on its stream, for everybody whose durable has its subject; its place there."""
        answer: dict[str, Any] = json.loads((await self.nc.request(subject, data, timeout=DEADLINE)).data)
        assert "error" not in answer, answer
        return int(answer["seq"])

    async def all(self, stream: str, subject: str) -> list[bytes]:
        """Everything that stands under a subject, in order."""
        found = []
        async for messages in scan(self.nc, stream, [subject]):
            found += [each.data for each in messages]
        return found

    async def last(self, stream: str, subject: str) -> bytes:
        """What stands newest under a subject."""
        found = await api(self.nc, f"STREAM.MSG.GET.{stream}", {"last_by_subj": subject})
        return b64decode(found["message"]["data"])

    @contextlib.asynccontextmanager
    async def blinded(
        self, endpoints: Collection[str], *hidden: str, stream: str = TRAFFIC
    ) -> AsyncIterator[None]:
        """Whatever comes meanwhile under a filter that has one of `hidden` in it never reaches these
        endpoints. What came before does, and what comes after.
        """
        taken = {}
        for each in endpoints:
            await self._passed(stream, each, hidden)
            filters = await self._filters(stream, each)
            taken[each] = [held for held in filters if any(word in held for word in hidden)]
            assert taken[each], f"{hidden} is nothing that {each} is served"
            await self._serve(stream, each, [held for held in filters if held not in taken[each]])
        try:
            yield
        finally:
            for each, held in taken.items():
                await self._passed(stream, each)
                await self._serve(stream, each, [*await self._filters(stream, each), *held])

    @contextlib.asynccontextmanager
    async def narrowed(self, endpoint: str, whole: str, left: str) -> AsyncIterator[None]:
        """Meanwhile an endpoint is served what is under `left` of what is under `whole`."""
        await self._exchange(endpoint, whole, left)
        try:
            yield
        finally:
            await self._exchange(endpoint, left, whole)

    async def _exchange(self, endpoint: str, one: str, other: str) -> None:
        await self._passed(TRAFFIC, endpoint)
        filters = await self._filters(TRAFFIC, endpoint)
        assert one in filters
        await self._serve(TRAFFIC, endpoint, [other if each == one else each for each in filters])

    async def _passed(self, stream: str, endpoint: str, hidden: Collection[str] = ()) -> None:
        """Return once an endpoint's durable is past everything that now stands in the stream, so that what
        its filters leave out now stays out. Nothing is said again of `hidden`: others would hear it, too.
        """
        filters = await self._filters(stream, endpoint)
        logs = [
            each for each in filters if each.startswith("m.") and not any(word in each for word in hidden)
        ]
        mark = 0
        for subject in (receipts_for(endpoint), wraps_for(endpoint), *logs, DIRECTORY_OFFER, DIRECTORY_HEAD):
            if subject in filters and (known := await self._known(stream, subject)):
                # Something that was there before: it is no news, and moves the durable on.
                mark = await self.deliver(subject, known)
                break

        async def past() -> bool:
            info = await api(self.nc, f"CONSUMER.INFO.{stream}.{endpoint}")
            return int(info["ack_floor"]["stream_seq"]) >= mark

        await eventually(past)

    async def _known(self, stream: str, subject: str) -> bytes | None:
        try:
            return await self.last(stream, subject)
        except JetStreamRefused:
            return None

    async def _filters(self, stream: str, endpoint: str) -> list[str]:
        config = (await api(self.nc, f"CONSUMER.INFO.{stream}.{endpoint}"))["config"]
        return config.get("filter_subjects") or [config["filter_subject"]]

    async def _serve(self, stream: str, endpoint: str, filters: list[str]) -> None:
        config = (await api(self.nc, f"CONSUMER.INFO.{stream}.{endpoint}"))["config"]
        config.pop("filter_subject", None)
        body = {"stream_name": stream, "config": {**config, "filter_subjects": filters}, "action": ""}
        await api(self.nc, f"CONSUMER.CREATE.{stream}.{endpoint}", body)

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
        connect_timeout=PATIENCE,
    )
    try:
        yield Crook(nc)
    finally:
        await nc.close()
