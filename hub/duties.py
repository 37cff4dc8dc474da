"""What a hub does, by duty: the office, which there is once in a cluster, and the partitions of the intake. A
hub that is alone does all of it at all times.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, NamedTuple

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.background import background
from hub.chunks import ChunkDesk
from hub.claims import push_all, tell_newcomers
from hub.control import Addresses, Control
from hub.desk import NEWS, ask_office, open_desk
from hub.fence import Fence, partition_fence
from hub.heads import Heads
from hub.health import Site, status
from hub.jetstream import api
from hub.keeping import ReceiptSigner
from hub.lease import Lease
from hub.office import TROUBLE, Office
from hub.operating.audit import Audit
from hub.operating.examination import examine
from hub.operating.scribe import Scribe
from hub.operating.teller import Teller
from hub.pages import answering
from hub.partitions import filters
from hub.patience import patiently
from hub.presence import LookRound, redeliver_on_connect
from hub.rota import OFFICE, partition_duty
from hub.router import WHOLE, Part, Router, Step
from hub.settings import HubSettings
from hub.streams import INTAKE, ensure_streams
from hub.verifying import Verifying
from schemas.errors import Code, OperationError

_log = structlog.get_logger(__name__)

_NEWS_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.5
_NO_USE: Final = frozenset({Code.WRONG_KEY, Code.ROOT_MISMATCH, Code.STORE_CORRUPT})
"""To try again is of no use: somebody must look at it."""

Hook = Callable[[Step], Awaitable[None]]


class Place(NamedTuple):
    """What surrounds a hub's work: its settings, what it tells agencies and writes down, since when it runs
    (Unix ms), and the URL of its NATS.
    """

    settings: HubSettings
    addresses: Addresses
    audit: Audit
    scribe: Scribe
    since: int
    url: str


class Duties:
    """Everything that one hub may have to do. `system` is a connection of the system account; `hook` is the
    routers'.
    """

    def __init__(
        self, office: Office, system: Client, signer: ReceiptSigner, place: Place, hook: Hook
    ) -> None:
        self._office = office
        self._system = system
        self._signer = signer
        self._place = place
        self._hook = hook
        self._heads = Heads(office, signer)
        self._look_round = LookRound(office.nc, office.accounts)
        self._desk: ChunkDesk | None = None
        self._verifying = Verifying()
        self._routers: set[Router] = set()
        self._news = asyncio.Event()

    async def status(self) -> dict[str, Any]:
        """What `hub.health.status` tells of this hub. Raises trouble."""
        return await status(self._office, self._site())

    async def answers(self) -> None:
        """Raise one of `hub.office.TROUBLE` unless JetStream answers and admission has its durables."""
        for durable in self._office.among.leases.durables:
            await api(self._office.nc, f"CONSUMER.INFO.{INTAKE}.{durable}")

    def _site(self) -> Site:
        place = self._place
        settings = place.settings
        return Site(
            place.since,
            place.url,
            settings.state,
            self._uploaded,
            settings.chunk_day_bytes,
            tuple(settings.watched_certificates),
        )

    def _uploaded(self, publisher: str) -> int:
        """What the office knows: on another hub of a cluster nothing is known of it."""
        return self._desk.uploaded(publisher) if self._desk else 0

    async def close(self) -> None:
        """When all work has ended."""
        await self._verifying.close()

    def reconnected(self) -> None:
        """A connection to NATS was made anew: nobody knows what got through."""
        for router in self._routers:
            router.interrupt()
        self._look_round.again()
        self._news.set()

    # -- once in a cluster --------------------------------------------------------------------------------

    @asynccontextmanager
    async def in_office(self) -> AsyncIterator[None]:
        """Keep the office while the block is entered. Raises OperationError when it cannot be opened."""
        office, system = self._office, self._system
        async with AsyncExitStack() as stack:
            await patiently(self._open)
            seen = await redeliver_on_connect(system, office.nc, office.accounts)
            for each in seen:
                stack.push_async_callback(_unsubscribed(system, each.unsubscribe))
            self._look_round.again()
            await stack.enter_async_context(
                background(self._heads.run(), office.keep_time(), self._look_round.run())
            )
            await stack.enter_async_context(answering(office))
            day_bytes = self._place.settings.chunk_day_bytes
            self._desk = await stack.enter_async_context(ChunkDesk(office, self._signer, day_bytes))
            if office.among.leases.shared:
                takes = {"doc": self._document, "cosig": self._cosignature}
                await stack.enter_async_context(open_desk(office.nc, takes))
                news = await tell_newcomers(system, office.accounts)
                stack.push_async_callback(_unsubscribed(system, news.unsubscribe))
            place = self._place
            more = {"audit": place.audit.told, "examine": self._examine}
            control = Control(office, self._heads, self._site(), place.addresses, place.scribe, more)
            await stack.enter_async_context(control)
            settings = place.settings
            teller = Teller(office, self._signer, self.status, settings.operators, settings.limits)
            await stack.enter_async_context(background(teller.run()))
            yield

    async def _examine(self, _: dict[str, Any]) -> dict[str, Any]:
        limits = self._place.settings.stream_limits
        return await examine(self._office, self._system, limits, self.status, self._heads.facts())

    async def _open(self) -> None:
        office = self._office
        if not office.among.leases.shared:
            await push_all(self._system, office.accounts)
        await ensure_streams(office.nc, self._place.settings.stream_limits)
        await office.open(self._signer)
        if office.among.leases.shared:
            # Not before: only now all accounts that there are are known here, and strangers are deleted.
            await push_all(self._system, office.accounts)

    async def _document(self, publisher: str, data: bytes) -> None:
        self._office.among.check_leading()
        async with self._office.writing():
            await self._office.record(data, by=publisher)

    async def _cosignature(self, _: str, data: bytes) -> None:
        self._office.among.check_leading()
        async with self._office.writing():
            self._heads.cosigned(data)

    # -- admission ----------------------------------------------------------------------------------------

    async def route(self, part: Part = WHOLE) -> None:
        """Admit what is in a part of the intake, until cancelled."""
        part = part._replace(allowance=self._place.settings.allowance)
        router = Router(self._office, self._signer, self._cosigned, self._verifying, part, hook=self._hook)
        self._routers.add(router)
        try:
            await router.run()
        finally:
            self._routers.discard(router)

    async def _cosigned(self, witness: str, data: bytes) -> None:
        if self._office.leading:
            self._heads.cosigned(data)
        else:
            await ask_office(self._office.nc, "cosig", witness, data)

    # -- one of several -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def on_duty(self, lease: Lease) -> AsyncIterator[None]:
        """Do what the rota gives this hub to do, while the block is entered."""
        work = [lease.on_duty(OFFICE, self._keep_office)]
        for number, durable in enumerate(lease.durables):
            duty = partition_duty(number)
            fence = Fence(self._office.nc, partition_fence(number), lease.me, partial(lease.holds, duty))
            subjects = filters(number, lease.partitions)
            part = Part(durable, subjects, fence)
            work.append(lease.on_duty(duty, partial(self.route, part)))
        async with background(self._follow(), *work):
            yield

    async def _keep_office(self) -> None:
        """Keep the office until cancelled; what NATS does meanwhile closes it for a moment."""
        while True:
            try:
                async with self.in_office():
                    _log.info("office open")
                    await asyncio.Event().wait()
            except TROUBLE as trouble:
                if isinstance(trouble, OperationError) and trouble.code in _NO_USE:
                    raise
                _log.warning("office closed for a moment", reason=str(trouble) or type(trouble).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _follow(self) -> None:
        """Take in what another hub puts into DIRECTORY, when it says so and every second; until cancelled."""

        async def told(_: Msg) -> None:
            self._news.set()

        office = self._office
        subscription = await office.nc.subscribe(NEWS, cb=told)
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_NEWS_SECONDS):
                        await self._news.wait()
                self._news.clear()
                if office.leading:
                    continue
                try:
                    async with office.writing():
                        await office.catch_up()
                except TROUBLE as trouble:
                    _log.warning("directory not followed", reason=str(trouble) or type(trouble).__name__)
                    await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await _unsubscribed(office.nc, subscription.unsubscribe)()


def _unsubscribed(nc: Client, unsubscribe: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def end() -> None:
        if not nc.is_closed:
            with contextlib.suppress(nats.errors.Error):
                await unsubscribe()

    return end
