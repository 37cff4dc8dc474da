"""What is said while a bulletin rings: the calls, that all were in vain, and who acknowledged.

Calls name the reference alone, whatever the marking: the alert before them shows what may be shown.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bots.clock import Clock, moment
from bots.dialogue.screens import screen
from bots.duty.duties import MUTE, cannot_be_called
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
from bots.wording.words import Words, words
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
        told = json.loads(work.body or "[]")
        if work.verb == "call":
            number, *absent = told if isinstance(told, list) else [told]
            return _call(work.officer, record, number, await self._names(absent))
        called = await self.state.bells.called(record.bulletin.id)
        return _in_vain(work.officer, record, await self._names(told), called=called)

    async def _names(self, officers: Iterable[int]) -> list[str]:
        found = [await self.state.officers.get(each) for each in officers]
        return [each.name for each in found if each]

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


def _call(officer: Officer, record: Record, number: int, absent: Sequence[str] = ()) -> Rendered:
    say = words(officer.language)
    spans = [
        Span("📣 "),
        *say.code(record.bulletin.ref),
        Span("\n" + say.text("It still waits for somebody to acknowledge it. Call {number}.", number=number)),
        *_mute(absent, say),
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


def _mute(names: Sequence[str], say: Words) -> Iterator[Span]:
    """Who stands on the roster and cannot be called."""
    if names:
        yield Span(f"\n{MUTE} " + cannot_be_called([say.embed(each) for each in names], say))


def _in_vain(officer: Officer, record: Record, mute: Sequence[str], *, called: bool) -> Rendered:
    """`mute` are those who cannot be called; `called`: others were."""
    say = words(officer.language)
    what = say.text("Everybody on the roster was called, and nobody has acknowledged it.")
    if mute:
        what = (
            say.text("Everybody on the roster who can be called was called, and nobody has acknowledged it.")
            if called
            else say.text("Nobody on the roster can be called, so nobody was.")
        )
    spans = [
        Span("📣 "),
        *say.code(record.bulletin.ref),
        Span("\n" + what, "b"),
        *_mute(mute, say),
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
