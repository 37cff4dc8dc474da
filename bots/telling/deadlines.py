"""Whoever asked hears how the question stands: when its deadline is near, and when it has passed; once each.

What is told is counted when it is due, and held against the ceiling when it is sent.
"""

import json
from collections.abc import Callable
from typing import Final

import structlog

from bots.clock import Clock, moment
from bots.dialogue.screens import screen
from bots.parsing.actions import encode, short
from bots.ports import NodeClient
from bots.showing.buttons import button_tally
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Ceiling, Release, Sight
from bots.showing.rendered import Button, Rendered, Showing
from bots.state import State, jobs
from bots.state.outbox import Work
from bots.state.questions import Question
from bots.telling.tally import ANSWERS_MAX, answered, of_others, standing
from bots.wording.markup import Span
from bots.wording.words import words
from schemas.errors import LiaisonError
from schemas.vocabulary import Tlp
from subscribers.records import Record

LOOK: Final = 60.0
"""Seconds between two looks."""

_log = structlog.get_logger()


class Deadlines:
    """`run` until cancelled."""

    def __init__(self, node: NodeClient, state: State, clock: Clock, wake: Callable[[], None]) -> None:
        self._node = node
        self._state = state
        self._clock = clock
        self._wake = wake

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Whatever is due. What the node does not answer now is asked at the next look."""
        now = self._clock.now()
        for question in await self._state.questions.to_tell(now):
            try:
                body = await self._counted(question, now)
            except LiaisonError as error:
                _log.warning("a deadline could not be told of", code=error.code)
                continue
            stage = question.stage(now)
            made = [jobs.due(question.record, question.asker or 0, f"{stage}-{int(question.until)}", body)]
            if await self._state.questions.tell(question, stage, made, now):
                self._wake()

    async def _counted(self, question: Question, now: float) -> str:
        """Which agencies have answered, each under the marking of its answer, and how many were asked."""
        record = await self._node.show(question.record)
        found = await self._node.replies(question.record, ANSWERS_MAX)
        marked = await as_marked_now(standing(found), at(self._node))
        given = [[each.agency_name, each.bulletin.tlp.value] for each in marked if answered([each])]
        places = await self._node.communities()
        asked = next((len(each.members) - 1 for each in places if each.id == record.community), 0)
        told = {"stage": question.stage(now), "until": question.until, "answers": given, "asked": asked}
        return json.dumps(told)


async def how_it_stands(work: Work, record: Record | None, state: State, ceiling: Ceiling) -> Rendered | None:
    """The message of a job of verb `due`; None when the question was retracted, may not be shown in full any
    more, or when its deadline is another by now.
    """
    question = await state.questions.get(work.record or "")
    told = json.loads(work.body)
    if record is None or question is None or question.until != told["until"]:
        return None
    if question.told == "over" and told["stage"] == "soon":
        return None
    (record,) = await as_marked_now([record], state.outbox.record)
    if ceiling.allows(record.bulletin.tlp) is not Release.FULL:
        return None
    may = [name for name, tlp in told["answers"] if ceiling.allows(Tlp(tlp)) is Release.FULL]
    return _told(work, record, told["stage"], told["until"], list(dict.fromkeys(may)), told["asked"])


def _told(work: Work, record: Record, stage: str, until: float, names: list[str], asked: int) -> Rendered:
    say, id = words(work.officer.language), record.bulletin.id
    time = say.embed(say.when(moment(until), work.officer.zone))
    over = stage == "over"
    head = (
        say.text("The time for answers has passed: {time}.", time=time)
        if over
        else say.text("Answers are awaited until {time}.", time=time)
    )
    tally = of_others(len(names), asked, say)
    title = record.bulletin.text_in(work.officer.language).title
    spans = [Span("⌛ " if over else "⏰ "), *say.code(record.bulletin.ref), Span("\n")]
    spans += [Span(say.embed(title), "b"), Span("\n" + head), Span("\n" + tally)]
    if names:
        spans.append(Span("\n" + say.listed(say.embed(each) for each in names)))
    opens = Button("📖 " + say.text("Open"), encode("bell", short(id)))
    made = screen(spans, work.officer.language, ((button_tally(id, say), opens),))
    shows = (Showing(record.bulletin.ref, Sight.TITLE),)
    return Rendered(made.parts, made.rows, protect=True, silent=False, passing=True, shows=shows)
