"""Alarms of the agency's node, told to administrators: each once, by the outbox like everything else.

A message names what happened, the agency and the community's short name, and never more: what was said is no
part of an alarm.
"""

import json
from collections.abc import Callable
from typing import Final

import structlog

from bots.clock import Clock
from bots.dialogue.screens import plain_answer, screen
from bots.officers.roles import Right
from bots.ports import NodeClient
from bots.showing.rendered import Rendered
from bots.state import State, jobs
from bots.state.officers import Officer
from bots.wording.labels import N_
from bots.wording.markup import Span
from bots.wording.words import words
from schemas.errors import LiaisonError
from schemas.vocabulary import AlarmName
from subscribers.api import AlarmEntry

PAUSE: Final = 5.0
"""Seconds between two looks."""
LIST_MAX: Final = 10
_MEMORY: Final = "alarms"
_AT_ONCE: Final = 100

_log = structlog.get_logger()

WHAT: Final = {
    AlarmName.SPLIT_VIEW: N_("Another agency was shown another directory or membership log than yours."),
    AlarmName.ROLLBACK: N_("The hub went back to an older state of the directory."),
    AlarmName.STALE_HEAD: N_("The directory has not been confirmed by witnesses for too long."),
    AlarmName.WITNESS_SHORTFALL: N_("Too few witnesses have confirmed the directory."),
    AlarmName.LOG_BEHIND: N_("The hub seems to hold back parts of the directory."),
    AlarmName.GAP: N_("Messages of this agency were never delivered to yours."),
    AlarmName.SUPPRESSED_TAIL: N_("The latest messages of this agency were not delivered to yours."),
    AlarmName.FORK: N_("This agency's keys may be used in two places, or by somebody else."),
    AlarmName.REPLAYED: N_("Something was delivered a second time as if it were new."),
    AlarmName.SILENCE: N_("Nothing has come from this agency for longer than its system ever waits."),
    AlarmName.MISSING_WRAP: N_("A key that was due to your agency did not come: bulletins cannot be read."),
    AlarmName.EQUIVOCATION: N_("What came is not what its sender signed for: do not act on it."),
    AlarmName.GHOST_MEMBER: N_("Somebody was to be a member without the owners' signatures. It was refused."),
    AlarmName.FORGERY: N_("Something came that is not signed by whom it names. It was refused."),
    AlarmName.IDENTITY: N_("This agency's identity key is to be replaced, or was, perhaps against its will."),
    AlarmName.UNANSWERED: N_("The hub does not answer what your agency sends: nobody may have read it."),
    AlarmName.STOLEN_KEY: N_("Somebody else has published with your agency's keys. Nothing more is sent."),
    AlarmName.REVIEW: N_("Your agency was to look again at what it has said of people. Amend or retract it."),
    AlarmName.HUB_LAG: N_("The hub holds much that this agency's node has not read."),
    AlarmName.HUB_SILENCE: N_("The hub has not heard this agency's node for a long time."),
    AlarmName.HUB_QUOTA: N_("This agency's node has nearly used up what it may upload today."),
    AlarmName.HUB_REFUSED: N_("The hub refuses much of what this agency's node sends."),
    AlarmName.HUB_DISK: N_("The hub's disk is nearly full."),
    AlarmName.HUB_EXPIRY: N_("A key or a certificate will soon no longer be valid."),
}


class Watchman:
    """Looks for new alarms. `run` until cancelled."""

    def __init__(self, node: NodeClient, state: State, clock: Clock, wake: Callable[[], None]) -> None:
        self._node = node
        self._state = state
        self._clock = clock
        self._wake = wake

    async def run(self) -> None:
        """For ever; a node that is away is asked again."""
        while True:
            try:
                await self.look()
            except LiaisonError as error:
                _log.info("the node cannot be asked for alarms", code=error.code)
            await self._clock.sleep(PAUSE)

    async def look(self) -> None:
        """Tell every administrator of what stands and is new since the last look."""
        last = (await self._state.memory.data(_MEMORY)).get("last", 0)
        found = await self._node.alarms(_AT_ONCE, after=last)
        if not found:
            return
        told = [each for each in await self._state.officers.all() if _is_told(each)]
        made = [
            jobs.alarm(alarm.number, officer.id, alarm.model_dump_json())
            for alarm in reversed(found)
            for officer in told
        ]
        now = self._clock.now()
        await self._state.outbox.add(made, now)  # its keys make a repeat harmless
        await self._state.memory.set_data(_MEMORY, {"last": found[0].number})
        self._wake()


def notice(officer: Officer, body: str) -> Rendered:
    """The message about one alarm, from its JSON."""
    return screen(_spans(officer, AlarmEntry.model_validate(json.loads(body))), officer.language)


def listing(officer: Officer, alarms: list[AlarmEntry]) -> Rendered:
    """The answer to `/alarms`."""
    if not alarms:
        return plain_answer("✅ " + words(officer.language).text("No alarms."), officer.language)
    spans: list[Span] = []
    for each in alarms:
        spans += [*([Span("\n\n")] if spans else []), *_spans(officer, each)]
    return screen(spans, officer.language)


def _spans(officer: Officer, alarm: AlarmEntry) -> list[Span]:
    say = words(officer.language)
    where = " · ".join(each for each in (alarm.agency, alarm.community_slug) if each)
    spans = [Span("🚨 " + say.text("Alarm {number}", number=alarm.number), "b")]
    if where:
        spans.append(Span(" " + say.embed(where)))
    spans.append(Span("\n" + say.text(WHAT[alarm.name])))
    todo = say.text(
        "The operator sees what to do with {command}.", command=say.embed("liaison-agency alarms")
    )
    return [*spans, Span("\n" + todo)]


def _is_told(officer: Officer) -> bool:
    return officer.may(Right.ADMINISTER) and officer.chat is not None
