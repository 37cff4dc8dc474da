"""Looks at the hub's facts again and again, and tells operators' endpoints, and whom it is about, what is
amiss (`hub.operating.notices`). Signed, in clear, on each one's own subject.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import uuid4

import structlog

from hub.batch import Outgoing, publish_ordered
from hub.grants import TRAFFIC
from hub.office import TROUBLE, Office
from hub.operating.notices import Limits, Recent, Topic, after, changes, for_each, readings
from hub.streams import TTL_HEADER, scan
from schemas.encoding import from_base64
from schemas.errors import LiaisonError
from schemas.operations import Operation, operations_for, read_operation, sign_operation
from schemas.signing import KEY_SIZE, Signer

_log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 30.0
OPERATION_TTL: Final = "720h"
"""30 days: who was away for longer is told again what still stands only when it changes."""


class Teller:
    """`run` until cancelled. `operators` are ids of agencies."""

    def __init__(
        self,
        office: Office,
        signer: Signer,
        facts: Callable[[], Awaitable[dict[str, Any]]],
        operators: Sequence[str],
        limits: Limits,
    ) -> None:
        self._office = office
        self._signer = signer
        self._facts = facts
        self._operators = frozenset(operators)
        self._limits = limits
        self._recent = Recent()
        self._told: dict[str, set[Topic]] | None = None

    async def run(self) -> None:
        """Look every half minute; trouble is logged, and what was not told is told the next time."""
        while True:
            try:
                await self.look()
            except TROUBLE as trouble:
                _log.warning("operators not told", reason=str(trouble) or type(trouble).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell each what has changed for it since it was last told."""
        if self._told is None:
            self._told = await self._read_back()
        facts = await self._facts()
        readers = [each for each in self._office.accounts.endpoints() if each.kind == "agency"]
        operators = {each.public for each in readers if each.name in self._operators}
        seen = for_each(readings(facts, self._limits, self._recent), operators)
        for each in readers:
            standing = self._told.get(each.public, set())
            records = changes(standing, seen.get(each.public, ()), self._office.clock())
            if records:
                await self._tell(each.public, records)
                self._told[each.public] = after(standing, records)

    async def _tell(self, endpoint: str, records: Sequence[Operation]) -> None:
        headers = {TTL_HEADER: OPERATION_TTL}
        signed = (sign_operation(record, self._signer) for record in records)
        outgoing = [Outgoing(operations_for(endpoint), data, headers) for data in signed]
        await publish_ordered(self._office.nc, outgoing, batch_id=uuid4().hex)
        for record in records:
            _log.info("operators told", kind=record.kind, state=record.state, about=record.about, to=endpoint)

    async def _read_back(self) -> dict[str, set[Topic]]:
        """What each was told that stands, as TRAFFIC holds it: before this process began."""
        hub = self._office.directory.hub
        key = from_base64(hub.key, KEY_SIZE) if hub else b""
        told: dict[str, set[Topic]] = {}
        async for messages in scan(self._office.nc, TRAFFIC, [operations_for("*")]):
            for message in messages:
                endpoint = message.subject.rsplit(".", 1)[-1]
                try:
                    record = read_operation(message.data, key)
                except LiaisonError as bad:  # by a former key of the hub: it is told again
                    _log.info("old record not read", code=str(bad.code))
                else:
                    told[endpoint] = after(told.get(endpoint, ()), [record])
        return told
