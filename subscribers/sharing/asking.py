"""Whom a late joiner asks for old keys, and when the next one is asked. FORMAT.md, "History"."""

from collections.abc import Callable
from typing import NamedTuple

import structlog

from schemas.directory import Directory
from schemas.history import HistoryRequest, sign_request
from schemas.limits import WRAPS_PER_BUNDLE
from schemas.receipts import ADMITTED
from schemas.subjects import history_submission
from subscribers.exchange.hub_link import HubLink
from subscribers.keyring.key_store import Rack
from subscribers.storage.history_rows import Waiting
from subscribers.storage.ledger import Ledger

log = structlog.get_logger(__name__)


class Joiner(NamedTuple):
    """Who asks: `clock` gives Unix milliseconds, `patience` is how long one holder is waited for."""

    rack: Rack
    endpoint: str
    clock: Callable[[], int]
    patience: int

    @property
    def agency(self) -> str:
        """Whose node this is."""
        return self.rack.ring.profile.id


class Asker:
    """Asks one holder at a time for the keys of one publisher, then the next one in turn."""

    def __init__(self, ledger: Ledger, link: HubLink, joiner: Joiner) -> None:
        self._ledger = ledger
        self._link = link
        self._joiner = joiner
        self._asked: dict[tuple[str, str], tuple[int, int]] = {}
        """By community and publisher: which holder was asked last, and when."""

    def forget(self, community: str) -> None:
        """Begin with the first holder again."""
        self._asked = {key: last for key, last in self._asked.items() if key[0] != community}

    async def ask(self, community: str, waiting: Waiting) -> None:
        """Ask the next holder for what waits, unless the last one still has time. OperationError
        `hub_unreachable`.
        """
        endpoint = self._joiner.endpoint
        now, name = self._joiner.clock(), (community, waiting.publisher)
        holders = holders_of(self._ledger.known(), community, waiting.publisher, endpoint, now)
        place, at = self._asked.get(name, (-1, 0))
        if not holders or now - at < self._joiner.patience:
            return
        place = (place + 1) % len(holders)
        self._asked[name] = (place, now)
        for start in range(0, len(waiting.announcements), WRAPS_PER_BUNDLE):
            some = waiting.announcements[start : start + WRAPS_PER_BUNDLE]
            request = HistoryRequest(
                issued=now,
                com=community,
                endpoint=endpoint,
                holder=holders[place],
                publisher=waiting.publisher,
                epochs=[each.hex() for each in some],
            )
            raw = sign_request(request, self._joiner.rack.ring.signing)
            code = await self._link.submit(history_submission(endpoint), raw)
            log.info("history asked for", holder=holders[place][:8], epochs=len(some), code=code)
            if code != ADMITTED:
                self._asked[name] = (place, 0)  # the next one, the next time round
                return


def holders_of(directory: Directory, community: str, publisher: str, own: str, now: int) -> list[str]:
    """Whom to ask for the keys of `publisher`, in order: itself, its agency's other endpoints, the owners'
    endpoints, those of other members. Only who is in the community at `now` may answer.
    """
    log_ = directory.communities[community]
    members, owners = log_.members(now), log_.community.owners
    home = directory.endpoints[publisher].agency if publisher in directory.endpoints else ""

    def rank(endpoint: str) -> tuple[bool, bool, bool, str]:
        agency = directory.endpoints[endpoint].agency
        return endpoint != publisher, agency != home, agency not in owners, endpoint

    able = (
        endpoint
        for endpoint, keys in directory.endpoints.items()
        if endpoint != own and keys.agency in members and directory.kid_of(keys) not in directory.revoked
    )
    return sorted(able, key=rank)
