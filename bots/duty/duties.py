"""`/duty`: how a roster is written down, and how it is shown. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names

from bots.clock import moment
from bots.dialogue.screens import screen
from bots.duty.ringing import Ways
from bots.duty.roster import Duty, Shift
from bots.officers.roles import Right
from bots.parsing.actions import encode
from bots.parsing.commands import clean, minute, weekday
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import Officer
from bots.times import at_local
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.errors import Code, OperationError

EXAMPLES: Final = ("/duty add Amina K. mon-fri 08:00-20:00", "/duty add Amina K. 2026-12-24 20:00-08:00")
SHOWN_MAX: Final = 40
_EVERY_DAY: Final = frozenset(range(7))
_WEEK: Final = 7
MUTE: Final = "🔕"
"""Stands at whoever cannot be called."""


@dataclass(frozen=True, slots=True)
class Add:
    """Put the officer of this name on the roster; the shift's own numbers are still 0."""

    name: str
    shift: Shift


DutyCommand = Add | Literal["show", "take", "back"]


@dataclass(frozen=True, slots=True)
class Board:
    """What `/duty` shows: a roster by its number, an event's name or '' for the agency's, its shifts, how it
    stands now, everybody's names, and who of them cannot be called.
    """

    roster: int
    title: str
    shifts: Sequence[Shift]
    duty: Duty
    names: Mapping[int, str]
    mute: frozenset[int] = frozenset()


def read(text: str) -> DutyCommand:
    """`` alone, `take`, `back`, `add NAME mon-fri 08:00-20:00`, `add NAME 2026-12-24 20:00-08:00`.

    Raises OperationError `bad_request`.
    """
    match clean(text).split():
        case []:
            return "show"
        case [word] if word.lower() in {"take", "back"}:
            return "take" if word.lower() == "take" else "back"
        case [word, *name, when, hours] if word.lower() == "add" and name and hours.count("-") == 1:
            start, end = map(minute, hours.split("-"))
            days, day = _days(when)
            return Add(" ".join(name), Shift(0, 0, start, end, days, day))
        case _:
            raise _unread()


def _days(text: str) -> tuple[frozenset[int], date | None]:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return frozenset(), date.fromisoformat(text)
        except ValueError:
            raise _unread() from None
    if text.lower() == "daily":
        return _EVERY_DAY, None
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin = weekday(first)
        length = (weekday(last) - begin) % _WEEK if last else 0
        found |= {(begin + each) % _WEEK for each in range(length + 1)}
    return frozenset(found), None


def shown(officer: Officer, board: Board, ways: Ways) -> Rendered:
    """The roster, and what this officer may do with it."""
    say = words(officer.language)
    title = say.text("Duty roster") + (f" · {say.embed(board.title)}" if board.title else "")
    spans = [Span("📟 " + title, "b"), Span("\n" + now_line(board, officer.zone, say))]
    kept, today = _kept(board, ways), moment(board.duty.now).astimezone(ways.zone).date()
    for number, each in enumerate(kept, 1):
        name = say.embed(board.names.get(each.officer, "?"))
        spans.append(Span(f"\n{number} · {name} · {_hours(seen(each, today, ways.zone, officer.zone), say)}"))
        if each.officer in board.mute:
            spans.append(Span(f" · {MUTE}"))
    if board.shifts or board.duty.takeover:
        minutes = max(1, round(ways.pace.every / 60))
        often = say.count(
            "A flash calls again every {number} minute until somebody on the roster acknowledges it.",
            "A flash calls again every {number} minutes until somebody on the roster acknowledges it.",
            minutes,
        )
        after = say.count(
            "After {number} call the next one is called too.",
            "After {number} calls the next one is called too.",
            ways.pace.calls,
        )
        spans.append(Span(f"\n\n🔴 {often} {after}"))
    hours = _whose_hours(ways.zone, officer.zone, say)
    spans.append(Span(f"\n🕒 {as_of(board, officer.zone, say)} · {hours}"))
    if officer.may(Right.ADMINISTER):
        spans.append(Span("\n\n" + say.text("To put an officer on it:")))
        for example in EXAMPLES:
            spans += [Span("\n"), *say.code(example)]
    return screen(spans, officer.language, _rows(officer, board, kept, say))


def _whose_hours(written: ZoneInfo, zone: ZoneInfo, say: Words) -> str:
    named = say.embed(zone.key)
    if written.key == zone.key:
        return say.text("Hours in {zone}", zone=named)
    return say.text(
        "Hours in {zone}; the roster is written in {roster}", zone=named, roster=say.embed(written.key)
    )


def seen(shift: Shift, today: date, written: ZoneInfo, zone: ZoneInfo) -> Shift:
    """A shift that is `written` in the roster's zone, by the clocks of another: as they stand on its day, or
    `today` for a weekly one.
    """
    day = shift.day or today
    last = day if shift.end > shift.start else day + timedelta(days=1)
    start = at_local(day, shift.start, written).astimezone(zone)
    end = at_local(last, shift.end, written).astimezone(zone)
    later = start.date() - day
    return replace(
        shift,
        start=start.hour * 60 + start.minute,
        end=end.hour * 60 + end.minute,
        days=frozenset((each + later.days) % _WEEK for each in shift.days),
        day=shift.day and shift.day + later,
    )


def now_line(board: Board, zone: ZoneInfo, say: Words) -> str:
    """Who is on duty, or what happens when nobody is, and who of them cannot be called; times in `zone`."""
    return _now(board, zone, say) + "".join(f"\n{MUTE} {each}" for each in _cannot_be_called(board, say))


def _cannot_be_called(board: Board, say: Words) -> Iterator[str]:
    line = board.duty.line
    if mute := [say.embed(board.names.get(each, "?")) for each in line if each in board.mute]:
        told = cannot_be_called(mute, say)
        rest = (
            say.text("A flash calls the others on the roster.")
            if len(mute) < len(line)
            else say.text("Nobody on the roster can be called: of a flash administrators are told.")
        )
        yield f"{told} {rest}"


def cannot_be_called(names: Iterable[str], say: Words) -> str:
    """Of whom no phone takes a call, by their embedded names."""
    return say.text(
        "{names}: cannot be called, as no phone is enrolled or it is not reached.", names=say.listed(names)
    )


def _now(board: Board, zone: ZoneInfo, say: Words) -> str:
    duty = board.duty
    named = [say.embed(board.names.get(each, "?")) for each in duty.present]
    if named:
        until = duty.takeover.until if duty.takeover else duty.until
        time = say.embed(say.when(moment(until), zone))
        return say.text("On duty now: {names}, until {time}", names=say.listed(named), time=time)
    if not board.shifts:
        return say.text(
            "Nobody is on it: a flash alerts those whom it concerns once, and calls nobody again."
        )
    if not duty.turns:
        return say.text("Nobody is on duty in the next two weeks.")
    first = next((each for each in duty.turns if each.officer not in board.mute), None)
    if first is None:
        return say.text("Nobody is on duty now.")
    return say.text(
        "Nobody is on duty now. A flash calls {name}, whose shift begins next, {time}.",
        name=say.embed(board.names.get(first.officer, "?")),
        time=say.embed(say.when(moment(first.since), zone)),
    )


def as_of(board: Board, zone: ZoneInfo, say: Words) -> str:
    """At which moment that was so: a card stays in the chat when somebody takes over."""
    return say.text("As of {time}", time=say.embed(say.when(moment(board.duty.now), zone)))


def _kept(board: Board, ways: Ways) -> list[Shift]:
    """Without dated shifts that are over."""
    today = moment(board.duty.now).astimezone(ways.zone).date()
    found = (each for each in board.shifts if each.day is None or each.day >= today - timedelta(days=1))
    return list(found)[:SHOWN_MAX]


def _hours(shift: Shift, say: Words) -> str:
    hours = say.embed(f"{say.clock(shift.start)}–{say.clock(shift.end)}")
    if shift.day is not None:
        return f"{say.embed(format_date(shift.day, 'long', locale=say.locale))} {hours}"
    if shift.days == _EVERY_DAY:
        every = say.text("Every day")  # on a line of its own: none is found within an f-string
        return f"{every} {hours}"
    names = get_day_names("abbreviated", locale=say.locale)
    return f"{say.listed([names[each] for each in sorted(shift.days)])} {hours}"


def _rows(officer: Officer, board: Board, kept: Sequence[Shift], say: Words) -> Rows:
    duty = board.duty
    rows: list[tuple[Button, ...]] = []
    if duty.present != (officer.id,):
        rows.append((Button("🙋 " + say.text("I take over"), encode("duty", "take", board.roster)),))
    if officer.id in duty.present:
        rows.append((Button("🤝 " + say.text("Hand-over"), encode("duty", "hand", board.roster)),))
    held = duty.takeover
    if held is not None and (held.officer == officer.id or officer.may(Right.ADMINISTER)):
        name = say.embed(board.names.get(held.officer, "?"))
        mine = held.officer == officer.id
        back = say.text("End my takeover") if mine else say.text("End the takeover of {name}", name=name)
        rows.append((Button("↩️ " + back, encode("duty", "back", board.roster)),))
    if officer.may(Right.ADMINISTER):
        deletes = [
            Button(
                "🗑 " + say.text("Delete {number}", number=number),
                encode("duty", "del", board.roster, each.id),
            )
            for number, each in enumerate(kept, 1)
        ]
        rows += [tuple(deletes[at : at + 4]) for at in range(0, len(deletes), 4)]
    return tuple(rows)


def _unread() -> OperationError:
    return OperationError(Code.BAD_REQUEST, "that could not be read", "see /help")
