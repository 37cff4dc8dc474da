"""The part of the node that has keys: one encrypted store, the outbox, the two feeds and the link to the hub,
put together.

`Core.open` makes everything ready; `Core.run` keeps the hub connected. Enrolment uses it alone; the node adds
the local NATS.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import apsw
import filelock
import uuid_utils
from nats.aio.client import Client

from schemas.attachments import Attachment
from schemas.bulletin import Bulletin, Draft
from schemas.card import Card
from schemas.directory import Directory
from schemas.encoding import from_base64
from schemas.errors import Code, OperationError, TrustError
from schemas.frame import BULLETIN, CARD
from schemas.limits import CLOCK_SKEW_MAX, DOCUMENT_MAX
from schemas.receipts import ADMITTED
from schemas.signing import key_id
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence, Realm
from subscribers import sealing, tracing
from subscribers.airgap.node_side import AirGap
from subscribers.clock import now_ms
from subscribers.directory.feed import DirectoryFeed
from subscribers.directory.head_watch import watch_head
from subscribers.directory.heads import stale
from subscribers.exchange.composer import HOUR, Context, Item, Limits
from subscribers.exchange.enrolment import ADMISSION, KEYS
from subscribers.exchange.heart import Heart
from subscribers.exchange.hub_link import Admission, HubLink, hub_clock
from subscribers.exchange.outbox import Outbox
from subscribers.exchange.traffic_feed import TrafficFeed
from subscribers.keyring.key_store import Rack
from subscribers.keys import Keyring
from subscribers.records import Published
from subscribers.recovery.resending import Resending
from subscribers.recovery.returning import Returning
from subscribers.settings import NodeSettings
from subscribers.sharing.asking import Joiner
from subscribers.sharing.handover import Handovers
from subscribers.sharing.history import History as PastReader
from subscribers.storage import tables
from subscribers.storage.archive import Archive
from subscribers.storage.journal import Settled
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Row, Store
from subscribers.writing.drafts import identify

DATABASE: Final = "node.db"
DAY: Final = 24 * HOUR
SECOND: Final = 1_000
_ADMISSION_WAIT: Final = 2.0
_LOOKED_THROUGH: Final = 128 * 1024 * 1024
"""Bytes of a database that is read through at every start, in a moment; `doctor` reads larger ones."""


class Core:
    """An enrolled agency's keys, store and hub link. Made by `Core.open`, which holds the lock on the state
    directory.
    """

    def __init__(
        self,
        rack: Rack,
        admission: Admission,
        store: Store,
        ledger: Ledger,
        settings: NodeSettings,
        clock: Callable[[], int],
    ) -> None:
        self.rack = rack
        self.endpoint = admission.endpoint
        self.state = settings.state
        self.store = store
        self.ledger = ledger
        self.clock = clock
        self.archive = Archive(store)
        self._limits = Limits(settings.epoch_hours * HOUR, settings.epoch_bulletins, settings.life_days * DAY)
        self.outbox = Outbox(store, ledger, self._context)
        self.outbox.on_settled = self._settled
        self.directory_feed = DirectoryFeed(ledger, self.endpoint, clock)
        self.traffic_feed = TrafficFeed(
            store, ledger, self.outbox, self.directory_feed, rack, self.endpoint, clock
        )
        self.link = HubLink(admission, rack.ring, self.outbox, settings.hub_tls)
        self.resending = Resending(store, ledger, self.outbox, clock)
        self.returning = Returning(store, self.outbox, self.endpoint, clock, self.resending.unanswered)
        self.link.on_read = self._come_back
        self.traffic_feed.on_looked = self._come_further
        joiner = Joiner(rack, self.endpoint, clock, settings.history_patience_seconds * SECOND)
        self.history = PastReader(store, ledger, self.link, self.directory_feed, self.traffic_feed, joiner)
        self.handovers = Handovers(store, ledger, self.link, self.traffic_feed, self.endpoint, clock)
        first = settings.heartbeat_seconds * SECOND
        self.heart = Heart(ledger, self.outbox, self.link, self.endpoint, clock, self.new_id, first)
        self.parcels = (
            AirGap(store, self.outbox, self.directory_feed, self.traffic_feed, self.endpoint, clock)
            if settings.air_gap
            else None
        )
        """In place of the link, where there is no network."""
        self._waiting: dict[str, asyncio.Future[Settled]] = {}
        self._ahead = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, settings: NodeSettings, clock: Callable[[], int] = now_ms) -> AsyncIterator[Self]:
        """Everything read back and verified. OperationError: `not_enrolled`, `already_running`, `wrong_key`,
        `store_corrupt`, `disk_full`.
        """
        sealing.self_test()
        state = settings.state
        if not (state / ADMISSION).exists():
            raise OperationError(
                Code.NOT_ENROLLED, f"{state} holds no admission", "run `liaison-agency init`, then `enrol`"
            )
        admission = Admission.read(state / ADMISSION)
        with lock(state):
            rack = Rack.load(state / KEYS)
            async with await Store.open(state / DATABASE, rack.ring.archive, tables.NODE) as store:
                if (state / DATABASE).stat().st_size <= _LOOKED_THROUGH:
                    await store.quick_check()
                ledger = await Ledger.load(store, rack.ring.profile.id)
                if ledger.directory is None:
                    root = from_base64(admission.root, DOCUMENT_MAX)
                    await ledger.append(root, membership=False, now=clock())
                core = cls(rack, admission, store, ledger, settings, clock)
                if core.staged_is_known():
                    rack.promote()  # the process ended between the directory's word and ours
                await core.outbox.load()
                await core.history.load()
                try:
                    yield core
                finally:
                    await core.outbox.close()

    @property
    def keys(self) -> Keyring:
        """The keys that are current."""
        return self.rack.ring

    def staged_is_known(self) -> bool:
        """Whether the directory has the keys that a rotation has staged."""
        staged = self.rack.staged
        return staged is not None and self.ledger.known().has_key(self.endpoint, staged.signing.public)

    async def run(self) -> None:
        """Keep the hub connected, both feeds read and our chains beating, until cancelled. Nothing, behind an
        air gap: heartbeats that come days late tell nobody anything.
        """
        if self.parcels is not None:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self.heart.run())
            group.create_task(self.link.run(self._read))
            group.create_task(watch_head(self.ledger, self.clock))
            group.create_task(self.traffic_feed.follow())
            group.create_task(self.history.run())
            group.create_task(self.handovers.run())

    async def _read(self, nc: Client) -> None:
        await self.compare_clocks()
        await self.resending.notice(nc)
        await self.returning.begin(nc)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.directory_feed.run(nc))
            group.create_task(self.traffic_feed.run(nc, self.link))

    async def _come_back(self) -> None:
        await self.returning.finish()
        await self.resending.finish()
        await self.outbox.mend()

    async def _come_further(self) -> None:
        if self.link.caught_up.is_set():  # a restored node's own frames may have been ahead of its directory
            await self.returning.finish()

    async def go_on(self, number: int) -> None:
        """The operator has seen to the alarm `number`: publish again, if it was what held us up."""
        await self.outbox.go_on(number, self.endpoint, self.clock())
        await self.returning.seen(number)

    async def publish(
        self,
        draft: Draft,
        community: str,
        realm: Realm,
        also: Callable[[apsw.Connection, Bulletin], None] | None = None,
        payload: Callable[[Bulletin], bytes] = Bulletin.to_bytes,
        attachments: Sequence[Attachment] = (),
    ) -> Published:
        """Give a checked draft its identity, seal it, journal it; wait a moment for the hub's answer. It is
        on disk when this returns. OperationError `disk_full`.

        `also(connection, bulletin)` may write more into the same transaction, in the writer's thread, and
        `payload(bulletin)` says what the frame holds; what they refuse is raised, and nothing is written.
        """
        made: list[Bulletin] = []
        begun = tracing.begin()
        new_id = self.new_id()
        future = self._waiting.setdefault(new_id, asyncio.get_running_loop().create_future())

        def make(connection: apsw.Connection) -> tuple[Item, str]:
            now = self.clock()
            number = _next_number(connection, time.gmtime(now // 1000).tm_year)
            code = self.keys.profile.code
            bulletin = identify(draft, attachments, id=new_id, code=code, number=number, now=now)
            made.append(bulletin)
            if also:
                also(connection, bulletin)
            return Item(BULLETIN, new_id, payload(bulletin), bulletin.history), bulletin.ref

        try:
            await self.outbox.put(FrameSubject(realm, community, draft.precedence, self.endpoint), make)
            tracing.journaled(new_id, begun)
            return await self._published(made[-1], community, future)
        finally:
            self._waiting.pop(new_id, None)

    async def publish_card(
        self,
        community: str,
        realm: Realm,
        card: Card,
        also: Callable[[apsw.Connection], None] = lambda _: None,
    ) -> None:
        """Seal a community's card to its members; `also` writes more into the same transaction."""

        def make(connection: apsw.Connection) -> tuple[Item, str]:
            also(connection)
            return Item(CARD, self.new_id(), card.to_bytes(), History.NONE), ""

        await self.outbox.put(FrameSubject(realm, community, Precedence.ROUTINE, self.endpoint), make)

    async def submit(self, document: bytes, seen: Callable[[Directory], bool]) -> None:
        """Submit a document, wait for the hub's receipt, then for the document itself to come back in the
        directory. OperationError with the hub's code, `hub_unreachable`, or `clock_skew`.
        """
        await self.check_clock()
        await self.link.submit_document(document)
        await self.directory_feed.until(seen)

    async def compare_clocks(self) -> int:
        """Milliseconds by which this clock is ahead of the hub's; as it last was, while there is no
        connection. OperationError `hub_unreachable`.
        """
        if self.link.nc is not None:
            self._ahead = self.clock() - await hub_clock(self.link.nc)
        return self._ahead

    async def check_clock(self) -> None:
        """OperationError `clock_skew` while this clock is not the hub's, before anything is said by it."""
        # Ahead, the hub would refuse it; behind, readers would judge it by a membership that is past. A clock
        # that was set meanwhile is compared again.
        if abs(self._ahead) > CLOCK_SKEW_MAX and abs(ahead := await self.compare_clocks()) > CLOCK_SKEW_MAX:
            raise OperationError(Code.CLOCK_SKEW, apart(ahead), "synchronise it by NTP, then ask again")

    def check_voice(self) -> None:
        """TrustError `revoked_key` when what we sign is refused everywhere."""
        if self.rack.kid in self.ledger.known().revoked:
            raise TrustError(
                Code.REVOKED_KEY, "this node's signing key is revoked", "run `liaison-agency keys rotate`"
            )

    def check_head(self) -> None:
        """TrustError `stale_head` while the witnesses have not vouched for the directory in time, before
        anything is begun that needs a new epoch.
        """
        if self.clock() >= self.ledger.sealing_until():
            raise stale("no new epoch begins")

    def check_identity(self) -> None:
        """TrustError `stale_head` while no witness has vouched for our replaced identity: others would not
        believe a key that it binds.
        """
        if not self.ledger.vouched.vouches(self.ledger.known(), self.keys.profile.id):
            raise stale("no key is bound by the new identity yet")

    @staticmethod
    def new_id() -> str:
        """A UUIDv7."""
        return str(uuid_utils.uuid7())

    def _context(self, next_epoch: int) -> Context:
        ring = self.keys  # once: it may be replaced while this thread is here
        kid = key_id(ring.signing.public).hex()
        return Context(
            self.ledger.known(),
            kid,
            ring.signing,
            self.clock(),
            next_epoch,
            self.new_id,
            self._limits,
            fresh_until=self.ledger.sealing_until(),
        )

    def _settled(self, settled: Settled) -> None:
        tracing.settled(*settled)
        future = self._waiting.get(settled.id)
        if future and not future.done():
            future.set_result(settled)

    async def _published(
        self, bulletin: Bulletin, community: str, future: "asyncio.Future[Settled]"
    ) -> Published:
        code = None
        if self.link.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ADMISSION_WAIT):
                    code = (await future).code
        said = Published(id=bulletin.id, ref=bulletin.ref, community=community, state="queued")
        if code is None:
            return said
        if code == ADMITTED:
            return said.model_copy(update={"state": "admitted"})
        return said.model_copy(update={"state": "refused", "code": code})


def apart(ahead: int) -> str:
    """How this clock stands to the hub's, in words; `ahead` in milliseconds."""
    return f"this clock is {abs(ahead) // 1000} s {'ahead of' if ahead > 0 else 'behind'} the hub's"


def _next_number(connection: apsw.Connection, year: int) -> int:
    name = (f"ref-{year}",)
    connection.execute("INSERT INTO counters VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1", name)
    rows: list[Row] = connection.execute("SELECT value FROM counters WHERE name = ?", name).fetchall()
    return int(rows[0][0])


@contextlib.contextmanager
def lock(state: Path) -> Iterator[None]:
    """Hold a state directory for a block. OperationError `already_running`."""
    file = filelock.FileLock(state / "node.lock", timeout=0)
    try:
        with file:
            yield
    except filelock.Timeout:
        raise OperationError(
            Code.ALREADY_RUNNING,
            "another node runs on these keys",
            "stop it first: two writers would fork the chain",
        ) from None
