"""Keeps the reviews of what is said of people: hides what is past its time, and reminds who wrote it.

The reminder is the alarm `review`, one for each community, until nothing of ours is overdue in it: amend the
bulletin with a later review, or retract it.
"""

from collections.abc import Iterable
from functools import partial
from typing import Final

import apsw
import structlog

from schemas.vocabulary import AlarmName
from subscribers.core import SECOND, Core
from subscribers.judging.alarms import Alarm, AlarmKey, end_alarms, raise_alarms
from subscribers.storage.reviews import Overdue, hide_due, next_due, own_overdue
from subscribers.storage.store import Row
from subscribers.telling.following import follow
from subscribers.telling.republish import Republisher

_LOOK_SECONDS: Final = 3600.0
_NAMED: Final = 5
"""How many references a reminder names."""

log = structlog.get_logger(__name__)


class Reviewer:
    """Runs behind the republisher."""

    def __init__(self, core: Core, republisher: Republisher) -> None:
        self._core = core
        self._news = republisher.changed.subscribe()
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Until cancelled."""
        await follow(self._news, self.look, "reviews")

    async def look(self) -> float:
        """Hide and remind of what is due; the seconds until something else may be."""
        core, now = self._core, self._core.clock()
        hidden, due, raised = await core.store.transact(partial(self._keep, now=now))
        if hidden:
            log.info("past review", hidden=hidden)
        if raised:
            core.ledger.alarmed.set()
        return _LOOK_SECONDS if due is None else min(max((due - now) / SECOND, 0.0), _LOOK_SECONDS)

    def _keep(self, connection: apsw.Connection, now: int) -> tuple[int, int | None, bool]:
        hidden = hide_due(connection, now)
        reminders = reminders_of(own_overdue(connection))
        news = {com: text for com, text in reminders.items() if self._told.get(com) != text}
        raise_alarms(connection, [Alarm(_key(com), now, text) for com, text in news.items()])
        end_alarms(connection, [_key(com) for com in _standing(connection) - reminders.keys()], now)
        self._told = reminders
        return hidden, next_due(connection), bool(news)


def reminders_of(overdue: Iterable[Overdue]) -> dict[str, str]:
    """For each community, which of our bulletins are overdue: by their references, never by what they say."""
    by_community: dict[str, list[str]] = {}
    for each in overdue:
        by_community.setdefault(each.community, []).append(each.ref)
    return {com: _named(refs) for com, refs in by_community.items()}


def _named(refs: list[str]) -> str:
    more = len(refs) - _NAMED
    return ", ".join(refs[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _key(community: str) -> AlarmKey:
    return AlarmKey(AlarmName.REVIEW, community)


def _standing(connection: apsw.Connection) -> set[str]:
    sql = "SELECT community FROM alarms WHERE name = ? AND ended IS NULL"
    rows: list[Row] = connection.execute(sql, (str(AlarmName.REVIEW),)).fetchall()
    return {row[0] for row in rows}
