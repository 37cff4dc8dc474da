"""Digests at their hours, messages taken away in time, the database kept small: APScheduler rings, pure
code decides.

The periods are reckoned by `bots.times` (APScheduler's own cron skips or doubles local times when clocks
change); a digest that fell due while the bot was down comes at start. A period is told once: its job's key
sees to that.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bots.clock import Clock, moment
from bots.digests.charting import with_chart
from bots.digests.contents import to_agency
from bots.digests.digesting import composed, wanted_now
from bots.searches.watching import Sight, on_shift, stands_in_digest
from bots.showing.release import Ceiling
from bots.state import State, jobs
from bots.state.jobs import Job
from bots.state.officers import DigestPlan, Officer, cover
from bots.state.outbox import KEEP, Sent, enqueue
from bots.telling.aftermath import DELETE_WITHIN
from bots.times import last_due, next_due, period

SWEEP_SECONDS: Final = 30
TIDY_SECONDS: Final = 3_600
DAY: Final = 86_400.0
_LATE: Final = 60.0
"""Nearer than this to the last moment for deletion, a message is rewritten instead."""

_log = structlog.get_logger()


class Stretch(NamedTuple):
    """A time that a digest tells of: from `since` up to `until`, Unix seconds. One digest for each name."""

    name: str
    since: float
    until: float


class DueTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler has no types
    """Rings at a digest's due moments."""

    def __init__(self, plan: DigestPlan) -> None:
        self._plan = plan

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next due moment after the previous ring, or after now."""
        after = max(now, previous_fire_time) if previous_fire_time else now
        return next_due(after.astimezone(UTC), self._plan.schedule, self._plan.officer.zone)


class Schedule:
    """The clockwork. `start` it in the running loop, `reload` when an officer changed a digest."""

    def __init__(self, state: State, clock: Clock, wake: Callable[[], None], ceiling: Ceiling) -> None:
        self._state = state
        self._clock = clock
        self._wake = wake
        self._ceiling = ceiling
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    async def start(self) -> None:
        """Catch up with what fell due, then ring."""
        self._scheduler.add_job(
            self.sweep, IntervalTrigger(seconds=SWEEP_SECONDS, timezone=UTC), coalesce=True
        )
        self._scheduler.add_job(self.tidy, IntervalTrigger(seconds=TIDY_SECONDS, timezone=UTC), coalesce=True)
        self._scheduler.start()
        await self.reload()
        await self.ring()
        await self.sweep()

    def stop(self) -> None:
        """No more rings."""
        self._scheduler.shutdown(wait=False)

    async def reload(self) -> None:
        """Set the alarms after what the database says now."""
        for job in self._scheduler.get_jobs():
            if job.id.startswith("digest:"):
                job.remove()
        for plan in await self._state.officers.digests():
            self._scheduler.add_job(
                self.ring,
                DueTrigger(plan),
                id=f"digest:{plan.officer.id}",
                misfire_grace_time=None,
                coalesce=True,
            )

    async def ring(self) -> None:
        """Compose every digest whose moment has passed and which was not composed yet."""
        now = self._clock.now()
        for plan in await self._state.officers.digests():
            due = last_due(moment(now), plan.schedule, plan.officer.zone)
            if due.timestamp() > plan.covered:
                name = period(due, plan.schedule, plan.officer.zone)
                stretch = Stretch(name, plan.covered, due.timestamp())
                await self.compose(plan.officer, stretch, skip=plan.skip_empty)

    async def compose(
        self,
        officer: Officer,
        stretch: Stretch,
        *,
        kind: str = "digest",
        skip: bool = False,
        why: str = "",
        asked: bool = False,
    ) -> bool:
        """The digest of what came for `officer` in a stretch of time; whether there was none of that name
        yet.

        The next digest begins where this one ends, unless `kind` is another than a digest of the officer's
        own schedule. `skip`: an empty one is not sent. `why` a hand-over begins where it does.
        `asked`: the officer wants it now.
        """
        until = stretch.until
        since = max(stretch.since, until - KEEP)
        held = await self._state.officers.subscriptions(officer.id)
        known = await self._state.outbox.told_to(officer.id) if kind == "shift" else ()
        held = on_shift(held) if kind == "shift" else held
        came = await self._state.outbox.records(since, until)
        ours = to_agency(came, self._ceiling) if kind == "shift" else ()
        told = {*known, *(each.bulletin.id for each in ours)}
        found = [
            each
            for each in came
            if each.bulletin.id in told or stands_in_digest(Sight(each, self._ceiling), held)
        ]
        advance = kind == "digest"
        named = "digest" if kind == "asked" else kind
        body = composed(named, found, since, until, skip=skip, why=why)
        body = wanted_now(body) if asked else body
        made = with_chart(jobs.digest(officer.id, stretch.name, body), len(found))
        async with self._state.store.write() as tx:
            new = await tx.run(lambda connection: enqueue(connection, made, self._clock.now()))
            if new and advance:
                await cover(tx, officer.id, until)
        if new:
            _log.info("digest composed", officer=officer.id, period=stretch.name, bulletins=len(found))
            self._wake()
        return bool(new)

    async def compose_now(self, officer: Officer) -> None:
        """What came in the last day, or week for a weekly digest, at once. The next digest is the same as
        ever.
        """
        now = self._clock.now()
        weekly = any(
            plan.officer.id == officer.id and plan.schedule.cadence == "weekly"
            for plan in await self._state.officers.digests()
        )
        since = now - (7 if weekly else 1) * DAY
        await self.compose(
            officer, Stretch(f"asked-{int(now * 1000)}", since, now + 1), kind="asked", asked=True
        )

    async def sweep(self) -> None:
        """Messages whose time is over: deleted while the service allows it, otherwise rewritten."""
        now = self._clock.now()
        made = [ending(each, now) for each in await self._state.outbox.ending(now)]
        if made:
            await self._state.outbox.add(made, now)
            for job in made:
                if job.target is not None:
                    await self._state.outbox.drop_end(job.target)
            self._wake()

    async def tidy(self) -> None:
        """Give up and forget what is old."""
        now = self._clock.now()
        await self._state.outbox.tidy(now)
        await self._state.bells.tidy(now - 3 * KEEP)


def ending(sent: Sent, now: float) -> Job:
    """What becomes of a message whose time is over."""
    if now - sent.sent < DELETE_WITHIN - _LATE:
        return jobs.delete(sent.id, sent.officer)
    return jobs.edit(sent.id, sent.officer, sent.record, "expired", fate="expired")
