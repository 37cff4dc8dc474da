"""What is said while a bulletin rings: the calls, that all were in vain, and who acknowledged.

Calls name the reference alone, whatever the marking: the alert before them shows what may be shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bots.clock import Clock, moment
from bots.dialogue.screens import screen
from bots.officers.roles import Right
from bots.parsing.actions import encode, short
from bots.showing.answerable import Answer
from bots.showing.buttons import button_acknowledge, button_answer
from bots.showing.heard import Heard
from bots.showing.overtaken import as_marked_now
from bots.showing.release import Ceiling, Release
from bots.showing.rendered import Button, Rendered
from bots.state import State
from bots.state.officers import Officer
from bots.state.outbox import Work
from bots.wording.markup import Span
from bots.wording.words import words
from schemas.encoding import from_instant
from subscribers.records import Record


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes the messages, at the moment in which they are sent."""

    state: State
    clock: Clock
    ceiling: Ceiling

    async def call(self, work: Work, record: Record | None) -> Rendered | None:
        """A call, or that all were in vain; None when the bulletin rings no longer."""
        if (
            record is None
            or record.state == "retracted"
            or not await self.state.bells.rings(work.record or "")
        ):
            return None
        if work.verb == "call":
            return _call(work.officer, record, int(work.body))
        return _in_vain(work.officer, record)

    async def reminder(self, work: Work, record: Record | None) -> Rendered | None:
        """That a request's deadline is near; None when it is over, or was answered meanwhile, or may not be
        shown in full: it would tell what is withheld.
        """
        if record is None:
            return None
        (record,) = await as_marked_now([record], self.state.outbox.record)
        if self.ceiling.allows(record.bulletin.tlp) is not Release.FULL:
            return None
        question = await self.state.questions.get(record.bulletin.id)
        presses = question is not None and question.presses(self.clock.now())
        return _reminder(work.officer, record) if presses else None

    async def heard(self, record: str) -> Heard | None:
        """Who acknowledged a bulletin that rang, for its messages."""
        found = await self.state.bells.answered(record)
        if found is None:
            return None
        officer = await self.state.officers.get(found.officer) if found.officer is not None else None
        return Heard(officer.name if officer else "", moment(found.at))


def _call(officer: Officer, record: Record, number: int) -> Rendered:
    say = words(officer.language)
    spans = [
        Span("📣 "),
        *say.code(record.bulletin.ref),
        Span("\n" + say.text("It still waits for somebody to acknowledge it. Call {number}.", number=number)),
    ]
    return _ringing(officer, record, spans)


def _reminder(officer: Officer, record: Record) -> Rendered:
    say = words(officer.language)
    until = moment(from_instant(record.bulletin.valid_until or record.bulletin.issued) / 1000)
    time = say.embed(say.when(until, officer.zone))
    text = say.text("An answer is asked for until {time}, and your agency has given none.", time=time)
    made = _ringing(officer, record, [Span("⏰ "), *say.code(record.bulletin.ref), Span("\n" + text)])
    if not officer.may(Right.DRAFT):
        return made
    return replace(made, rows=((button_answer(record, Answer.REPLY, say),), *made.rows))


def _in_vain(officer: Officer, record: Record) -> Rendered:
    say = words(officer.language)
    spans = [
        Span("📣 "),
        *say.code(record.bulletin.ref),
        Span("\n" + say.text("Everybody on the roster was called, and nobody has acknowledged it."), "b"),
        Span(
            "\n" + say.text("Call somebody by telephone, or acknowledge it yourself. /duty shows the roster.")
        ),
    ]
    return _ringing(officer, record, spans)


def _ringing(officer: Officer, record: Record, spans: Sequence[Span]) -> Rendered:
    say, id = words(officer.language), record.bulletin.id
    opens = Button("📖 " + say.text("Open"), encode("bell", short(id)))
    made = screen(spans, officer.language, ((button_acknowledge(id, say, done=False), opens),))
    return Rendered(made.parts, made.rows, protect=True, silent=False, passing=True)


def answered(officer: Officer, record: Record, heard: Heard | None) -> Rendered:
    """What becomes of a call when somebody has acknowledged."""
    say = words(officer.language)
    text = heard.said(say, officer.zone) if heard else say.text("Acknowledged")
    return screen([Span("✅ "), *say.code(record.bulletin.ref), Span("\n" + text)], officer.language)
