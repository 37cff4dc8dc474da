"""The node's clockwork: digests at the hours that the settings name. What is missed while the node is down is
made up at the start.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from schemas.errors import Code, LiaisonError
from subscribers.settings import DigestSchedule

log = structlog.get_logger(__name__)

Compose = Callable[[str, str], Awaitable[object]]


@contextlib.contextmanager
def running(digests: Sequence[DigestSchedule], compose: Compose) -> Iterator[None]:
    """Run `compose(community, period)` on schedule, and once at the start: a digest is made once a period
    however often it is asked.
    """
    scheduler = AsyncIOScheduler(timezone="UTC")
    for each in digests:
        hour, minute = each.at.split(":")
        weekday = "mon" if each.period == "week" else "*"
        trigger = CronTrigger(day_of_week=weekday, hour=int(hour), minute=int(minute), timezone="UTC")
        job = partial(_once, compose, each)
        scheduler.add_job(job, trigger, coalesce=True, misfire_grace_time=None, max_instances=1)
        scheduler.add_job(job)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _once(compose: Compose, schedule: DigestSchedule) -> None:
    try:
        await compose(schedule.community, schedule.period)
    except LiaisonError as error:
        level = log.info if error.code is Code.NOT_FOUND else log.warning
        level("digest not sent", community=schedule.community, code=str(error.code))
