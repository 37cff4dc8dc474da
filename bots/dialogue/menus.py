"""The digest's menu, edited in place, and what menus share. Pure: what is held in, a screen out."""

from typing import Final

from babel.dates import get_day_names

from bots.dialogue.screens import screen
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import DigestPlan, Officer
from bots.times import Quiet, Schedule
from bots.wording.markup import Span
from bots.wording.words import Words, words
from bots.wording.zones import city

HOURS: Final = (6, 7, 8, 9, 12, 16, 18, 20)
QUIET: Final = tuple(Quiet(start * 60, end * 60) for start, end in ((22, 6), (22, 7), (23, 6), (23, 7)))
_HOUR: Final = 60


def digest(officer: Officer, plan: DigestPlan | None, *, charts: bool) -> Rendered:
    """The digest, the time zone and the quiet hours as they are, with the usual choices."""
    say, schedule = words(officer.language), plan.schedule if plan else None
    spans = [
        Span("🗞 " + say.text("Digest and quiet hours"), "b"),
        Span("\n\n" + say.text("Digest: {when}", when=_when(schedule, say))),
        Span("\n" + say.text("Time zone: {zone}", zone=say.embed(officer.zone.key))),
        Span("\n" + say.text("Quiet hours: {hours}", hours=hours(officer.quiet, say))),
        Span("\n\n" + say.text("By hand:") + "\n"),
        *say.code("/digest daily 07:30"),
        Span("\n"),
        *say.code("/digest zone Paris"),
        Span("\n"),
        *say.code("/digest quiet 22:00-06:30"),
        Span("\n"),
        *say.code("/digest now"),
    ]
    return screen(spans, officer.language, _digest_rows(officer, plan, say, charts=charts))


def _digest_rows(officer: Officer, plan: DigestPlan | None, say: Words, *, charts: bool) -> Rows:
    schedule = plan.schedule if plan else None
    cadence = schedule.cadence if schedule else None
    rows: list[tuple[Button, ...]] = [
        (
            tick(say.text("Daily"), encode("dig", "daily"), on=cadence == "daily"),
            tick(say.text("Weekly"), encode("dig", "weekly"), on=cadence == "weekly"),
            tick(say.text("Off"), encode("dig", "off"), on=cadence is None),
        )
    ]
    if schedule is not None:
        times = [
            tick(
                say.clock(hour * _HOUR), encode("dig", "at", hour * _HOUR), on=schedule.minute == hour * _HOUR
            )
            for hour in HOURS
        ]
        rows += [tuple(times[:4]), tuple(times[4:])]
    if schedule is not None and schedule.cadence == "weekly":
        names = get_day_names("abbreviated", locale=say.locale)
        days = [tick(names[day], encode("dig", "on", day), on=schedule.weekday == day) for day in range(7)]
        rows += [tuple(days[:4]), tuple(days[4:])]
    if plan is not None:
        tell = tick(say.text("Empty ones too"), encode("dig", "empty", "say"), on=not plan.skip_empty)
        skip = tick(say.text("No empty ones"), encode("dig", "empty", "skip"), on=plan.skip_empty)
        rows.append((tell, skip))
    drawn = tick("📊 " + say.text("With a chart"), encode("dig", "chart", "on"), on=charts)
    rows.append((drawn, tick(say.text("No chart"), encode("dig", "chart", "off"), on=not charts)))
    quiet = [
        tick("🌙 " + hours(each, say), encode("dig", "quiet", each.start, each.end), on=officer.quiet == each)
        for each in QUIET
    ]
    never = tick("🔔 " + say.text("No quiet hours"), encode("dig", "loud"), on=officer.quiet is None)
    last = (never, zone_button(officer, "dig"))
    return (*rows, tuple(quiet[:2]), tuple(quiet[2:]), last)  # a phone cuts three in a row


def _when(schedule: Schedule | None, say: Words) -> str:
    if schedule is None:
        return say.text("off")
    at = say.clock(schedule.minute)
    if schedule.cadence == "daily":
        return say.text("every day at {time}", time=at)
    day = get_day_names("wide", locale=say.locale)[schedule.weekday]
    return say.text("every week, {day} at {time}", day=day, time=at)


def hours(quiet: Quiet | None, say: Words) -> str:
    """Quiet hours in words, "none" for none."""
    return f"{say.clock(quiet.start)}–{say.clock(quiet.end)}" if quiet else say.text("none")


def zone_button(officer: Officer, *place: str) -> Button:
    """The way to the time zone, and from there back to the menu that is called `place`."""
    say = words(officer.language)
    text = say.text("Time zone: {zone}", zone=city(officer.zone.key, say))
    return Button("🕰 " + text, encode("zone", "ask", *place))


def tick(text: str, data: str, *, on: bool) -> Button:
    """A button that shows whether it is chosen."""
    return Button(("✅ " if on else "") + text, data)
