"""The node's service on the agency's own NATS: requests on `node.<verb>.<client>`, answered as JSON.

The last token of the subject is put there by the server (an account's private import), so it names who asks.
What the role does not allow is not even imported; it is checked here again, and so is the TLP ceiling, before
and after the node's answer.

Plain subscriptions and not `nats.micro`: that puts every endpoint into a queue group, handles one request at
a time, and hides the reply subject, which is checked here.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error
from pydantic import BaseModel

from schemas.encoding import canonical_json
from schemas.errors import Code, LiaisonError, OperationError
from subscribers.api import NodeApi
from subscribers.local import ClientIdentity, LocalNats, Verb
from subscribers.local.accounts import MAX_PAYLOAD
from subscribers.service.requests import parse_request
from subscribers.service.roles import verbs
from subscribers.service.verbs import Answer, Desk

AT_ONCE_MAX: Final = 64
"""Requests of one client that are worked on at the same time."""
WAITING_MAX: Final = 1_024
"""Requests of one client that may be on hand; more are refused at once, so that one client cannot starve the
others.
"""
_REPLIES: Final = ("_R_.", "_INBOX.")
"""An import's reply, made by the server, or a request by the node's own account. Answers go nowhere else."""

_BUSY: Final = OperationError(
    Code.NODE_UNREACHABLE, "too many requests of this client at once", "wait for answers before asking more"
)

log = structlog.get_logger(__name__)


class _Lane:
    """The requests of one client."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(AT_ONCE_MAX)
        self.tasks: set[asyncio.Task[None]] = set()


class NodeService:
    """Answers the clients of `local` by `api` while its block lasts: `async with NodeService(local, api):
    ...`
    """

    def __init__(self, local: LocalNats, api: NodeApi) -> None:
        self._local = local
        self._desk = Desk(local, api)
        self._lanes: dict[str, _Lane] = {}
        self._refusing: set[asyncio.Task[None]] = set()
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        await self._local.link.on_connection(self._subscribe)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._local.link.forget(self._subscribe)
        if self._subscription:
            with suppress(Error):
                await self._subscription.unsubscribe()
        tasks = [*self._refusing, *(task for lane in self._lanes.values() for task in lane.tasks)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _subscribe(self, nc: Client) -> None:
        async def receive(message: Msg) -> None:
            self._accept(nc, message)

        self._subscription = await nc.subscribe("node.*.*", cb=receive)
        await nc.flush()

    def _accept(self, nc: Client, message: Msg) -> None:
        _, verb, name = message.subject.split(".")
        entry = self._local.client(name)
        if entry is None or not message.reply.startswith(_REPLIES):
            log.warning("request not answered", client=name if entry else "unknown", verb=verb)
            return
        lane = self._lanes.setdefault(name, _Lane())
        if len(lane.tasks) < WAITING_MAX:
            work, tasks = self._serve(nc, message, lane, entry.identity, verb), lane.tasks
        else:
            work, tasks = _send(nc, message, _refusal(_BUSY)), self._refusing
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _serve(self, nc: Client, message: Msg, lane: _Lane, client: ClientIdentity, verb: str) -> None:
        async with lane.free:
            answer = await self._answer(client, verb, message.data)
        await _send(nc, message, answer)

    async def _answer(self, client: ClientIdentity, verb: str, data: bytes) -> bytes:
        try:
            if verb not in verbs(client.role):
                raise OperationError(
                    Code.FORBIDDEN,
                    f"the role {client.role} may not ask for this",
                    "have an administrator give the client another role",
                )
            known = Verb(verb)
            result = await self._desk.answer(client, known, parse_request(known, data))
            return _fitting(_rendered(result))
        except LiaisonError as error:
            return _refusal(error)
        except Exception as error:  # noqa: BLE001 - the boundary: a client gets a code, the log what kind of error
            log.error("request failed", client=client.name, verb=verb, error=type(error).__name__)  # noqa: TRY400
            return _refusal(
                OperationError(Code.INTERNAL, "the node failed at this request", "look at the node's log")
            )


async def _send(nc: Client, request: Msg, answer: bytes) -> None:
    with suppress(Error):  # the asker, or we, have lost the connection: it will ask again
        await nc.publish(request.reply, answer)


def _rendered(result: Answer) -> bytes:
    if isinstance(result, BaseModel):
        text = result.model_dump_json(exclude_none=True)
    elif isinstance(result, Sequence):
        text = f"[{','.join(each.model_dump_json(exclude_none=True) for each in result)}]"
    else:
        text = "null"
    return b'{"result":' + text.encode() + b"}"


def _fitting(answer: bytes) -> bytes:
    if len(answer) > MAX_PAYLOAD:
        raise OperationError(
            Code.TOO_LARGE, "the answer does not fit into one message", "ask for fewer at once"
        )
    return answer


def _refusal(error: LiaisonError) -> bytes:
    return canonical_json({"error": error.as_dict()})
