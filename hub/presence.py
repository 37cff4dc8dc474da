"""What was under way to an endpoint when its connection broke is sent again at once, and in order.

JetStream waits `ack_wait` before it repeats a message that was delivered into a dead connection, and
meanwhile sends the later ones: seconds lost, and the order of the feed with them. The endpoint may not reset
its durables itself (that would be a right beyond nats.md's list), so the hub does it whenever one connects. A
node therefore connects, waits until its own durable (`look.<stream>`) shows `num_ack_pending` 0, and then
pulls; if the hub's own process is away, that takes `ack_wait`.
"""

from typing import Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from hub.accounts import Accounts
from hub.grants import READABLE
from hub.jetstream import api
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
        if public not in {endpoint.public for endpoint in accounts.endpoints()}:
            return
        for stream in READABLE:
            try:
                if (await api(hub, f"CONSUMER.INFO.{stream}.{public}"))["num_ack_pending"]:
                    await reset(hub, stream, public)
            except OperationError as failed:
                _log.warning("durable not reset", stream=stream, endpoint=public, reason=failed.message)

    return await system.subscribe(_CONNECTS, cb=connected)
