"""Playing a scenario: each inject of this agency at its time, once, through the agency's node."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from uuid_utils import uuid7

from schemas.encoding import instant
from schemas.errors import Code, LiaisonError, OperationError, TrustError
from schemas.vocabulary import Realm
from subscribers.client import Agency
from subscribers.exercise.log import Outcome, RunLog, State
from subscribers.exercise.scenario import Inject, Scenario
from subscribers.records import Community, Filters

PATIENCE: Final = 600.0
"""Seconds, by the clock, for which an inject waits for another agency's that it links to."""
_LOOK_SECONDS: Final = 1.0
_SKEW: Final = 300_000
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Player:
    """`clock` in Unix milliseconds; `sleep` in seconds; `tell` hears of every inject as it is settled."""

    agency: Agency
    scenario: Scenario
    log: RunLog
    clock: Callable[[], int]
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    tell: Callable[[Inject, Outcome], None] = lambda *_: None
    patience: float = PATIENCE

    async def play(self) -> bool:
        """All that is left; whether everything has gone out. What is overdue goes at once, in order."""
        begun = self.log.run.begun
        for inject in self.scenario.played_by(begun.agency):
            if inject.id in self.log.run.outcomes:
                continue
            due = begun.due(inject.at)
            while (left := due - self.clock()) > 0:
                await self.sleep(left / 1000)
            outcome = await self._send(inject, due)
            self.log.settle(outcome)
            self.tell(inject, outcome)
        return all(each.state == "sent" for each in self.log.run.outcomes.values())

    async def _send(self, inject: Inject, due: int) -> Outcome:
        try:
            ids = {name: await self._linked(name) for _, name in inject.links}
            draft = inject.draft(ids)
            once = self.log.name(inject.id, str(uuid7()))
            published = await self.agency.publish(draft, self.log.run.begun.community, once=once)
        except LiaisonError as error:
            if error.code is Code.NODE_UNREACHABLE:
                raise
            why: State = "skipped" if error.code is Code.NOT_FOUND else "refused"
            return Outcome(inject.id, why, due, self.clock(), code=str(error.code))
        state: State = "refused" if published.state == "refused" else "sent"
        code = published.code or ""
        return Outcome(inject.id, state, due, self.clock(), published.id, published.ref, code)

    async def _linked(self, name: str) -> str:
        """The bulletin of an inject that went out before: our own, or another agency's, once it is here.
        OperationError `not_found` when it does not come.
        """
        if name in self.log.run.ids:
            return self.log.run.ids[name]
        other = next(each for each in self.scenario.injects if each.id == name)
        if other.by not in {"", self.log.run.begun.agency}:
            until = self.clock() + round(self.patience * 1000)
            while True:
                if found := await self._arrived(other):
                    return found
                if self.clock() >= until:
                    break
                await self.sleep(_LOOK_SECONDS)
        raise OperationError(Code.NOT_FOUND, f"inject {name} has not gone out", "see the log of its agency")

    async def _arrived(self, other: Inject) -> str | None:
        begun, cursor = self.log.run.begun, None
        since = instant(begun.started - _SKEW)
        wanted = Filters(communities=frozenset({begun.community}), since=since)
        while True:
            page = await self.agency.latest(wanted, _PAGE, cursor)
            for each in page.items:
                if each.agency == other.by and each.bulletin.title == other.fields.get("title"):
                    return each.bulletin.id
            if (cursor := page.cursor) is None:
                return None


async def arena(agency: Agency, wanted: str) -> Community:
    """The community of an exercise, by slug or id. TrustError `unknown_community`, `exercise_mismatch`,
    `read_only_member`.
    """
    known = [each for each in await agency.communities() if wanted in {each.slug, each.id}]
    if not known:
        raise TrustError(
            Code.UNKNOWN_COMMUNITY, f"the agency is in no community {wanted}", "have an owner add it"
        )
    if known[0].realm is not Realm.EXERCISE:
        raise TrustError(
            Code.EXERCISE_MISMATCH,
            f"{wanted} is a community for what is real",
            "make one with `liaison-agency community create --exercise`",
        )
    if known[0].role != "member":
        raise TrustError(Code.READ_ONLY_MEMBER, f"the agency may only read in {wanted}", "ask an owner")
    return known[0]
