"""The chart that follows a digest, a hand-over or a situation report, made when it is sent: it counts what
stands in the list by then, and of that only what may be shown in full.
"""

import json
from dataclasses import dataclass

from bots.charts import period
from bots.charts.numbers import described, figure
from bots.charts.period import LEAST, Period
from bots.charts.pictures import Pictures
from bots.digests.digesting import Compiler
from bots.showing.release import Ceiling
from bots.showing.rendered import Rendered
from bots.state import State, jobs
from bots.state.jobs import Job
from bots.state.lists import Listed
from bots.state.outbox import Work
from bots.wording.words import words


def with_chart(digest: Job, number: int) -> list[Job]:
    """A digest of so many bulletins, and its chart if they are enough for one."""
    return [digest, jobs.chart(digest)] if number >= LEAST else [digest]


@dataclass(frozen=True, slots=True)
class Charter:
    """Makes charts. Without `pictures` they are words alone."""

    state: State
    ceiling: Ceiling
    compiler: Compiler
    pictures: Pictures | None = None

    async def made(self, work: Work) -> tuple[Listed, Rendered] | None:
        """The chart, and what it counts; None when there is too little of it, or the officer wants none.

        It is taken away when something in it is retracted or marked higher: a list without a title.
        """
        officer = work.officer
        if not await self.state.officers.charts(officer.id):
            return None
        told = json.loads(work.body)
        records = await self.compiler.counted(work)
        if len(records) < LEAST:
            return None
        say, cell = words(officer.language), await self.state.cells.get(told["cell"])
        span = Period(told["since"], told["until"], officer.zone)
        numbers = period.numbers(records, span, self.ceiling.full, say)
        again = "Possibly a repeat: the connection broke while this was being sent."
        shown = Rendered(
            described(numbers, say, cell.name if cell else "", say.text(again) if work.repeated else ""),
            silent=True,
            passing=True,
            picture=await self.pictures.draw(figure(numbers, say)) if self.pictures else b"",
        )
        return Listed(tuple(each.bulletin.id for each in records)), shown
