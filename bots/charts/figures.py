"""`/stats`: the numbers and the words of a picture, and the same facts as text. Pure.

Only what may be shown in chat is counted, and the picture says so: the node is asked under the ceiling, so
that no bar tells of a bulletin that is withheld. A picture has the bot's own words and numbers alone: names
that others gave stand in its caption.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bots.clock import moment
from bots.searches.matching import QUIET_KINDS
from bots.showing.rendered import Part
from bots.wording import labels
from bots.wording.markup import CAPTION_MAX, Span, Spans, laid, plain, units
from bots.wording.words import Words
from schemas.encoding import from_instant, instant
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.insight.shapes import Bar, Counts, Step
from subscribers.records import Filters

WEEKS: Final = 12
DAYS: Final = 28
_NAMED: Final = 4
"""About so many columns have their date under them: more would run into each other on a phone."""
_WORST_FIRST: Final = tuple(reversed(Severity))


@dataclass(frozen=True, slots=True)
class Column:
    """One day or week: its name ('' for none), how many bulletins of each severity, least severe first, and
    of all together in words.
    """

    name: str
    numbers: tuple[int, ...]
    total: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What is drawn. Numbers with their words as `language` writes them; `legend` is by severity, least
    severe first, `rows` by kind, most first.
    """

    title: str
    total: str
    columns: tuple[Column, ...]
    legend: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, int, str], ...]
    notes: tuple[str, ...]
    language: Language


def asked(now: float, step: Step, ceiling: Tlp, community: str | None = None) -> Filters:
    """What is counted at `now` (Unix seconds): whole days or weeks (from Monday, UTC), this one the last."""
    today = moment(now).replace(hour=0, minute=0, second=0, microsecond=0)
    if step == "week":
        until = today - timedelta(days=today.weekday()) + timedelta(days=7)
        since = until - timedelta(weeks=WEEKS)
    else:
        until = today + timedelta(days=1)
        since = until - timedelta(days=DAYS)
    return Filters(
        kinds=frozenset(Kind) - QUIET_KINDS,
        communities=frozenset({community} if community else ()),
        tlp_at_most=ceiling,
        since=_instant(since),
        until=_instant(until),
    )


def figure(counts: Counts, step: Step, say: Words) -> Figure:
    """The picture of an answer."""
    every = max(1, len(counts.bars) // _NAMED)
    rows = sorted(counts.kinds.items(), key=lambda each: (-each[1], list(Kind).index(each[0])))
    return Figure(
        title=_title(step, say),
        total=say.count("{number} bulletin in all", "{number} bulletins in all", counts.total),
        columns=tuple(
            Column(
                _day(bar, say) if place % every == 0 else "",
                tuple(bar.severities.get(each, 0) for each in Severity),
                say.number(sum(bar.severities.values())),
            )
            for place, bar in enumerate(counts.bars)
        ),
        legend=tuple(
            (labels.severity(each, say), say.number(counts.severities.get(each, 0))) for each in Severity
        ),
        rows=tuple((labels.kind(kind, say), number, say.number(number)) for kind, number in rows),
        notes=(_scope(counts, say), _calendar(step, say)),
        language=say.language,
    )


def described(counts: Counts, step: Step, say: Words, place: str = "") -> tuple[Part, ...]:
    """The same facts as text: the first part fits under a picture, and holds everything if that is short.
    `place` names the community, if only one was counted.
    """
    head = laid(_head(counts, step, say, place), rtl=say.rtl)
    lines = tuple(Span("\n" + line) for line in _lines(counts, say))
    foot = laid((Span("\n\n"), say.aside(f"{_scope(counts, say)} {_calendar(step, say)}")), rtl=say.rtl)
    table = laid((Span("\n"), *lines), rtl=say.rtl) if lines else ()
    if units(plain((*head, *table, *foot))) <= CAPTION_MAX:
        return (Part.of((*head, *table, *foot)),)
    return Part.of((*head, *foot)), Part.of(laid(lines, rtl=say.rtl))


def _head(counts: Counts, step: Step, say: Words, place: str) -> Spans:
    named = f"{say.embed(place)} · " if place else ""
    spans = [Span(f"📊 {named}{_title(step, say)}", "b"), Span("\n")]
    if not counts.total:
        return (*spans, Span(say.text("Nothing came in this time.")))
    spans.append(Span(say.count("{number} bulletin in all", "{number} bulletins in all", counts.total)))
    severities = [
        f"{labels.SIGNS[each]} {labels.severity(each, say)} {say.number(counts.severities[each])}"
        for each in _WORST_FIRST
        if each in counts.severities
    ]
    kinds = sorted(counts.kinds.items(), key=lambda each: (-each[1], list(Kind).index(each[0])))
    spans.append(Span("\n" + " · ".join(severities)))
    spans.append(Span("\n" + say.listed(f"{labels.kind(kind, say)} {say.number(n)}" for kind, n in kinds)))
    return tuple(spans)


def _lines(counts: Counts, say: Words) -> Iterator[str]:
    """A line for each step that has any, the newest first."""
    for bar in reversed(counts.bars):
        if number := sum(bar.severities.values()):
            signs = " ".join(
                f"{labels.SIGNS[each]}{say.number(bar.severities[each])}"
                for each in _WORST_FIRST
                if each in bar.severities
            )
            yield f"{_day(bar, say)} · {say.number(number)} · {signs}"


def _title(step: Step, say: Words) -> str:
    if step == "week":
        return say.count("The last {number} week", "The last {number} weeks", WEEKS)
    return say.count("The last {number} day", "The last {number} days", DAYS)


def _scope(counts: Counts, say: Words) -> str:
    return say.text(
        "Counted: what may be shown in chat, up to {tlp}.", tlp=say.embed(counts.tlp_at_most.value)
    )


def _calendar(step: Step, say: Words) -> str:
    return say.text("Weeks begin on Monday, UTC.") if step == "week" else say.text("Days are those of UTC.")


def _day(bar: Bar, say: Words) -> str:
    return say.day(moment(from_instant(bar.at) / 1000))


def _instant(at: datetime) -> str:
    return instant(round(at.timestamp() * 1000))
