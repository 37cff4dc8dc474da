"""How a node that was restored from a copy comes back: the hub sets its feeds back to where the copy stood,
they are read to their end, and only then does it speak again. FORMAT.md, "History". Where the hub was
restored as well, it speaks when its operator says so.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from schemas.encoding import instant
from schemas.errors import Code, LiaisonError, OperationError
from schemas.pages import parse_page
from schemas.rewind import RewindRequest
from schemas.subjects import pages_for
from subscribers.exchange.outbox import Outbox
from subscribers.judging import returned
from subscribers.judging.returned import HubCopy, Returned
from subscribers.storage.store import Store

_WAIT: Final = 30.0

log = structlog.get_logger(__name__)


class Returning:
    """Made by the node's core; does nothing at a node that was never restored."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        endpoint: str,
        clock: Callable[[], int],
        hub_copy: Callable[[], Awaitable[HubCopy | None]],
    ) -> None:
        """`hub_copy()` gives what the hub was restored from, if we have not met that yet."""
        self._hub_copy = hub_copy
        self._store = store
        self._outbox = outbox
        self._endpoint = endpoint
        self._clock = clock

    async def begin(self, nc: Client) -> None:
        """Have the feeds set back, before they are read. OperationError when the hub does not do it."""
        copy = await returned.standing(self._store)
        if copy is None or copy.ended is not None:
            return
        until = await rewind(nc, self._endpoint, copy.sequence)
        await self._store.transact(partial(returned.reach, until=until))
        log.info("reading again what came after the copy", made=instant(copy.made), until=until)

    async def finish(self) -> None:
        """The feeds have been read to their end."""
        if hub := await self._hub_copy():
            doubt = partial(returned.doubt, publisher=self._endpoint, hub=hub, now=self._clock())
            if await self._store.transact(doubt):
                log.warning("the hub was restored as well: nothing is published until the operator decides")
        await self._end()

    async def seen(self, number: int) -> None:
        """The operator acknowledges the alarm `number`: if it is the one of a hub that was restored as well,
        nothing was said after both copies.
        """
        trust = partial(returned.trust, number=number, publisher=self._endpoint)
        if await self._store.transact(trust):
            await self._end()

    async def _end(self) -> None:
        if await self._outbox.come_back(self._endpoint, self._clock()):
            copy = await returned.standing(self._store)
            log.info("back from the copy", found=copy.found if copy else 0)

    async def standing(self) -> Returned | None:
        """The copy that this node came back from, if it ever did."""
        return await returned.standing(self._store)


async def rewind(nc: Client, endpoint: str, after: int) -> int:
    """Ask the hub to give everything after the sequence `after` once more; where its stream ends.
    OperationError `hub_unreachable`, or the hub's code.
    """
    try:
        answer = await nc.request(pages_for(endpoint), RewindRequest(rewind=after).to_bytes(), timeout=_WAIT)
        return parse_page(answer.data, 0).last
    except NatsError:
        raise OperationError(Code.HUB_UNREACHABLE, "the hub has not answered in time", "try again") from None
    except LiaisonError as refused:
        fix = "ask the hub's operator to update it: it must be able to set feeds back"
        raise OperationError(refused.code, "the hub did not set our feeds back", fix) from None
