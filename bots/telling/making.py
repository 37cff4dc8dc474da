"""What a job says: its message, made at the last moment, so that the release gate sees the ceiling, the
language and the state of the bulletin as they are now.
"""

from dataclasses import dataclass

from bots.cells.screens import over
from bots.charts.pictures import Pictures
from bots.clock import Clock
from bots.digests.charting import Charter
from bots.digests.digesting import Compiler
from bots.drafting.policy import TwoPersons
from bots.drafting.telling import told_of_draft
from bots.duty import takeovers
from bots.events import Events
from bots.officers import appointing
from bots.officers.lost_phone import afterwards
from bots.ports import Chat
from bots.showing.release import Ceiling
from bots.showing.rendered import Rendered
from bots.state import State
from bots.state.lists import Listed
from bots.state.outbox import Work
from bots.telling.aftermath import reader
from bots.telling.alarms import notice
from bots.telling.calling import Caller
from bots.telling.deadlines import how_it_stands
from bots.telling.last_moment import Teller
from bots.telling.notices import render_notice
from bots.telling.pacing import Pacer
from subscribers.records import Notice, Record


@dataclass(frozen=True, slots=True)
class Means:
    """What delivery works with."""

    state: State
    chat: Chat
    pacer: Pacer
    clock: Clock
    ceiling: Ceiling
    events: Events
    policy: TwoPersons = TwoPersons.OFF
    concurrency: int = 8
    """How many requests may be in flight: as many may repeat after a kill."""
    pictures: Pictures | None = None
    """Draws charts; None behind a door that shows none."""


class Maker:
    """Makes messages; `compiler` makes digests again, `teller` what became of alerts."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._caller = Caller(means.state, means.clock, means.ceiling)
        self.compiler = Compiler(means.state, means.ceiling, means.clock)
        self._charter = Charter(means.state, means.ceiling, self.compiler, means.pictures)
        self.teller = Teller(means.state, means.ceiling, self._caller)

    async def made(self, work: Work, record: Record | None) -> tuple[Listed | None, Rendered | None]:
        """What a job's message lists, if something in it may change later; and the message, None when there
        is nothing to say.
        """
        match work.verb:
            case "digest":
                listed = await self.compiler.listed(work)
                return listed, await self.compiler.rendered(work, listed) if listed else None
            case "chart":
                return await self._charter.made(work) or (None, None)
            case _:
                return None, await self._rendered(work, record)

    async def again(self, work: Work, listed: Listed) -> Rendered | None:
        """The same message as it would be now."""
        if work.verb == "digest":
            return await self.compiler.rendered(work, listed)
        return (await self.made(work, None))[1]

    async def _rendered(self, work: Work, record: Record | None) -> Rendered | None:
        match work.verb:
            case "alarm":
                return notice(work.officer, work.body)
            case "notice":
                told = Notice.model_validate_json(work.body)
                return render_notice(told, self._means.ceiling, reader(work.officer), repeated=work.repeated)
            case "draft":
                means = self._means
                return await told_of_draft(work, means.state, means.ceiling, means.policy, means.clock.now())
            case "alert":
                return await self.teller.alert(work, record)
            case "closed":
                return over(work.officer, work.body)
            case "parted":
                return afterwards(work.officer, work.body)
            case "relieved":
                return takeovers.told(work.officer, work.body)
            case "appointed":
                return appointing.told(work.officer, work.body)
            case "remind":
                return await self._caller.reminder(work, record)
            case "due":
                return await how_it_stands(work, record, self._means.state, self._means.ceiling)
            case _:
                return await self._caller.call(work, record)
