"""The control service: what the hub's operators ask of a running hub, as requests on `ctl.<verb>` in the HUB
account.

A request is one JSON object, the answer `{"result": ...}` or `{"error": {"code", "message", "fix"}}`. Only
the hub's own users reach these subjects, so whoever may ask may ask for everything here; nothing here shows
or changes content.
"""

import asyncio
import base64
import binascii
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple, Self

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from hub.grants import CONTROL, TRAFFIC
from hub.heads import Heads
from hub.health import Site, status
from hub.jetstream import api
from hub.office import TROUBLE, Office
from hub.operating.scribe import Scribe
from hub.records import Endpoint
from hub.state import digest
from hub.streams import INTAKE, QUARANTINE, scan
from schemas.encoding import instant, parse_json, to_base64
from schemas.errors import Code, FormatError, LiaisonError, OperationError
from schemas.limits import DOCUMENT_MAX

_log = structlog.get_logger(__name__)

REQUEST_MAX: Final = 4 * DOCUMENT_MAX
WATCHED: Final = (INTAKE, TRAFFIC, QUARANTINE)
LISTED_MAX: Final = 1000
_SECOND: Final = 1_000_000_000
_INBOX: Final = "_INBOX."

Verb = Callable[[dict[str, Any]], Awaitable[Any]]


class Addresses(NamedTuple):
    """What admission files tell agencies to connect to: NATS, and NATS over WebSocket if there is."""

    urls: list[str]
    websockets: list[str]


class Control:
    """Answers operators while the block is entered. `more` are verbs beside its own."""

    def __init__(
        self,
        office: Office,
        heads: Heads,
        site: Site,
        addresses: Addresses,
        scribe: Scribe,
        more: Mapping[str, Verb],
    ) -> None:
        self._office = office
        self._heads = heads
        self._site = site
        self._addresses = addresses
        self._scribe = scribe
        self._subscription: Subscription | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._verbs: dict[str, Verb] = {
            "admit": self._admit,
            "admit-witness": self._admit_witness,
            "suspend": self._suspend,
            "resume": self._resume,
            "submit": self._submit,
            "status": self._status,
            "quarantine": self._quarantine,
            "watch": self._watch,
            **more,
        }

    async def __aenter__(self) -> Self:
        self._subscription = await self._office.nc.subscribe(f"{CONTROL}.*", cb=self._asked)
        await self._office.nc.flush()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._subscription and not self._office.nc.is_closed:
            await self._subscription.unsubscribe()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _asked(self, message: Msg) -> None:
        # Each on its own: a suspension does not wait for a long list.
        task = asyncio.create_task(self._answer(message))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, message: Msg) -> None:
        name = message.subject.removeprefix(f"{CONTROL}.")
        asked: dict[str, Any] = {}
        try:
            asked = parse_json(message.data, REQUEST_MAX)
            answer = await self._carried_out(name, asked)
            await self._scribe.ordered(name, asked, answer)  # after it: a cut-off does not wait for a disk
        except LiaisonError as refusal:
            answer = {"error": refusal.as_dict()}
        except TROUBLE as trouble:
            _log.warning("control request failed", subject=message.subject, reason=type(trouble).__name__)
            away = OperationError(Code.HUB_UNREACHABLE, "the NATS server did not answer the hub", "try again")
            answer = {"error": away.as_dict()}
        if message.reply:
            await message.respond(json.dumps(answer).encode())

    async def _carried_out(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        verb = self._verbs.get(name)
        try:
            if verb is None:
                raise FormatError(Code.BAD_REQUEST, "no such verb", f"one of {', '.join(self._verbs)}")
            return {"result": await verb(asked)}
        except LiaisonError as refusal:
            return {"error": refusal.as_dict()}

    async def _admit(self, asked: dict[str, Any]) -> dict[str, Any]:
        enrolment, endpoint = await self._office.admit(bytes_of(asked, "request"), bytes_of(asked, "agency"))
        return {"agency": enrolment.id, **self._admission(endpoint)}

    async def _admit_witness(self, asked: dict[str, Any]) -> dict[str, Any]:
        request, endpoint = await self._office.admit_witness(bytes_of(asked, "request"))
        return {"witness": request.name, **self._admission(endpoint)}

    def _admission(self, endpoint: Endpoint) -> dict[str, Any]:
        hub = self._office.directory.hub
        return {
            "v": 1,
            "endpoint": endpoint.public,
            "user_jwt": self._office.accounts.user_jwt(endpoint.public),
            "urls": self._addresses.urls,
            "websockets": self._addresses.websockets,
            "root": to_base64(self._office.root),
            "fingerprint": digest(self._office.root),
            "hub": {"name": hub.name, "key": hub.key} if hub else {},
        }

    async def _suspend(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"endpoints": await self._office.suspend(text_of(asked, "who"))}

    async def _resume(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"endpoints": await self._office.resume(text_of(asked, "who"))}

    async def _submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        async with self._office.writing():
            await self._office.record(bytes_of(asked, "document"), by=None)
        head = self._office.directory.head
        return {"size": head.size, "root": head.root.hex()}

    async def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        return {**await status(self._office, self._site), "head": self._heads.facts()}

    async def _quarantine(self, asked: dict[str, Any]) -> dict[str, Any]:
        code = "*"
        if "code" in asked and (code := text_of(asked, "code")) not in set(Code):
            raise FormatError(Code.BAD_REQUEST, "no such code", "see FORMAT.md, Refusals")
        publishers = ["*"]
        if "publisher" in asked:
            publishers = [each.public for each in self._office.endpoints_of(text_of(asked, "publisher"))]
        newest: deque[dict[str, Any]] = deque(maxlen=limit_of(asked))
        async for messages in scan(self._office.nc, QUARANTINE, [f"q.{each}.{code}" for each in publishers]):
            newest.extend(self._entry(message) for message in messages)
        return {"entries": list(reversed(newest))}

    def _entry(self, message: Msg) -> dict[str, Any]:
        headers = message.headers or {}
        publisher = message.subject.split(".")[1]
        return {
            "seq": message.metadata.sequence.stream,
            "at": instant(int(message.metadata.timestamp.timestamp() * 1000)),
            "publisher": publisher,
            "agency": self._office.agency_of(publisher),
            "code": headers.get("Liaison-Code", ""),
            "message": headers.get("Liaison-Message", ""),
            "subject": headers.get("Liaison-Subject", ""),
            "size": int(headers.get("Liaison-Size", "0")),
            "sha256": headers.get("Liaison-Sha256", ""),
        }

    async def _watch(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Have the server push what the streams store to the asker's inbox, until nobody listens there
        any more.
        """
        inbox = text_of(asked, "inbox")
        if not inbox.startswith(_INBOX) or any(each in inbox for each in "*> \r\n"):
            raise FormatError(
                Code.BAD_REQUEST, "watching needs an inbox of its own", "give a subject _INBOX.<unique>"
            )
        config = {
            "ack_policy": "none",
            "deliver_policy": "all" if asked.get("from_start") is True else "new",
            "deliver_subject": inbox,
            "mem_storage": True,
            "inactive_threshold": 5 * _SECOND,
        }
        for stream in WATCHED:
            await api(self._office.nc, f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config})
        return {"streams": list(WATCHED)}


def text_of(asked: dict[str, Any], name: str) -> str:
    """A field of a request that is text and not empty. FormatError `bad_request`."""
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise FormatError(
            Code.BAD_REQUEST, f"the request lacks {name}", "use the command of the same version"
        )
    return value


def bytes_of(asked: dict[str, Any], name: str) -> bytes:
    """A field that is base64. FormatError `bad_request`."""
    try:
        return base64.b64decode(text_of(asked, name), validate=True)
    except (ValueError, binascii.Error):
        raise FormatError(
            Code.BAD_REQUEST, f"{name} is not base64", "use the command of the same version"
        ) from None


def limit_of(asked: dict[str, Any]) -> int:
    """How many are asked for: 50 where nothing is said. FormatError `bad_request`."""
    value = asked.get("limit", 50)
    if type(value) is not int or not 1 <= value <= LISTED_MAX:
        raise FormatError(Code.BAD_REQUEST, "the limit is out of range", f"1 to {LISTED_MAX}")
    return value
