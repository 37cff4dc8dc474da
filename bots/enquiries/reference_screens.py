"""What public lists say, ready for chat: techniques, entries of the UN list, and who may be meant by a name.
Pure. No bulletin is shown here, only how many there are that may be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from babel.dates import format_date

from bots.dialogue.screens import plain_answer, screen
from bots.enquiries.library import Edition
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import Officer
from bots.wording.labels import N_
from bots.wording.markup import LRM, Span, Spans, cut, directed
from bots.wording.words import Words, words
from subscribers.reference.names import Hit, Which
from subscribers.reference.spelling import How
from subscribers.reference.tactics import Technique
from subscribers.reference.un_list import Entry, ListChanges

HITS: Final = 5
"""Possible matches in one answer."""
OLD_DAYS: Final = 30
LOAD: Final = "liaison-agency un-list load"
FOUND_SHOWN: Final = 8
_MEASURES_SHOWN: Final = 6
_ALIASES_SHOWN: Final = 8
_PARTS_SHOWN: Final = 9
_NOTE_MAX: Final = 600
_BUTTONS_PER_ROW: Final = 3

WHICH: Final = {
    Which.NAME: N_("Name: {name}"),
    Which.ORIGINAL: N_("Name in its own script: {name}"),
    Which.ALIAS: N_("Alias: {name}"),
    Which.GOOD_ALIAS: N_("Alias of good quality: {name}"),
    Which.LOW_ALIAS: N_("Alias of low quality: {name}"),
    Which.FORMER: N_("Former name: {name}"),
}
HOW: Final = {
    How.SCRIPT: N_("in another script: {words}"),
    How.SPELLING: N_("spelled differently: {words}"),
    How.LETTER: N_("a letter or two apart: {words}"),
    How.INITIAL: N_("only an initial: {words}"),
}
BORN: Final = {
    "agrees": N_("birth agrees: {listed}"),
    "differs": N_("birth differs: {listed}"),
    "unknown": N_("birth is not listed"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """How many bulletins there are about something, of those that may be shown."""

    number: int
    more: bool
    """There are more than `number`."""
    partly: bool
    """Some may be withheld."""


NOTHING_ASKED: Final = Seen(0, more=False, partly=False)


@dataclass(frozen=True, slots=True)
class About:
    """Which edition of the list an answer is from, how many days old it is, and what was seen."""

    made: str
    age: int
    seen: Seen = NOTHING_ASKED


def no_technique(officer: Officer) -> Rendered:
    """Nothing is called that."""
    text = words(officer.language).text(
        "No technique of ATT&CK or DISARM is called that. Give its number, such as T1566, or other words."
    )
    return plain_answer(text, officer.language)


def techniques(officer: Officer, found: Sequence[tuple[Technique, Seen]]) -> Rendered:
    """Techniques to choose from, each with how much was seen of it."""
    say = words(officer.language)
    spans = [Span("🧩 " + say.text("Which technique do you mean?"), "b")]
    for each, seen in found:
        old = ["⚠️ " + say.text("no longer in use")] if each.withdrawn else []
        known = " · ".join([*old, _seen_short(seen, say)])
        spans += [
            Span("\n\n"),
            *say.code(each.id),
            Span(f" {say.embed(each.name)}{_ends(each, say)}\n{known}"),
        ]
    if any(seen.partly for _, seen in found):
        spans.append(Span("\n\n" + say.text("Only bulletins that may be shown in chat are searched here.")))
    buttons = [
        Button(f"{each.id} · 👁 {_number(seen, say)}" if seen.number else each.id, encode("tech", each.id))
        for each, seen in found
    ]
    return screen(spans, officer.language, _in_rows(buttons))


def technique(officer: Officer, one: Technique, parent: Technique | None, seen: Seen) -> Rendered:
    """One technique: what it is, what helps against it, and how much was seen of it."""
    say = words(officer.language)
    spans = [Span(f"🧩 {say.embed(one.id)} "), Span(say.embed(one.name), "b")]
    if one.withdrawn:
        spans.append(Span("\n⚠️ " + say.text("no longer in use")))
    spans.append(Span("\n" + _english(one.summary, say) + "\n"))
    if one.phases:
        spans.append(
            Span("\n🎯 " + say.text("To what end: {phases}", phases=say.listed(map(say.embed, one.phases))))
        )
    if one.countermeasures:
        names = say.listed(say.embed(each.name) for each in one.countermeasures[:_MEASURES_SHOWN])
        spans.append(Span("\n🛡 " + say.text("Against it: {measures}", measures=names)))
    spans += [Span("\n🔗 " + say.embed(one.url)), Span("\n" + _seen(seen, say))]
    near = [*([parent.id] if parent else []), *([one.replaced_by] if one.replaced_by else []), *one.parts]
    buttons = [Button(each, encode("tech", each)) for each in near[:_PARTS_SHOWN]]
    return screen(spans, officer.language, (*_seen_rows("tactic", one.id, seen, say), *_in_rows(buttons)))


def no_list(officer: Officer) -> Rendered:
    """There is no UN list: who can help."""
    say = words(officer.language)
    text = say.text(
        "No UN list is loaded here. Ask whoever runs your agency's node for one; they load it with:"
    )
    return screen([Span(text + "\n"), *say.code(LOAD)], officer.language)


def list_state(officer: Officer, edition: Edition, age: int, *, within: bool) -> Rendered:
    """Which edition there is, what it changed, and how names are asked for."""
    say = words(officer.language)
    persons, every = edition.un_list.individuals, len(edition.un_list.entries)
    spans = [Span("📜 " + _edition(edition.un_list.date, say), "b")]
    counts = (
        say.count("{number} person", "{number} persons", persons),
        say.count("{number} group", "{number} groups", every - persons),
    )
    spans.append(Span("\n" + say.listed(counts)))
    spans += [Span("\n" + line) for line in (*_old(age, say), *_changes(edition.changes, say))]
    spans.append(
        Span(
            "\n\n"
            + say.text(
                "Ask by a reference, or by a name in any script; a year of birth may stand at the end:"
            )
        )
    )
    first = next(iter(edition.un_list.entries), "QDi.001")
    for example in (f"/subject {first}", "/subject Karim Testov 1971"):
        spans += [Span("\n"), *say.code(example)]
    if not within:
        text = say.text("The list is public, but the chat service reads whom you look for.")
        spans.append(Span("\n\n⌨️ " + text))
    return screen(spans, officer.language)


def hits(officer: Officer, found: Sequence[Hit], start: int, about: About) -> Rendered:
    """Who may be meant: each with the score and the reasons, and what that is worth."""
    say = words(officer.language)
    source = _edition(about.made, say)
    if not found:
        text = say.text(
            "Nobody on the list has a name like this. That clears nobody: lists lag, and names vary."
        )
        lines = ["🔎 " + text, "📜 " + source, *_old(about.age, say)]
        return plain_answer("\n".join(lines), officer.language)
    shown = found[start : start + HITS]
    title = say.count("{number} possible match", "{number} possible matches", len(found))
    caution = say.text("A possible match is no identification. Compare birth, nationality and documents.")
    head = "".join("\n" + each for each in ("📜 " + source, *_old(about.age, say), "⚠️ " + caution))
    spans: list[Span] = [Span("🔎 " + title, "b"), Span(head)]
    for hit in shown:
        spans += [Span("\n\n"), *_hit(hit, say)]
    rows = _in_rows([Button(each.entry.reference, encode("listed", each.entry.reference)) for each in shown])
    if start + HITS < len(found):
        rows += ((Button(say.text("More") + " ▾", encode("hits", start + HITS)),),)
    return screen(spans, officer.language, rows)


def entry(officer: Officer, reference: str, one: Entry | None, about: About) -> Rendered:
    """One entry of the list, or that it is not on it; and how much was seen of it."""
    say = words(officer.language)
    rows = _seen_rows("subject", reference, about.seen, say)
    foot = Span("\n\n" + _seen(about.seen, say))
    if one is None:
        text = say.text(
            "{reference} is not on this list; it may have been removed.", reference=say.embed(reference)
        )
        lines = ["🔎 " + text, "📜 " + _edition(about.made, say), *_old(about.age, say)]
        return screen([Span("\n".join(lines)), foot], officer.language, rows)
    sign = "👤" if one.kind == "individual" else "👥"
    spans = [Span(f"{sign} {say.embed(one.reference)} "), Span(say.embed(one.name), "b")]
    facts = [f"\n{say.embed(one.original)}"] if one.original else []
    source = ("📜 " + _edition(about.made, say), *_old(about.age, say))
    facts += ["\n" + line for line in (*source, *_facts(one, say))]
    if one.note:
        note, rest = cut(one.note, _NOTE_MAX)
        said = say.text("The list says:")
        facts.append(f"\n\n{said}\n{_english(note, say)}{' …' if rest else ''}")
    return screen([*spans, Span("".join(facts)), foot], officer.language, rows)


def _edition(made: str, say: Words) -> str:
    day = format_date(date.fromisoformat(made), "long" if say.rtl else "medium", locale=say.locale)
    return say.text("UN Consolidated List of {date}", date=say.embed(day))


def _old(age: int, say: Words) -> Iterator[str]:
    if age > OLD_DAYS:
        yield "🕒 " + say.count(
            "This list is {number} day old. Ask your administrator for a newer one.",
            "This list is {number} days old. Ask your administrator for a newer one.",
            age,
        )


def _changes(changes: ListChanges | None, say: Words) -> Iterator[str]:
    if changes is not None:
        yield "✏️ " + say.text(
            "Since the list before: {added} added, {removed} removed, {changed} changed",
            added=len(changes.added),
            removed=len(changes.removed),
            changed=len(changes.changed),
        )


def _hit(hit: Hit, say: Words) -> Spans:
    one = hit.entry
    about = [each.text for each in one.born[:2]] + list(one.nationalities)
    met = say.text(WHICH[hit.which], name=say.embed(hit.name))
    lines = [
        "",
        *([say.listed(map(say.embed, about))] if about else []),
        "↳ " + " · ".join([met, *_reasons(hit, say)]),
    ]
    return (
        Span(say.text("{score} of 100", score=hit.score) + f" · {say.embed(one.reference)} "),
        Span(say.embed(one.name), "b"),
        Span("\n".join(lines)),
    )


def _reasons(hit: Hit, say: Words) -> Iterator[str]:
    for how, message in HOW.items():
        pairs = [say.embed(f"{each.asked} ~ {each.listed}") for each in hit.pairs if each.how is how]
        if pairs:
            yield say.text(message, words=say.listed(pairs))
    if hit.reordered:
        yield say.text("in another order")
    if hit.missing:
        yield say.text("not asked for: {words}", words=say.listed(map(say.embed, hit.missing)))
    if hit.extra:
        yield say.text("not in that name: {words}", words=say.listed(map(say.embed, hit.extra)))
    if hit.born is not None:
        listed = say.listed(say.embed(each.text) for each in hit.entry.born)
        yield say.text(BORN[hit.born], listed=listed)


def _facts(one: Entry, say: Words) -> Iterator[str]:
    if one.aliases:
        names = say.listed(say.embed(each.name) for each in one.aliases[:_ALIASES_SHOWN])
        if left := len(one.aliases[_ALIASES_SHOWN:]):
            names += " " + say.count("and {number} more", "and {number} more", left)
        yield say.text("Also called: {names}", names=names)
    if one.born:
        yield say.text("Born: {dates}", dates=say.listed(say.embed(each.text) for each in one.born))
    if one.nationalities:
        countries = say.listed(map(say.embed, one.nationalities))
        yield say.text("Nationality: {countries}", countries=countries)
    yield say.text(
        "Listed {date}: {programme}", date=say.embed(one.listed), programme=say.embed(one.programme)
    )
    if one.updated:
        yield say.text("Last changed {date}", date=say.embed(one.updated))


def _seen(seen: Seen, say: Words) -> str:
    if seen.more:
        return "👁 " + say.count(
            "Seen here in more than {number} bulletin.",
            "Seen here in more than {number} bulletins.",
            seen.number,
        )
    if seen.number:
        return "👁 " + say.count(
            "Seen here in {number} bulletin.", "Seen here in {number} bulletins.", seen.number
        )
    lines = ["👁 " + say.text("Not seen here.")]
    if seen.partly:
        lines.append(say.text("Only bulletins that may be shown in chat are searched here."))
    return "\n".join(lines)


def _seen_short(seen: Seen, say: Words) -> str:
    if not seen.number:
        return "👁 " + say.text("not seen here")
    return "👁 " + say.text("seen here: {number}", number=_number(seen, say))


def _number(seen: Seen, say: Words) -> str:
    return say.number(seen.number) + ("+" if seen.more else "")


def _seen_rows(facet: str, value: str, seen: Seen, say: Words) -> Rows:
    if not seen.number:
        return ()
    return ((Button("👁 " + say.text("Show where it was seen"), encode("seen", facet, value)),),)


def _ends(one: Technique, say: Words) -> str:
    return f" · {say.listed(map(say.embed, one.phases[:2]))}" if one.phases else ""


def _english(text: str, say: Words) -> str:
    """Text that the list has in English alone."""
    return directed(text, LRM) if say.rtl else text


def _in_rows(buttons: Sequence[Button]) -> Rows:
    return tuple(
        tuple(buttons[at : at + _BUTTONS_PER_ROW]) for at in range(0, len(buttons), _BUTTONS_PER_ROW)
    )
