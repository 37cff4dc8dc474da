"""The node's heart: it beats in our chains when they are quiet, and hears when others' fall silent.

Both by the one schedule of `schemas.pulse`, and only while the hub is connected and has nothing waiting for
us. Beats go through the outbox like everything else; silence is an alarm that ends when a frame comes. So is
that of a hub which does not answer.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from nats.aio.client import Client

from schemas.chain import ChainKey
from schemas.encoding import instant
from schemas.errors import LiaisonError
from schemas.frame import HEARTBEAT
from schemas.limits import HEARTBEAT_FIRST
from schemas.merkle import Head
from schemas.pulse import Pulse
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence
from subscribers.exchange.composer import Item
from subscribers.exchange.hub_link import HubLink
from subscribers.exchange.outbox import Outbox
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName
from subscribers.judging.own_frames import alone
from subscribers.storage.journal import ChainName
from subscribers.storage.ledger import Ledger

log = structlog.get_logger(__name__)

_HEARD: Final = (AlarmName.SILENCE, AlarmName.UNANSWERED)
_MINUTE: Final = 60_000
_LONGEST_PAUSE: Final = 15.0
_PAUSES: Final = 4_000
"""Milliseconds of the first period for a second of pause: it is looked four times in each."""


def is_due(pulse: Pulse, tried: int, first: int, now: int, *, changed: bool) -> bool:
    """Whether a chain of ours beats now. `tried`: when it last did, whether or not that was admitted;
    `changed`: the logs have grown since, which others should soon hear.
    """
    return now >= max(pulse.last, tried) + (first if changed else pulse.period(first))


def silences(ledger: Ledger, agency: str, endpoint: str, since: int, now: int) -> dict[AlarmKey, str]:
    """Whose chains are silent, with words for people. `since`: from when on we have been able to hear."""
    directory = ledger.known()
    found = {}
    for key, (pulse, seen) in ledger.pulses.items():
        log, keys = directory.communities.get(key.community), directory.endpoints.get(key.publisher)
        if log is None or keys is None or key.publisher == endpoint or log.role(agency, now) is None:
            continue
        speaks = log.role(keys.agency, now) == "member" and directory.kid_of(keys) not in directory.revoked
        if speaks and pulse.is_silent(max(seen, since), now):
            within = pulse.period() // _MINUTE
            found[AlarmKey(AlarmName.SILENCE, key.community, key.publisher)] = (
                f"nothing in the {key.precedence} chain since {instant(seen)}, due every {within} minutes"
            )
    return found


class Patience:
    """How long the hub may owe an answer while it is connected."""

    def __init__(self) -> None:
        self._oldest: int | None = None
        self._since = 0

    def is_over(self, oldest: int | None, since: int, now: int) -> bool:
        """`oldest`: what has waited longest; `since`: from when on the hub could have answered. Unix ms."""
        if oldest != self._oldest:
            self._oldest, self._since = oldest, now
        return oldest is not None and now - max(self._since, since) > HEARTBEAT_FIRST


class Heart:
    """Made by the node's core. `first` is the time to a chain's first heartbeat, in milliseconds."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        link: HubLink,
        endpoint: str,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        first: int,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._link = link
        self._endpoint = endpoint
        self._clock = clock
        self._new_id = new_id
        self._first = first
        self._connection: Client | None = None
        self._since = 0
        self._tried: dict[ChainName, int] = {}
        self._cited: dict[ChainName, tuple[Head, Head]] = {}
        self._patience = Patience()

    async def run(self) -> None:
        """Beat and listen until cancelled."""
        while True:
            await self._link.caught_up.wait()
            if self._connection is not self._link.nc:
                self._connection, self._since = self._link.nc, self._clock()
            try:
                await self.tick(self._since)
            except LiaisonError as error:
                log.warning("heart missed a beat", code=str(error.code))
            await asyncio.sleep(min(self._first / _PAUSES, _LONGEST_PAUSE))

    async def tick(self, since: int) -> None:
        """Everything that is due now. `since`: from when on the feed has been read to its end."""
        keys = self._ledger.known().endpoints.get(self._endpoint)
        if keys is None:
            return  # not enrolled yet
        if await alone(self._ledger.store):
            for name in self._outbox.begun():
                await self._beat(name, keys.agency, since)
        await self._listen(keys.agency, since)

    async def _beat(self, name: ChainName, agency: str, since: int) -> None:
        community, precedence = name
        directory, now = self._ledger.known(), self._clock()
        log, chain = directory.communities[community], self._outbox.chain(*name)
        if log.role(agency, now) != "member" or chain.head != chain.admitted:
            return  # we have left; or something waits, after which everything before it will be missed
        heads = directory.head, log.head
        changed = self._cited.setdefault(name, heads) != heads
        pulse, _ = self._ledger.pulses.get(
            ChainKey(self._endpoint, community, precedence), (Pulse(since, since), since)
        )
        if not is_due(pulse, self._tried.get(name, 0), self._first, now, changed=changed):
            return
        self._tried[name], self._cited[name] = now, heads
        place = FrameSubject(log.community.realm, community, Precedence(precedence), self._endpoint)
        item = Item(HEARTBEAT, self._new_id(), b"", History.NONE)
        await self._outbox.put(place, lambda _: (item, ""))

    async def _listen(self, agency: str, since: int) -> None:
        now = self._clock()
        found = silences(self._ledger, agency, self._endpoint, since, now)
        if self._patience.is_over(await self._outbox.oldest(), since, now):
            found[AlarmKey(AlarmName.UNANSWERED)] = "what was sent has no receipt, and the connection stands"
        told = {each for name in _HEARD for each in await self._ledger.standing(name)}
        raised = [Alarm(key, now, words) for key, words in found.items() if key not in told]
        ended = [(key, now) for key in told if key not in found]
        if raised or ended:
            await self._ledger.alarm(raised, ended)
