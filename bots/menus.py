"""Menus that are edited in place: subscribing, subscriptions, digest. Pure: a draft in, a screen out."""

from collections.abc import Iterable, Sequence
from typing import Final

from babel.dates import get_day_names

from bots import labels
from bots.actions import encode
from bots.markup import Span
from bots.rendered import Button, Rendered, Rows
from bots.screens import screen
from bots.state.officers import Officer
from bots.times import Quiet, Schedule
from bots.watching import Subscription
from bots.words import NAMES, Words, words
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Community, Filters

HOURS: Final = (6, 7, 8, 9, 12, 16, 18, 20)
QUIET: Final = (Quiet(22 * 60, 6 * 60), Quiet(22 * 60, 7 * 60), Quiet(23 * 60, 7 * 60))
OFFERED: Final = tuple(each for each in Kind if each is not Kind.ACKNOWLEDGEMENT)
COMMUNITIES_SHOWN: Final = 40
LIST_SHOWN: Final = 12
_HOUR: Final = 60


def subscribing(officer: Officer, draft: Filters, communities: Sequence[Community]) -> Rendered:
    """The draft as it stands, with a way into each restriction."""
    say = words(officer.language)
    spans = [
        Span("🔔 " + say.text("New subscription"), "b"),
        Span("\n" + say.text("You will be alerted to:") + "\n"),
        Span(describe(draft, communities, say)),
        Span("\n\n" + say.text("Narrow it down, then save.")),
    ]
    rows = (
        (
            Button("👥 " + say.text("Community"), encode("sub", "com")),
            Button("🏷 " + say.text("Kind"), encode("sub", "kind")),
        ),
        (
            Button("⚠️ " + say.text("Severity"), encode("sub", "sev")),
            Button("🗺 " + say.text("Region"), encode("sub", "reg")),
        ),
        (Button("🌐 " + say.text("Language"), encode("sub", "lang")),),
        (
            Button("💾 " + say.text("Save"), encode("sub", "save")),
            Button("✖️ " + say.text("Cancel"), encode("sub", "drop")),
        ),
    )
    return screen(spans, officer.language, rows)


def choosing_communities(officer: Officer, draft: Filters, communities: Sequence[Community]) -> Rendered:
    """Which communities; none chosen means all."""
    say = words(officer.language)
    buttons = [
        _tick(each.title, encode("sub", "tc", each.id), on=each.id in draft.communities)
        for each in communities[:COMMUNITIES_SHOWN]
    ]
    return _choosing(officer, say.text("Which communities? None chosen means all."), buttons, 1)


def choosing_kinds(officer: Officer, draft: Filters) -> Rendered:
    """Which kinds; none chosen means all but acknowledgements."""
    say = words(officer.language)
    buttons = [
        _tick(labels.kind(each, say), encode("sub", "tk", each.value), on=each in draft.kinds)
        for each in OFFERED
    ]
    return _choosing(officer, say.text("Which kinds? None chosen means all."), buttons, 2)


def choosing_severity(officer: Officer, draft: Filters) -> Rendered:
    """From which severity up."""
    say = words(officer.language)
    buttons = [
        _tick(
            f"{labels.SIGNS[each]} {labels.severity(each, say)}",
            encode("sub", "ts", each.value),
            on=each is draft.severity_at_least,
        )
        for each in Severity
    ]
    return _choosing(officer, say.text("From which severity up?"), buttons, 1)


def choosing_regions(officer: Officer, draft: Filters, recent: Iterable[str]) -> Rendered:
    """Which regions: those of late, or any by their codes."""
    say = words(officer.language)
    offered = sorted({*draft.regions, *recent})[: LIST_SHOWN * 2]
    buttons = [_tick(each, encode("sub", "tr", each), on=each in draft.regions) for each in offered]
    text = say.text(
        "Which regions? Choose, or send country codes such as FR or DE-BE. None chosen means all."
    )
    return _choosing(officer, text, buttons, 4)


def choosing_languages(officer: Officer, draft: Filters) -> Rendered:
    """In which languages there must be a text."""
    say = words(officer.language)
    buttons = [
        _tick(NAMES[each], encode("sub", "tl", each.value), on=each in draft.languages) for each in Language
    ]
    return _choosing(officer, say.text("Only bulletins with a text in: (none chosen means any)"), buttons, 2)


def saved(officer: Officer, subscription: Subscription, communities: Sequence[Community]) -> Rendered:
    """The subscription holds from now on."""
    say = words(officer.language)
    spans = [
        Span("✅ " + say.text("Saved. You will be alerted to:"), "b"),
        Span("\n" + describe(subscription.filters, communities, say)),
        Span("\n\n" + say.text("/subscriptions lists, pauses and deletes.")),
    ]
    return screen(spans, officer.language)


def dropped(officer: Officer) -> Rendered:
    """The draft is gone."""
    return screen([Span(words(officer.language).text("Cancelled. Nothing was changed."))], officer.language)


def subscribed(officer: Officer, held: Sequence[Subscription], communities: Sequence[Community]) -> Rendered:
    """The officer's subscriptions with their buttons."""
    say = words(officer.language)
    new = (Button("➕ " + say.text("New subscription"), encode("sub", "home")),)
    if not held:
        return screen([Span("🔕 " + say.text("You have no subscriptions yet."))], officer.language, (new,))
    spans = [Span("🔔 " + say.text("Your subscriptions"), "b")]
    rows: list[tuple[Button, ...]] = []
    for number, each in enumerate(held[:LIST_SHOWN], 1):
        state = " ⏸ " + say.text("paused") if each.paused else ""
        spans += [Span(f"\n\n{number}. ", "b"), Span(describe(each.filters, communities, say) + state)]
        toggle = say.text("Resume") if each.paused else say.text("Pause")
        delete = say.text("Delete")
        rows.append(
            (
                Button(f"{'▶️' if each.paused else '⏸'} {toggle} {number}", encode("mine", "pause", each.id)),
                Button(f"🗑 {delete} {number}", encode("mine", "delete", each.id)),
            )
        )
    if left := len(held) - LIST_SHOWN:
        more = say.count("and {number} more", "and {number} more", left) if left > 0 else ""
        spans.append(Span("\n\n" + more if more else ""))
    return screen(spans, officer.language, (*rows, new))


def digest(officer: Officer, schedule: Schedule | None) -> Rendered:
    """The digest, the time zone and the quiet hours as they are, with the usual choices."""
    say = words(officer.language)
    spans = [
        Span("🗞 " + say.text("Digest and quiet hours"), "b"),
        Span("\n\n" + say.text("Digest: {when}", when=_when(schedule, say))),
        Span("\n" + say.text("Time zone: {zone}", zone=say.embed(officer.zone.key))),
        Span("\n" + say.text("Quiet hours: {hours}", hours=_hours(officer.quiet, say))),
        Span("\n\n" + say.text("By hand:") + "\n"),
        *say.code("/digest daily 07:30"),
        Span("\n"),
        *say.code("/digest zone Europe/Paris"),
        Span("\n"),
        *say.code("/digest quiet 22:00-06:30"),
        Span("\n"),
        *say.code("/digest now"),
    ]
    return screen(spans, officer.language, _digest_rows(officer, schedule, say))


def describe(filters: Filters, communities: Sequence[Community], say: Words) -> str:
    """A subscription in words, on one line."""
    titles = {each.id: each.title for each in communities}
    said: list[str] = []
    if filters.kinds:
        said.append(say.listed(labels.kind(each, say) for each in Kind if each in filters.kinds))
    else:
        said.append(say.text("all kinds"))
    if filters.severity_at_least is not Severity.INFO:
        said.append(
            say.text("from “{severity}” up", severity=labels.severity(filters.severity_at_least, say))
        )
    if filters.communities:
        said.append(say.listed(say.embed(titles.get(each, each)) for each in sorted(filters.communities)))
    if filters.regions:
        said.append(say.embed(", ".join(sorted(filters.regions))))
    if filters.languages:
        said.append(say.listed(NAMES[each] for each in Language if each in filters.languages))
    return " · ".join(said)


def _digest_rows(officer: Officer, schedule: Schedule | None, say: Words) -> Rows:
    cadence = schedule.cadence if schedule else None
    rows: list[tuple[Button, ...]] = [
        (
            _tick(say.text("Daily"), encode("dig", "daily"), on=cadence == "daily"),
            _tick(say.text("Weekly"), encode("dig", "weekly"), on=cadence == "weekly"),
            _tick(say.text("Off"), encode("dig", "off"), on=cadence is None),
        )
    ]
    if schedule is not None:
        hours = [
            _tick(
                say.clock(hour * _HOUR), encode("dig", "at", hour * _HOUR), on=schedule.minute == hour * _HOUR
            )
            for hour in HOURS
        ]
        rows += [tuple(hours[:4]), tuple(hours[4:])]
    if schedule is not None and schedule.cadence == "weekly":
        names = get_day_names("abbreviated", locale=say.locale)
        days = [_tick(names[day], encode("dig", "on", day), on=schedule.weekday == day) for day in range(7)]
        rows += [tuple(days[:4]), tuple(days[4:])]
    quiet = [
        _tick(
            "🌙 " + _hours(each, say), encode("dig", "quiet", each.start, each.end), on=officer.quiet == each
        )
        for each in QUIET
    ]
    never = _tick("🔔 " + say.text("No quiet hours"), encode("dig", "loud"), on=officer.quiet is None)
    return (*rows, tuple(quiet[:2]), tuple(quiet[2:]), (never,))  # a phone cuts three in a row


def _when(schedule: Schedule | None, say: Words) -> str:
    if schedule is None:
        return say.text("off")
    at = say.clock(schedule.minute)
    if schedule.cadence == "daily":
        return say.text("every day at {time}", time=at)
    day = get_day_names("wide", locale=say.locale)[schedule.weekday]
    return say.text("every week, {day} at {time}", day=day, time=at)


def _hours(quiet: Quiet | None, say: Words) -> str:
    return f"{say.clock(quiet.start)}–{say.clock(quiet.end)}" if quiet else say.text("none")


def _choosing(officer: Officer, text: str, buttons: Sequence[Button], width: int) -> Rendered:
    say = words(officer.language)
    rows = [tuple(buttons[at : at + width]) for at in range(0, len(buttons), width)]
    back = (Button("◀️ " + say.text("Back"), encode("sub", "home")),)
    return screen([Span("🔔 " + text)], officer.language, (*rows, back))


def _tick(text: str, data: str, *, on: bool) -> Button:
    return Button(("✅ " if on else "") + text, data)
