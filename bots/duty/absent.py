"""Whoever is on the roster and cannot be called, as no phone is enrolled or it is not reached. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bots.clock import moment
from bots.duty.duties import Board
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rows
from bots.state.officers import Officer
from bots.wording.words import Words


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A duty that an officer has now: of which roster, an event's name or '' for the agency's, until when
    (Unix seconds).
    """

    roster: int
    title: str
    until: float


def held(officer: int, boards: Iterable[Board]) -> tuple[OnDuty, ...]:
    """All duties that an officer has now."""
    return tuple(
        OnDuty(each.roster, each.title, each.duty.takeover.until if each.duty.takeover else each.duty.until)
        for each in boards
        if officer in each.duty.present
    )


def lines(asking: Officer, name: str, duties: Sequence[OnDuty], say: Words) -> Iterator[str]:
    """What becomes of the duties of an officer whose phone is shut out."""
    for each in duties:
        text = say.text(
            "{name} is on duty until {time}. Take over, or put somebody else on the roster.",
            name=say.embed(name),
            time=say.embed(say.when(moment(each.until), asking.zone)),
        )
        yield "📟 " + (f"{say.embed(each.title)} · " if each.title else "") + text


def rows(duties: Sequence[OnDuty], say: Words) -> Rows:
    """Buttons for that, which leave the message where it is."""
    return tuple(
        (
            Button("🙋 " + say.text("I take over"), encode("duty", "stand", each.roster)),
            Button("📟 " + say.text("Duty roster"), encode("duty", "open", each.roster)),
        )
        for each in duties
    )
