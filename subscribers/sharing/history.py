"""A late joiner's history: old frames are fetched from the hub, read by the rules of their chains, and opened
as their keys come. FORMAT.md, "History".

| state | what the node does |
|---|---|
| `fetching` | asks the hub for pages of what came before the live feed |
| `checking` | reads each chain from its beginning to where the live one begins |
| `waiting` | asks holders for the keys of what may be read: the originator first, then the others in turn |
| `done` | everything that may be read has been |

Each step is committed before the next, and may be killed and repeated at any point.
"""

import asyncio
import contextlib
from functools import partial
from typing import Final, NamedTuple, TypeVar

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from schemas.errors import Code, LiaisonError, OperationError, TrustError
from schemas.pages import Page, PageRequest, parse_page
from schemas.subjects import pages_for
from subscribers.directory.feed import DirectoryFeed
from subscribers.exchange.hub_link import HubLink, traffic_backlog
from subscribers.exchange.traffic_feed import TrafficFeed
from subscribers.sharing.asking import Asker, Joiner
from subscribers.sharing.chronicle import Chronicle
from subscribers.storage import history_rows as rows
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store

log = structlog.get_logger(__name__)

_ANSWER_WAIT: Final = 30.0
_LOOK_PAUSE: Final = 0.05
_AT_ONCE: Final = 128
_PAUSE_MOST: Final = 30.0
_PAUSE_LEAST: Final = 0.2

T = TypeVar("T")


class HistoryStatus(NamedTuple):
    """How far the history of a community has come. Counts are of bulletins but `missing`, which is of frames
    that nobody has given; `through` and `cursor` are places in the hub's stream.
    """

    wanted: rows.Wanted
    waiting: int


class History:
    """Runs beside the feeds."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        link: HubLink,
        directory: DirectoryFeed,
        feed: TrafficFeed,
        joiner: Joiner,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._link = link
        self._feed = feed
        self._joiner = joiner
        self._chronicle = Chronicle(store, ledger, directory, feed.fresh, joiner)
        self._asker = Asker(ledger, link, joiner)
        self._clock = joiner.clock
        self._endpoint = joiner.endpoint

    async def load(self) -> None:
        """Read back how far chains were read."""
        await self._chronicle.load()

    async def request(self, community: str) -> None:
        """Want a community's past: begin, go on to what has come since, or ask again for keys."""
        log_ = self._ledger.known().communities[community]
        if log_.role(self._joiner.agency, self._clock()) is None:
            raise TrustError(
                Code.NOT_MEMBER, "this agency is not in the community", "ask one of its owners to be added"
            )
        self._asker.forget(community)
        await self._store.transact(lambda connection: rows.want(connection, community, self._clock()))
        self._feed.unlocked.set()

    async def status(self) -> list[HistoryStatus]:
        """Everything that was asked for."""
        found = []
        for wanted in await rows.wanted(self._store):
            waiting = await rows.waiting(self._store, wanted.community)
            found.append(HistoryStatus(wanted, sum(each.frames for each in waiting)))
        return found

    async def run(self) -> None:
        """Until cancelled. What fails is tried again later."""
        pause = min(max(self._joiner.patience / 4000, _PAUSE_LEAST), _PAUSE_MOST)
        while True:
            await self._link.caught_up.wait()
            self._feed.unlocked.clear()
            await self.tick()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._feed.unlocked.wait()

    async def tick(self) -> None:
        """Everything that can be done now."""
        for wanted in await rows.wanted(self._store):
            try:
                await self._step(wanted)
            except (LiaisonError, NatsError, TimeoutError) as trouble:
                reason = str(getattr(trouble, "code", type(trouble).__name__))
                log.warning("history waits", community=wanted.community, reason=reason)

    async def _step(self, wanted: rows.Wanted) -> None:
        log_ = self._ledger.known().communities[wanted.community]
        if log_.role(self._joiner.agency, self._clock()) is None:
            return  # we have left: nobody gives us anything
        if wanted.state == rows.FETCHING:
            await self._fetch(wanted)
        if wanted.state in {rows.FETCHING, rows.CHECKING}:
            await self._chronicle.check(wanted.community)
        if wanted.state != rows.DONE:
            await self._chronicle.open(wanted.community)
            await self._ask(wanted.community)

    # -- fetching -----------------------------------------------------------------------------------------

    async def _fetch(self, wanted: rows.Wanted) -> None:
        community, through, cursor, more = wanted.community, wanted.through, wanted.cursor, True
        while more:
            page = await self._page(community, cursor)
            if through is None:
                through = last = page.last
                await self._until_read(last)
                await self._store.transact(partial(rows.note_end, community=community, last=last))
            cursor = await self._chronicle.stage(community, page, through)
            more = page.more and cursor < through
        await self._store.transact(partial(rows.is_fetched, community=community))

    async def _page(self, community: str, after: int) -> Page:
        request = PageRequest(com=community, after=after).to_bytes()
        answer = await self._connection().request(pages_for(self._endpoint), request, timeout=_ANSWER_WAIT)
        return parse_page(answer.data, after)

    async def _until_read(self, last: int) -> None:
        """Wait until the live feed has brought what stands up to `last`: its anchors are known then."""
        while self._ledger.sequence < last and await traffic_backlog(self._connection()):  # noqa: ASYNC110 - it tells only when asked
            await asyncio.sleep(_LOOK_PAUSE)

    async def _ask(self, community: str) -> None:
        waiting = await rows.waiting(self._store, community)
        for each in waiting:
            await self._asker.ask(community, each)
        if not waiting:
            await self._store.transact(partial(rows.is_opened, community=community))

    def _connection(self) -> Client:
        if self._link.nc is None:
            raise OperationError(Code.HUB_UNREACHABLE, "there is no connection to the hub")
        return self._link.nc
