"""The menu in which an administrator changes an event, edited in place. Pure."""

from typing import Final
from zoneinfo import ZoneInfo

from bots.cells.cells import Cell
from bots.cells.orders import EXAMPLES
from bots.cells.screens import daily
from bots.dialogue.menus import tick
from bots.dialogue.screens import screen
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered
from bots.state.officers import Officer
from bots.wording.labels import severity
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.vocabulary import Severity

RINGS: Final = (Severity.HIGH, Severity.FLASH)
REPORTS: Final = (6 * 60, 7 * 60, 8 * 60, 18 * 60)
"""Minutes after midnight."""
DATES: Final = "2026-07-26 2026-08-11"
VENUES: Final = "Stadium North, Arena"


def changing(officer: Officer, cell: Cell, zone: ZoneInfo) -> Rendered:
    """What can be changed, as it is; hours are those of the agency's `zone`, in which they are ordered."""
    say, key = words(officer.language), cell.id
    least = severity(cell.least, say)
    spans = [
        Span("🏟 " + say.embed(cell.name), "b"),
        Span("\n\n🔴 " + say.text("Calls whoever is on duty from “{severity}” up.", severity=least)),
        Span("\n🗞 " + _report(cell, zone, officer, say)),
        Span("\n\n" + say.text("By hand:")),
    ]
    for example in EXAMPLES[1:]:
        spans += [Span("\n"), *say.code(example.replace(" games ", f" {cell.slug} ", 1))]
    rings = tuple(
        tick("🔴 " + severity(each, say), encode("cell", "rings", key, each.value), on=cell.least is each)
        for each in RINGS
    )
    reports = tuple(
        tick(say.clock(each), encode("cell", "report", key, each), on=cell.report == each) for each in REPORTS
    )
    off = tick(say.text("No situation reports"), encode("cell", "silent", key), on=cell.report is None)
    asked = (
        Button("📅 " + say.text("Dates"), encode("cell", "dates", key)),
        Button("📍 " + say.text("Venues"), encode("cell", "venues", key)),
    )
    last = (Button("🏁 " + say.text("Close the event"), encode("cell", "sure", key)), _back(cell, say))
    return screen(spans, officer.language, (rings, reports, (off,), asked, last))


def asking_dates(officer: Officer, cell: Cell) -> Rendered:
    """The next line says from when to when it is."""
    text = words(officer.language).text("Send the first and the last day, written like this:")
    return _asking(officer, cell, "📅 " + text, DATES)


def asking_venues(officer: Officer, cell: Cell) -> Rendered:
    """The next line says where it is."""
    text = words(officer.language).text("Send where it is, with commas between the places:")
    return _asking(officer, cell, "📍 " + text, VENUES)


def closing(officer: Officer, cell: Cell) -> Rendered:
    """Whether it is meant."""
    say = words(officer.language)
    text = say.text(
        "Close {event}? Its bulletins are bundled, and it rings and reports no more.",
        event=say.embed(cell.name),
    )
    sure = Button("🏁 " + say.text("Close the event"), encode("cell", "close", cell.id))
    return screen([Span(text)], officer.language, ((sure,), (_back(cell, say, "menu"),)))


def _asking(officer: Officer, cell: Cell, text: str, example: str) -> Rendered:
    say = words(officer.language)
    rows = ((_back(cell, say, "menu"),),)
    return screen([Span(text + "\n"), *say.code(example)], officer.language, rows)


def _report(cell: Cell, zone: ZoneInfo, officer: Officer, say: Words) -> str:
    if cell.report is None:
        return say.text("No situation reports")
    return daily(cell.report, say, "" if officer.zone.key == zone.key else zone.key)


def _back(cell: Cell, say: Words, to: str = "shown") -> Button:
    return Button("◀️ " + say.text("Back"), encode("cell", to, cell.id))
