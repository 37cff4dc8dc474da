"""A client's requests to the node's service: sent, waited for within a deadline, and read or refused."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, TypeVar

from nats.aio.client import Client
from nats.errors import ConnectionClosedError, Error, NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from schemas.encoding import canonical_json
from schemas.errors import Code, LiaisonError, OperationError
from subscribers.api import WhoAmI
from subscribers.link import Link
from subscribers.service.roles import Verb

_RETRY_FIRST: Final = 0.05
_RETRY_MOST: Final = 0.5
_ROLE_LIMIT: Final = 1.0
_AT_THE_HUB: Final = frozenset(
    {
        Verb.COMMUNITY_CREATE,
        Verb.COMMUNITY_ADD,
        Verb.COMMUNITY_REMOVE,
        Verb.COMMUNITY_SUBMIT,
        Verb.DIGEST,
        Verb.DOCTOR,
        Verb.KEY_ROTATE,
        Verb.KEY_REVOKE,
        Verb.PARCEL_EXPORT,
        Verb.PARCEL_IMPORT,
    }
)
"""Verbs with which the node waits for the hub and its directory, or works for long."""
_HUB_WAIT: Final = 30.0
_HARMLESS: Final = frozenset(
    {
        Verb.WHOAMI,
        Verb.SEARCH,
        Verb.LATEST,
        Verb.SHOW,
        Verb.REPLIES,
        Verb.COMPLIANCE,
        Verb.EVIDENCE,
        Verb.EVIDENCE_REFUSED,
        Verb.COMMUNITIES,
        Verb.STATUS,
        Verb.ALARMS,
        Verb.ALARM_ACK,
        Verb.DIRECTORY,
        Verb.OUTBOX,
        Verb.OUTBOX_DRAFT,
        Verb.QUARANTINE,
        Verb.DOCTOR,
        Verb.CLIENTS,
        Verb.COMMUNITY_LOG,
        Verb.COMMUNITY_PROPOSAL,
        Verb.NOTICES,
        Verb.HISTORY,
        Verb.RELEASES,
        Verb.HISTORY_REQUEST,
        Verb.ATTACH,
        Verb.ATTACH_DATA,
        Verb.ATTACH_STATUS,
        Verb.FETCH,
        Verb.FETCH_DATA,
    }
)
"""What may be asked twice: sent again when the connection was lost under it."""
_WHOAMI: Final = TypeAdapter(WhoAmI)

T = TypeVar("T")


class Requester:
    """Asks the node over `link`, and remembers what the node last said about this client (`known`)."""

    def __init__(self, link: Link, url: str) -> None:
        self._link = link
        self._url = url
        self.known: WhoAmI | None = None

    async def introduce(self, reach: float, timeout: float) -> WhoAmI:
        """Who the node says we are: reached within `reach` seconds, and heard within `timeout` if that is
        more.
        """
        answer = await self._request(Verb.WHOAMI, canonical_json({}), reach, max(reach, timeout))
        self.known = read_answer(answer, _WHOAMI)
        return self.known

    async def ask(self, verb: Verb, shape: TypeAdapter[T], fields: Mapping[str, object], timeout: float) -> T:
        """The node's answer within `timeout` seconds, or more where it waits for the hub.

        Raises LiaisonError: the node's refusal, or our own.
        """
        # A node that is away is given up as soon as ever; one that waits for the hub is not.
        limit = timeout + (_HUB_WAIT if verb in _AT_THE_HUB else 0.0)
        return read_answer(await self._request(verb, canonical_json(dict(fields)), timeout, limit), shape)

    async def _request(self, verb: Verb, payload: bytes, reach: float, limit: float) -> bytes:
        """One request, sent again only while nobody has taken it up, or where that does no harm: taken up
        within `reach` seconds, answered within `limit`.
        """
        clock = asyncio.get_running_loop().time
        deadline, last = clock() + reach, clock() + limit
        wait = _RETRY_FIRST
        while True:
            nc = await self._link.connection(max(0.0, deadline - clock()))
            try:
                return await self._exchange(nc, verb, payload, max(0.0, last - clock()))
            except NoRespondersError:
                await self._check_role(nc, verb)
            except (NatsTimeoutError, TimeoutError):
                raise _silent(limit) from None
            except (Error, OSError):
                if verb not in _HARMLESS:
                    raise _cut_off() from None
            if clock() + wait >= deadline:
                raise unreachable(self._url)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _RETRY_MOST)

    async def _exchange(self, nc: Client, verb: Verb, payload: bytes, timeout: float) -> bytes:
        """The answer; ConnectionClosedError once the connection is lost, which nats-py would wait out."""
        lost = asyncio.Event()
        asking = asyncio.ensure_future(nc.request(f"node.{verb}", payload, timeout=timeout))
        losing = asyncio.ensure_future(lost.wait())
        try:
            with self._link.watch_loss(lost.set):
                await asyncio.wait((asking, losing), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise ConnectionClosedError
            return bytes((await asking).data)
        finally:
            asking.cancel()
            losing.cancel()

    async def _check_role(self, nc: Client, verb: Verb) -> None:
        """Tell a verb that this role may not ask, which nobody answers, from a node that is away.

        Raises OperationError `forbidden` for the former.
        """
        with suppress(Error, OSError, TimeoutError):
            self.known = read_answer(await self._exchange(nc, Verb.WHOAMI, b"", _ROLE_LIMIT), _WHOAMI)
            if verb not in self.known.verbs:
                raise OperationError(
                    Code.FORBIDDEN,
                    f"the role {self.known.role} may not ask for {verb}",
                    "have an administrator give the client another role",
                )


def read_answer(answer: bytes, shape: TypeAdapter[T]) -> T:
    """The result in an answer, or its refusal raised."""
    try:
        fields = from_json(answer)
        if "error" not in fields:
            # Through JSON again: there, a string may stand for an enumeration even in a strict model.
            return shape.validate_json(to_json(fields["result"]))
        refused = fields["error"]
        code, message, fix = Code(refused["code"]), str(refused["message"]), str(refused["fix"])
    except (ValueError, KeyError, TypeError):
        raise OperationError(
            Code.INTERNAL,
            "the node's answer is not understood",
            "run the same version of the node and of its clients",
        ) from None
    raise LiaisonError(code, message, fix)


def unreachable(url: str) -> OperationError:
    """Nobody answers there."""
    return OperationError(
        Code.NODE_UNREACHABLE,
        f"no node answers at {url}",
        "start it with `liaison-agency run`, or check the address",
    )


def _silent(timeout: float) -> OperationError:
    return OperationError(
        Code.NODE_UNREACHABLE,
        f"the node did not answer within {timeout:g} s",
        "it may have done what was asked: look before asking again; try `liaison-agency doctor`",
    )


def _cut_off() -> OperationError:
    return OperationError(
        Code.NODE_UNREACHABLE,
        "the connection to the node was lost before it answered",
        "it may have done what was asked: look before asking again",
    )
