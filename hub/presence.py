"""What was under way to an endpoint when its connection broke is sent again at once, and in order.

JetStream waits `ack_wait` before it repeats a message that was delivered into a dead connection, and
meanwhile sends the later ones: seconds lost, and the order of the feed with them. The endpoint may not reset
its durables itself (that would be a right beyond nats.md's list), so the hub does it whenever one connects. A
node therefore connects, waits until its own durable (`look.<stream>`) shows `num_ack_pending` 0, and then
pulls.

A node that connected while the hub's own process was away, or before its connection was back, was not seen
to connect. So the hub also looks round when it starts and when its connection comes back: a durable that
waits for acknowledgements while nobody pulls from it belongs to such a node.
"""

import asyncio
from typing import Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from hub.accounts import Accounts
from hub.jetstream import api
from hub.records import Endpoint
from hub.streams import reset
from schemas.errors import OperationError

_log = structlog.get_logger(__name__)

_CONNECTS: Final = "$SYS.ACCOUNT.*.CONNECT"
_ACCOUNT_TOKEN: Final = 2


async def redeliver_on_connect(system: Client, hub: Client, accounts: Accounts) -> Subscription:
    """From now on, set the durables of every endpoint that connects back to what it has acknowledged.

    `system` is a connection of the system account, `hub` of HUB. Ends when the subscription is unsubscribed.
    """

    async def connected(message: Msg) -> None:
        public = message.subject.split(".")[_ACCOUNT_TOKEN]
        for endpoint in accounts.endpoints():
            if endpoint.public == public:
                await _redeliver(hub, endpoint)

    return await system.subscribe(_CONNECTS, cb=connected)


class LookRound:
    """Does the same for endpoints that connected unseen: once at the start, and after each `again`."""

    def __init__(self, hub: Client, accounts: Accounts) -> None:
        self._hub = hub
        self._accounts = accounts
        self._due = asyncio.Event()
        self._due.set()

    def again(self) -> None:
        """The hub's connection is back."""
        self._due.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            for endpoint in self._accounts.endpoints():
                await _redeliver(self._hub, endpoint, only_unread=True)


async def _redeliver(hub: Client, endpoint: Endpoint, *, only_unread: bool = False) -> None:
    public = endpoint.public
    for stream in endpoint.reads:
        try:
            info = await api(hub, f"CONSUMER.INFO.{stream}.{public}")
            if info["num_ack_pending"] and not (only_unread and info["num_waiting"]):
                await reset(hub, stream, public)
        except OperationError as failed:
            _log.warning("durable not reset", stream=stream, endpoint=public, reason=failed.message)
