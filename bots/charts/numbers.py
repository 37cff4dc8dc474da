"""What a picture of numbers shows, and the same facts as text. Pure.

A picture has the bot's own words and numbers alone: names that others gave stand in its caption.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bots.showing.rendered import Part
from bots.wording import labels
from bots.wording.markup import CAPTION_MAX, Span, Spans, laid, plain, units
from bots.wording.words import Words
from schemas.vocabulary import Kind, Language, Severity

_NAMED: Final = 4
"""About so many columns have their name under them: more would run into each other on a phone."""
_WORST_FIRST: Final = tuple(reversed(Severity))


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was counted: by time, oldest first, each stretch with its name; and by kind. `notes` say what was
    counted, and by which clock. `whole` are the stretches from when to when, where a name is only when one
    begins: there is no room for more under a column, and without a picture it would be misread.
    """

    title: str
    stretches: tuple[tuple[str, Mapping[Severity, int]], ...]
    kinds: Mapping[Kind, int]
    notes: tuple[str, ...]
    whole: tuple[str, ...] = ()

    def severities(self) -> Counter[Severity]:
        """How many of each severity."""
        return sum((Counter(dict(each)) for _, each in self.stretches), Counter())

    def most_first(self) -> list[tuple[Kind, int]]:
        """How many of each kind."""
        order = list(Kind)
        return sorted(self.kinds.items(), key=lambda each: (-each[1], order.index(each[0])))


@dataclass(frozen=True, slots=True)
class Column:
    """One stretch of time: its name ('' for none), how many bulletins of each severity, least severe first,
    and of all together in words.
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


def figure(numbers: Numbers, say: Words) -> Figure:
    """The picture."""
    every = max(1, len(numbers.stretches) // _NAMED)
    severities = numbers.severities()
    return Figure(
        title=numbers.title,
        total=_total(severities.total(), say),
        columns=tuple(
            Column(
                name if place % every == 0 else "",
                tuple(some.get(each, 0) for each in Severity),
                say.number(sum(some.values())),
            )
            for place, (name, some) in enumerate(numbers.stretches)
        ),
        legend=tuple((labels.severity(each, say), say.number(severities[each])) for each in Severity),
        rows=tuple((labels.kind(kind, say), n, say.number(n)) for kind, n in numbers.most_first()),
        notes=numbers.notes,
        language=say.language,
    )


def described(numbers: Numbers, say: Words, place: str = "", aside: str = "") -> tuple[Part, ...]:
    """The same facts as text: the first part fits under a picture, and holds everything if that is short.
    `place` names what was counted, if not everything was; `aside` is said beneath.
    """
    head = laid(_head(numbers, say, place), rtl=say.rtl)
    lines = tuple(Span("\n" + line) for line in _lines(numbers, say))
    notes = say.sentences(*filter(None, (*numbers.notes, aside)))
    foot = laid((Span("\n\n"), say.aside(notes)), rtl=say.rtl)
    table = laid((Span("\n"), *lines), rtl=say.rtl) if lines else ()
    if units(plain((*head, *table, *foot))) <= CAPTION_MAX:
        return (Part.of((*head, *table, *foot)),)
    return Part.of((*head, *foot)), Part.of(laid(lines, rtl=say.rtl))


def _head(numbers: Numbers, say: Words, place: str) -> Spans:
    named = f"{say.embed(place)} · " if place else ""
    spans = [Span(f"📊 {named}{numbers.title}", "b"), Span("\n")]
    severities = numbers.severities()
    if not severities.total():
        return (*spans, Span(say.text("Nothing came in this time.")))
    spans.append(Span(_total(severities.total(), say)))
    worst = [
        f"{labels.SIGNS[each]} {labels.severity(each, say)} {say.number(severities[each])}"
        for each in _WORST_FIRST
        if severities[each]
    ]
    kinds = (f"{labels.kind(kind, say)} {say.number(number)}" for kind, number in numbers.most_first())
    spans.append(Span("\n" + " · ".join(worst)))
    spans.append(Span("\n" + say.listed(kinds)))
    return tuple(spans)


def _lines(numbers: Numbers, say: Words) -> Iterator[str]:
    """A line for each stretch that has any, the newest first."""
    names = numbers.whole or [name for name, _ in numbers.stretches]
    for name, (_, some) in reversed(list(zip(names, numbers.stretches, strict=True))):
        if number := sum(some.values()):
            signs = " ".join(
                f"{labels.SIGNS[each]}{say.number(some[each])}" for each in _WORST_FIRST if some.get(each)
            )
            yield f"{name} · {say.number(number)} · {signs}"


def _total(number: int, say: Words) -> str:
    return say.count("{number} bulletin in all", "{number} bulletins in all", number)


def counted_up_to(tlp: str, say: Words) -> str:
    """The note that says under which ceiling was counted."""
    return say.text("Counted: what may be shown in chat, up to {tlp}.", tlp=say.embed(tlp))
