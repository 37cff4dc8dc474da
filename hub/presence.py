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
from hub.durables import reset
from hub.jetstream import api
from hub.records import Endpoint
from schemas.errors import OperationError

_log = structlog.get_logger(__name__)

_CONNECTS: Final = "$SYS.ACCOUNT.*.CONNECT"
_DISCONNECTS: Final = "$SYS.ACCOUNT.*.DISCONNECT"
_ACCOUNT_TOKEN: Final = 2


async def redeliver_on_connect(system: Client, hub: Client, accounts: Accounts) -> list[Subscription]:
    """From now on, set the durables of every endpoint that connects back to what it has acknowledged, and
    have those of one that went forget what it asked.

    `system` is a connection of the system account, `hub` of HUB. Ends when the subscriptions are
    unsubscribed.
    """

    def of(message: Msg) -> list[Endpoint]:
        public = message.subject.split(".")[_ACCOUNT_TOKEN]
        return [each for each in accounts.endpoints() if each.public == public]

    async def connected(message: Msg) -> None:
        for endpoint in of(message):
            await _redeliver(hub, endpoint)

    async def gone(message: Msg) -> None:
        for endpoint in of(message):
            await _forget_questions(hub, endpoint)

    return [
        await system.subscribe(_CONNECTS, cb=connected),
        await system.subscribe(_DISCONNECTS, cb=gone),
    ]


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


async def _forget_questions(hub: Client, endpoint: Endpoint) -> None:
    """In a cluster, the server that leads a durable does not see that the asker, connected to another, has
    gone: what it had asked stands until it expires, and takes the next messages with it. A new leader knows
    of no questions. Whoever connects meanwhile waits until none is left.
    """
    for stream in endpoint.reads:
        try:
            info = await api(hub, f"CONSUMER.INFO.{stream}.{endpoint.public}")
            if info["num_waiting"] and (info.get("cluster") or {}).get("replicas"):
                await api(hub, f"CONSUMER.LEADER.STEPDOWN.{stream}.{endpoint.public}")
        except OperationError as failed:
            _log.warning("questions not forgotten", stream=stream, reason=failed.message)


async def _redeliver(hub: Client, endpoint: Endpoint, *, only_unread: bool = False) -> None:
    public = endpoint.public
    for stream in endpoint.reads:
        try:
            info = await api(hub, f"CONSUMER.INFO.{stream}.{public}")
            if info["num_ack_pending"] and not (only_unread and info["num_waiting"]):
                await reset(hub, stream, public)
        except OperationError as failed:
            _log.warning("durable not reset", stream=stream, endpoint=public, reason=failed.message)
