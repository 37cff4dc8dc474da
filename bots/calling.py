"""What is said while a bulletin rings: the calls, that all were in vain, and who acknowledged.

Calls name the reference alone, whatever the marking: the alert before them shows what may be shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bots.actions import encode, short
from bots.clock import moment
from bots.heard import Heard
from bots.markup import Span
from bots.render import button_acknowledge
from bots.rendered import Button, Rendered
from bots.screens import screen
from bots.state import State
from bots.state.officers import Officer
from bots.state.outbox import Work
from bots.words import words
from subscribers.records import Record


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes the messages, at the moment in which they are sent."""

    state: State

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
