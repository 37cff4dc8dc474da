"""How events are shown. Pure."""

import json
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bots.cells import cells
from bots.cells.cells import Cell
from bots.cells.orders import EXAMPLES
from bots.clock import moment
from bots.dialogue.screens import plain_answer, screen
from bots.duty.duties import Board, as_of, now_line
from bots.duty.ringing import Ways
from bots.officers.roles import Right
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered
from bots.state.officers import Officer
from bots.times import at_local
from bots.wording.labels import severity
from bots.wording.markup import Span
from bots.wording.words import Words, words


def shown(officer: Officer, cell: Cell, board: Board, ways: Ways, *, follows: bool) -> Rendered:
    """An event: how it stands, where, who is on duty, and what comes of it by itself."""
    say, now = words(officer.language), board.duty.now
    spans = [
        Span("🏟 " + say.embed(cell.name), "b"),
        Span("\n" + _standing(cell, ways, officer.zone, now, say)),
    ]
    if cell.venues:
        spans.append(Span("\n📍 " + say.listed(say.embed(each) for each in cell.venues)))
    if cell.closed is not None:
        return screen(spans, officer.language)
    spans.append(Span("\n📟 " + (now_line(board, officer.zone, say) if board.shifts else _agencys(say))))
    if board.shifts:
        spans.append(Span("\n🕒 " + as_of(board, officer.zone, say)))
    least = severity(cell.least, say)
    spans.append(Span("\n🔴 " + say.text("Calls whoever is on duty from “{severity}” up.", severity=least)))
    if cell.report is not None:
        spans.append(Span("\n🗞 " + _report(cell.report, ways.zone, officer.zone, now, say)))
    follow = (
        Button("🔕 " + say.text("No situation reports"), encode("event", "leave", cell.id))
        if follows
        else Button("🔔 " + say.text("Send me situation reports"), encode("event", "follow", cell.id))
    )
    report = Button("🗞 " + say.text("Situation report now"), encode("event", "report", cell.id))
    duty = Button("📟 " + say.text("Duty roster"), encode("event", "duty", cell.id))
    rows = [(report,), (duty, follow)]
    if officer.may(Right.ADMINISTER):
        rows.append((Button("⚙️ " + say.text("Change"), encode("cell", "menu", cell.id)),))
    return screen(spans, officer.language, tuple(rows))


def listed(officer: Officer, known: Sequence[Cell], ways: Ways, now: float) -> Rendered:
    """All events that this agency follows."""
    say = words(officer.language)
    if not known:
        spans = [
            Span(say.text("No event is followed here. /event and a name shows what bulletins say of one."))
        ]
    else:
        spans = [Span("🏟 " + say.text("Events"), "b")]
    for each in known[:20]:
        spans += [
            Span("\n\n" + say.embed(each.name), "b"),
            Span("\n" + _standing(each, ways, officer.zone, now, say) + "\n"),
        ]
        spans += say.code(f"/event {each.slug}")
    if officer.may(Right.ADMINISTER):
        spans += [Span("\n\n" + say.text("To begin one:") + "\n"), *say.code(EXAMPLES[0])]
    return screen(spans, officer.language)


def daily(minute: int, say: Words, zone: str = "") -> str:
    """When the situation report comes; with the `zone` of that hour, where it may be taken for another's."""
    time = say.clock(minute)
    if not zone:
        return say.text("Situation report every day at {time}", time=time)
    return say.text("Situation report every day at {time} ({zone})", time=time, zone=say.embed(zone))


def over(officer: Officer, body: str) -> Rendered:
    """The notice that an event was closed, from its JSON."""
    told, say = json.loads(body), words(officer.language)
    text = say.text("{event} is over and its cell is closed.", event=say.embed(told["event"]))
    if not officer.may(Right.ADMINISTER):
        return plain_answer("🏁 " + text, officer.language)
    # Without their number: it would count those that are withheld from this chat.
    kept = say.text(
        "All its bulletins are kept in the bundle {file} on your agency's machine.",
        file=say.embed(told["bundle"]),
    )
    return plain_answer(f"🏁 {text}\n{kept}", officer.language)


def _report(minute: int, written: ZoneInfo, zone: ZoneInfo, now: float, say: Words) -> str:
    """It comes at a `minute` of the agency's zone, in which that is `written`: told by the clocks of `zone`,
    as they stand today.
    """
    if zone.key == written.key:
        return daily(minute, say)
    due = at_local(moment(now).astimezone(written).date(), minute, written).astimezone(zone)
    return daily(due.hour * 60 + due.minute, say, zone.key)


def _standing(cell: Cell, ways: Ways, zone: ZoneInfo, now: float, say: Words) -> str:
    """How it stands. Its days are the agency's; the moment at which it was closed is said in `zone`."""
    if cell.closed is not None:
        return say.text("Closed, {time}", time=say.embed(say.when(moment(cell.closed), zone)))
    if cell.first is None or cell.last is None:
        return say.text("Running. No end is set.")
    first, last = (
        say.embed(format_date(each, "long", locale=say.locale)) for each in (cell.first, cell.last)
    )
    begins = cells.begins(cell, ways.zone)
    if begins is not None and now < begins:
        return say.text("From {first} to {last}. It has not begun.", first=first, last=last)
    return say.text("Running since {first}. It closes by itself after {last}.", first=first, last=last)


def _agencys(say: Words) -> str:
    return say.text("No roster of its own: the agency's duty roster holds.")
