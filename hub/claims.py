"""Tell a running server about accounts: pushes over a connection of the system account."""

import asyncio
import base64
import json
from typing import Any, Final

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from hub.accounts import Accounts
from schemas.errors import Code, OperationError

_log = structlog.get_logger(__name__)

_UPDATE: Final = "$SYS.REQ.CLAIMS.UPDATE"
_DELETE: Final = "$SYS.REQ.CLAIMS.DELETE"
_LOOKUP: Final = "$SYS.REQ.ACCOUNT.{}.CLAIMS.LOOKUP"
_JWT_PARTS: Final = 3
_LIST: Final = "$SYS.REQ.CLAIMS.LIST"
_HEARD: Final = "$SYS.SERVER.*.STATSZ"
"""Every server tells how it is every ten seconds, and more often when it has just begun."""
_SERVER_TOKEN: Final = 2
_IN_FLIGHT: Final = 16


async def push(system: Client, account_jwt: str, *, timeout: float = 5.0) -> None:
    """Put an account JWT into force: when this returns the server has stored it and acts on it.

    Raises `OperationError`: HUB_UNREACHABLE if no server answers in `timeout` seconds, INTERNAL if it
    refuses.
    """
    await _claims_request(system, _UPDATE, account_jwt, timeout)


async def push_all(system: Client, accounts: Accounts, *, timeout: float = 5.0) -> None:
    """Make the server agree with the records, at every start. Accounts unknown to the records are deleted.

    HUB is pushed only when it says something new: a push makes the server forget where the endpoints' open
    requests are to be answered, so that their pulls would run dry until they expire.
    """
    if await _claims(system, accounts.hub_public, timeout) != said(accounts.hub_jwt):
        await push(system, accounts.hub_jwt, timeout=timeout)
    ours = {
        accounts.hub_public,
        accounts.system_public,
        *(endpoint.public for endpoint in accounts.endpoints()),
    }
    strangers = sorted(await known_accounts(system, timeout=timeout) - ours)
    if strangers:
        await delete(system, accounts.delete_request(strangers), timeout=timeout)
    gate = asyncio.Semaphore(_IN_FLIGHT)

    async def one(public: str) -> None:
        async with gate:
            await push(system, accounts.account_jwt(public), timeout=timeout)

    await asyncio.gather(*(one(endpoint.public) for endpoint in accounts.endpoints()))


async def known_accounts(system: Client, *, timeout: float = 5.0) -> set[str]:
    """The public keys of the accounts that the server has. Raises as `push`."""
    return set(await _claims_request(system, _LIST, "", timeout))


async def tell_newcomers(system: Client, accounts: Accounts) -> Subscription:
    """From now on, tell all accounts again when a server is heard of that was not before. One that comes back
    has them as they were when it went, and would let in who has been suspended meanwhile until the servers
    compare, which they do every two minutes. Ends when the subscription is unsubscribed.
    """
    known: set[str] = set()

    async def heard(message: Msg) -> None:
        server = message.subject.split(".")[_SERVER_TOKEN]
        if server in known:
            return
        try:
            await push_all(system, accounts)
        except OperationError as failed:
            _log.warning("server not told of accounts", server=server, reason=failed.message)
        else:
            known.add(server)

    return await system.subscribe(_HEARD, cb=heard)


async def delete(system: Client, request: str, *, timeout: float = 5.0) -> None:
    """Remove an account for ever, by the request that `Accounts.remove` gave. Raises as `push`."""
    await _claims_request(system, _DELETE, request, timeout)


async def _claims(system: Client, public: str, timeout: float) -> dict[str, Any]:
    """What the server's JWT of an account says; empty if it has none."""
    try:
        answer = await system.request(_LOOKUP.format(public), timeout=timeout)
    except (nats.errors.Error, TimeoutError):
        return {}
    return said(answer.data.decode())


def said(jwt: str) -> dict[str, Any]:
    """The claims of a JWT, without when and as which it was issued. Only ours are compared, so none is
    verified.
    """
    parts = jwt.split(".")
    if len(parts) != _JWT_PARTS:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(claims, dict):
        return {}
    return {name: value for name, value in claims.items() if name not in {"iat", "jti"}}


async def _claims_request(system: Client, subject: str, jwt: str, timeout: float) -> list[str]:
    try:
        answer = json.loads((await system.request(subject, jwt.encode(), timeout=timeout)).data)
    except (nats.errors.Error, TimeoutError) as lost:
        raise OperationError(
            Code.HUB_UNREACHABLE,
            "the NATS server did not answer about an account",
            "see that it runs, with this hub's operator",
        ) from lost
    if "error" in answer:
        reason = answer["error"].get("description", "no reason given")
        raise OperationError(
            Code.INTERNAL,
            f"the NATS server refused an account: {reason}",
            "see that it runs with this hub's operator",
        )
    listed = answer.get("data")
    return listed if isinstance(listed, list) else []
