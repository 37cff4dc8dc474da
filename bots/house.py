"""Everything behind a front door, put together: the node's feeds in, the outbox out, questions answered."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from bots.cells.caretaker import Caretaker
from bots.charts.pictures import Pictures
from bots.clock import Clock, SystemClock
from bots.codes import new_code, new_id
from bots.dialogue.context import Context
from bots.dialogue.reception import Reception
from bots.dialogue.screens import ABOUT_OTHERS
from bots.digests.relief import Relief
from bots.digests.schedule import Schedule
from bots.drafting.answering import Answering
from bots.drafting.releasing import Releasing
from bots.drafting.turns import Parts
from bots.drafting.writing import Writing
from bots.enquiries.desk import Desk
from bots.enquiries.finding import Finder
from bots.enquiries.library import Library
from bots.enquiries.lookout import Lookout
from bots.enquiries.reference_desk import ReferenceDesk
from bots.events import Events
from bots.handlers import written
from bots.officers.farewell import Janitor
from bots.officers.limit import Limit
from bots.ports import Chat, NodeClient
from bots.settings import BotSettings
from bots.state import State
from bots.state.officers import Officer
from bots.telling.alarms import Watchman
from bots.telling.deadlines import Deadlines
from bots.telling.delivery import Delivery
from bots.telling.intake import Intake
from bots.telling.making import Means
from bots.telling.menus import Menus
from bots.telling.notices import NoticeIntake
from bots.telling.pacing import Pacer
from bots.telling.reminding import Reminder
from bots.telling.ringer import Ringer
from bots.wording.words import warm

_DAY: Final = 86_400.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Edges:
    """What the bot does not make itself."""

    node: NodeClient
    clock: Clock = field(default_factory=SystemClock)
    events: Events = field(default_factory=Events)
    new_code: Callable[[], str] = new_code
    new_id: Callable[[], str] = new_id


@dataclass(frozen=True, slots=True)
class Front:
    """A front door, as what is behind it sees it: `chat` carries answers, `courier` the outbox; `name` is how
    people address the bot there.
    """

    chat: Chat
    courier: Chat
    pacer: Pacer
    name: str
    announce: Callable[[Officer], Awaitable[bool]]
    """Give an officer's chat its menu of commands: whether it has arrived, or never will."""
    within: bool = False
    """The door is within the agency: no chat service reads along, and nobody else can be invited to it."""
    door: str = "chat"
    """Its name in the audit."""


def _library(settings: BotSettings) -> Library:
    return Library(settings.un_list, settings.node_dir.parent if settings.node_dir else None)


class House:
    """Built at once; `run` brings it to life. The front door brings what comes in to `reception`."""

    def __init__(self, settings: BotSettings, state: State, edges: Edges, front: Front) -> None:
        warm()
        self._name, self._events = front.name, edges.events
        ceiling, clock, node = settings.release_ceiling(), edges.clock, edges.node
        self._limit = limit = Limit(ceiling, state.memory)
        self._pictures = Pictures()
        self._delivery = Delivery(
            Means(
                state,
                front.courier,
                front.pacer,
                clock,
                ceiling,
                edges.events,
                settings.two_person_release,
                settings.concurrency,
                None if front.within else self._pictures,
            )
        )
        wake = self._delivery.wake
        self._schedule = Schedule(state, clock, wake, ceiling)
        janitor = Janitor(state, front.courier, front.pacer, clock, limit, settings.audit_days * _DAY, wake)
        ringer = Ringer(state, clock, settings.ways(), wake)

        def news() -> None:
            ringer.rouse()
            wake()

        caretaker = Caretaker(node, state, clock, settings.ways().zone, settings.state, wake)
        self._feeds = (
            janitor,
            Intake(node, state, clock, news, ceiling, within=front.within),
            ringer,
            caretaker,
            Reminder(state, clock, wake),
            Deadlines(node, state, clock, wake),
            Relief(state, clock, settings.ways().zone, self._schedule),
            NoticeIntake(node, state, clock, wake),
            Watchman(node, state, clock, wake),
            Menus(state, clock, front.announce, room=bool(settings.room_origin)),
        )
        policy = settings.two_person_release
        drafting = Parts(
            node, state, ceiling, policy, clock, edges.new_id, wake, front.door, within=front.within
        )
        context = Context(
            desk=Desk(node, state, ceiling, clock, within=front.within),
            reference=ReferenceDesk(node, state, ceiling, clock, _library(settings), within=front.within),
            writing=Writing(drafting),
            releasing=Releasing(drafting),
            answering=Answering(drafting),
            finder=Finder(node, state, ceiling, clock),
            node=node,
            state=state,
            schedule=self._schedule,
            settings=settings,
            clock=clock,
            chat=front.chat,
            username=front.name,
            new_code=edges.new_code,
            lookout=Lookout(node, ceiling, clock, None if front.within else self._pictures),
            wake=news,
            caretaker=caretaker,
            announce=front.announce,
            within=front.within,
            limit=limit,
            take_back=janitor.wake,
            door=front.door,
        )
        self.book = written()
        if front.within:
            self.book.leave_out(ABOUT_OTHERS)
        self.reception = Reception(context, self.book)

    async def run(self, stop: asyncio.Event, *door: Coroutine[Any, Any, None]) -> None:
        """Run until `stop`, with what the front door itself does beside it. Raises OperationError when the
        database, the node or the door does not let it go on.
        """
        await self._limit.refresh()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._delivery.run())
                tasks = [group.create_task(feed.run()) for feed in self._feeds]
                tasks += [group.create_task(each) for each in door]
                await self._schedule.start()
                _log.info("the bot is ready", bot=self._name)
                self._events.emit("ready", bot=self._name)
                await stop.wait()
                self._delivery.stop()
                for task in tasks:
                    task.cancel()
        finally:
            self._schedule.stop()
            self._pictures.close()
