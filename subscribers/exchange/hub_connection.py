"""One connection to the hub's NATS, for whoever the hub gave an account: a node or a witness."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from schemas.errors import Code, OperationError
from subscribers.exchange.hub_tls import PLAIN, HubTls
from subscribers.keys import NatsUser
from subscribers.link import close_socket
from subscribers.nats_client import Client

_PING_SECONDS: Final = 10
_PINGS: Final = 2
"""So many may be without an answer: a server that stands still is left for another after half a minute."""
_NO_SERVER: Final = (ValueError, LookupError, TypeError, AttributeError)
"""What nats-py makes of a server that does not speak as one: no reason to end the process."""


class HubUser(NamedTuple):
    """Where to connect and as whom. `name` is what the hub's operator sees."""

    name: str
    urls: Sequence[str]
    user_jwt: str
    key: NatsUser
    tls: HubTls = PLAIN
    patience: int = 5
    """Seconds in which a server has to say something while it is connected to."""


async def connect_as(
    user: HubUser,
    on_closed: Callable[[], Awaitable[None]],
    on_error: Callable[[Exception], Awaitable[None]],
) -> Client:
    """A connection that is not made again by itself. Raises OperationError `hub_unreachable` for what is no
    NATS server, and what nats-py and the network raise.
    """
    nc = Client()
    try:
        await nc.connect(
            list(user.urls),
            user_jwt_cb=lambda: bytearray(user.user_jwt.encode()),
            signature_cb=user.key.signature,
            allow_reconnect=False,
            connect_timeout=user.patience,
            closed_cb=on_closed,
            error_cb=on_error,
            name=user.name,
            **user.tls.options(user.urls),
            max_outstanding_pings=_PINGS,
            ping_interval=_PING_SECONDS,
        )
    except BaseException as error:
        close_socket(nc)
        if isinstance(error, _NO_SERVER):
            message = "what answers there is no NATS server"
            raise OperationError(Code.HUB_UNREACHABLE, message, "check the hub's address") from None
        raise
    return nc
