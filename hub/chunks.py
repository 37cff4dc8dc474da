"""Chunks of attachments: an endpoint asks on `u.<PK>`, the hub stores the bytes under their own hash and
answers with a signed receipt. FORMAT.md, "Attachments".

A request and not a submission through the intake: whoever uploads waits for each answer anyway, so nothing
has to be kept twice, receipts of chunks do not fill the feeds, and no frame ever waits behind a file. What is
never answered is asked again, and the same chunk again is stored over itself.
"""

import asyncio
import contextlib
import json
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple, Self

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from hub.admission import View
from hub.jetstream import JetStreamRefused, refusal_of
from hub.office import TROUBLE, Office
from hub.streams import CHUNK_USE, scan
from schemas import receipts
from schemas.encoding import instant
from schemas.errors import Code, FormatError, LiaisonError, OperationError, TrustError
from schemas.limits import CHUNK_MAX
from schemas.receipts import ADMITTED, Answer
from schemas.signing import Signer
from schemas.subjects import CHUNKS, chunk_at, chunk_upload, is_publisher

_log = structlog.get_logger(__name__)

AT_ONCE_MAX: Final = 64
"""Chunks of one endpoint that are worked on at the same time; a node of ours sends 16."""
_NOTED_EVERY: Final = 64
"""Chunks after which it is written down how much an endpoint has uploaded: so much a crash may forget."""
_STORE_SECONDS: Final = 10.0


class Used(NamedTuple):
    """How many bytes an endpoint has uploaded on a day (UTC, `YYYY-MM-DD`)."""

    day: str = ""
    size: int = 0

    def plus(self, size: int, day: str) -> "Used":
        """With so many bytes more, on this day."""
        return Used(day, size + (self.size if self.day == day else 0))


def check_upload(publisher: str, size: int, view: View) -> None:
    """Whether this endpoint may have a chunk of so many bytes stored at all.

    FormatError `truncated`, `too_large`; TrustError `unknown_publisher`, `suspended`, `not_member`.
    """
    if not size:
        raise FormatError(Code.TRUNCATED, "an empty chunk", "send the chunk")
    if size > CHUNK_MAX:
        raise FormatError(Code.TOO_LARGE, f"a chunk of {size} bytes, {CHUNK_MAX} is the most", "send chunks")
    speaker = view.speakers.get(publisher)
    if speaker is None:
        raise TrustError(
            Code.UNKNOWN_PUBLISHER,
            "this endpoint has no keys in the directory",
            "submit its keys document first",
        )
    if publisher in view.suspended:
        raise TrustError(Code.SUSPENDED, "the endpoint is suspended", "call the hub's operators")
    if not any(speaker.agency in circle.roles for circle in view.circles.values()):
        raise TrustError(Code.NOT_MEMBER, "the agency is in no community", "ask an owner to be added")


@dataclass(slots=True)
class _Account:
    """An endpoint's uploads: of the day, and how many since that was last written down."""

    used: Used
    since: int = 0
    open: int = 0


class ChunkDesk:
    """Stores chunks while the block is entered. `day_bytes` is what one endpoint may upload in a day."""

    def __init__(self, office: Office, signer: Signer, day_bytes: int) -> None:
        self._office = office
        self._signer = signer
        self._day_bytes = day_bytes
        self._accounts: dict[str, _Account] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._subscription: Subscription | None = None
        self.answered: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        async for messages in scan(self._office.nc, CHUNKS, [f"{CHUNK_USE}.*"], last_per_subject=True):
            for message in messages:
                used = Used(**json.loads(message.data))
                self._accounts[message.subject.removeprefix(f"{CHUNK_USE}.")] = _Account(used)
        self._subscription = await self._office.nc.subscribe(chunk_upload("*"), cb=self._asked)
        await self._office.nc.flush()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._subscription and not self._office.nc.is_closed:
            await self._subscription.unsubscribe()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        with contextlib.suppress(*TROUBLE):
            for publisher, account in self._accounts.items():
                if account.since:
                    await self._note(publisher, account)

    def uploaded(self, publisher: str) -> int:
        """How many bytes an endpoint has uploaded today (UTC)."""
        account = self._accounts.get(publisher)
        return account.used.size if account and account.used.day == self._today() else 0

    def _today(self) -> str:
        return instant(self._office.clock())[:10]

    async def _asked(self, message: Msg) -> None:
        publisher = message.subject.rsplit(".", 1)[-1]
        if not message.reply or not is_publisher(publisher):
            return  # the server vouches for the account: only the hub itself could ask otherwise
        task = asyncio.create_task(self._answer(message, publisher))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, message: Msg, publisher: str) -> None:
        now = self._office.clock()
        account = self._accounts.setdefault(publisher, _Account(Used()))
        account.open += 1
        try:
            code = await self._take(message.data, publisher, account, instant(now)[:10])
        except TROUBLE as trouble:
            _log.warning("chunk not stored", reason=str(trouble))
            return  # asked again after its time
        finally:
            account.open -= 1
        self.answered[code] += 1
        answer = Answer(publisher, sha256(message.data).hexdigest(), code, now)
        with contextlib.suppress(*TROUBLE):
            await message.respond(receipts.issue([answer], self._signer)[publisher])

    async def _take(self, data: bytes, publisher: str, account: _Account, day: str) -> str:
        """`admitted`, once the chunk is on disk, or the code of the refusal."""
        try:
            check_upload(publisher, len(data), self._office.view())
            used = account.used.plus(len(data), day)
            if used.size > self._day_bytes or account.open > AT_ONCE_MAX:
                raise TrustError(
                    Code.OVER_QUOTA,
                    "the endpoint uploads more than it may",
                    "go on tomorrow, or ask for more",
                )
            account.used = used
            account.since += 1
            await self._store(chunk_at(sha256(data).hexdigest()), data)
            if account.since >= _NOTED_EVERY:
                await self._note(publisher, account)
        except (FormatError, TrustError, JetStreamRefused) as refusal:
            return self._refused(refusal, publisher)
        return ADMITTED

    def _refused(self, refusal: LiaisonError, publisher: str) -> str:
        if isinstance(refusal, JetStreamRefused) and refusal.code is not Code.DISK_FULL:
            raise OperationError(Code.INTERNAL, refusal.message, refusal.fix)
        _log.warning("chunk refused", code=str(refusal.code), endpoint=publisher)
        return str(refusal.code)

    async def _note(self, publisher: str, account: _Account) -> None:
        account.since = 0
        await self._store(f"{CHUNK_USE}.{publisher}", json.dumps(account.used._asdict()).encode())

    async def _store(self, subject: str, data: bytes) -> None:
        """Put a message into CHUNKS; it is on disk when this returns. JetStreamRefused, or TROUBLE."""
        answer = json.loads((await self._office.nc.request(subject, data, timeout=_STORE_SECONDS)).data)
        if error := answer.get("error"):
            raise refusal_of(subject.partition(".")[0], error)
