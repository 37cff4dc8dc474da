"""Tells the audit (`hub.operating.audit`) what the operators order, what the hub refuses, and how it is
set.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from importlib import metadata
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

from hub.operating.audit import Audit
from hub.operating.meter import Meter
from hub.operating.trail import Act, Verb, named
from hub.settings import HubSettings

ORDERS: Final = frozenset({"admit", "admit-witness", "suspend", "resume", "submit"})
"""Requests to the control service that change something: each is written down with what came of it."""
_EVERY_SECONDS: Final = 60.0
"""What was refused is summed up for so long: QUARANTINE has each of them."""
_HUB: Final = "hub"
_MADE_OF: Final = {"admit": "request", "admit-witness": "request", "submit": "document"}


class Scribe:
    """Writes for one hub process."""

    def __init__(self, audit: Audit, meter: Meter) -> None:
        self._audit = audit
        self._meter = meter
        self._told: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def writing(self, settings: HubSettings) -> AsyncIterator[Self]:
        """From the hub's start to its stop; what is refused meanwhile is summed up. Raises OperationError.
        The audit has begun (`Audit.begin`).
        """
        await self._audit.note(Act(_HUB, "start", detail={"version": metadata.version("liaison")}))
        await self._settings(settings)
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._sum_up()
            await self._audit.note_quietly(Act(_HUB, "stop"))

    async def ordered(self, verb: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """An order was carried out or refused; `answer` is what the asker will read. OperationError when it
        cannot be written down.
        """
        if verb in ORDERS:
            await self._audit.note(act_of(verb, asked, answer))

    async def _settings(self, settings: HubSettings) -> None:
        now = told_settings(settings)
        before = await self._audit.last("settings")
        known = dict(before.act.detail.get("now", {})) if before else {}
        changed = sorted(name for name in {*now, *known} if now.get(name) != known.get(name))
        if changed:
            await self._audit.note(Act(_HUB, "settings", ", ".join(changed), detail={"now": now}))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self._sum_up()

    async def _sum_up(self) -> None:
        for act in refusals(self._meter, self._told):
            await self._audit.note_quietly(act)


def act_of(verb: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Act:
    """The entry for an order of the control service. Pure."""
    error, result = answer.get("error"), answer.get("result") or {}
    about = str(asked.get("who") or result.get("agency") or result.get("witness") or "")
    detail: dict[str, Any] = {}
    if given := _MADE_OF.get(verb):
        detail["sha256"] = sha256(str(asked.get(given, "")).encode()).hexdigest()
    if endpoints := result.get("endpoints") or [each for each in (result.get("endpoint"),) if each]:
        detail["endpoints"] = endpoints
    outcome = str(error["code"]) if error else "done"
    return Act(named(asked.get("by")), cast("Verb", verb), named(about) if about else "", outcome, detail)


def refusals(meter: Meter, told: Counter[tuple[str, str]]) -> list[Act]:
    """What was refused since it was last `told`, summed up by endpoint and code; `told` is brought up to
    it.
    """
    acts = []
    for public, tally in list(meter.endpoints.items()):
        for code, count in tally.refused.items():
            if fresh := count - told[public, code]:
                told[public, code] = count
                detail = {"code": code, "count": fresh}
                acts.append(Act(_HUB, "quarantine", public, detail=detail))
    return acts


def told_settings(settings: HubSettings) -> dict[str, Any]:
    """The settings as the audit keeps them: without what stands before the host of a URL, and without what is
    meant to differ among the hubs of a cluster.
    """
    own = {"state", "member", "metrics_host", "metrics_port", "traces_url"}
    told: dict[str, Any] = settings.model_dump(mode="json", exclude=own if settings.member else None)
    if told["nats"]:
        told["nats"] = ",".join(map(_without_password, told["nats"].split(",")))
    told["traces_ratio"] = str(settings.traces_ratio)  # an entry of the audit has no number with a point
    return told


def _without_password(url: str) -> str:
    parts = urlsplit(url.strip())
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
