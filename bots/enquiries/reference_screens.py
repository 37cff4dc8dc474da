"""What the UN list says, ready for chat: its entries, and who may be meant by a name. Pure.
No bulletin is shown here, only how many there are that may be.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Final

from babel.dates import format_date

from bots.dialogue.screens import plain_answer, screen
from bots.enquiries.library import Edition
from bots.enquiries.seen_here import (
    NOTHING_LEFT_OUT,
    NOTHING_SEEN,
    Seen,
    english,
    in_rows,
    seen_line,
    seen_rows,
)
from bots.enquiries.unsearched import Unsearched
from bots.officers.roles import Right
from bots.parsing.actions import encode
from bots.showing.release import Sight
from bots.showing.rendered import Button, Rendered, Showing
from bots.state.officers import Officer
from bots.wording.labels import N_
from bots.wording.markup import Span, Spans, cut
from bots.wording.words import Words, words
from schemas.vocabulary import Language
from subscribers.reference.names import Hit, Which
from subscribers.reference.spelling import How
from subscribers.reference.un_list import Entry, ListChanges, UnList

HITS: Final = 5
"""Possible matches in one answer."""
OLD_DAYS: Final = 30
LOAD: Final = "liaison-agency un-list load consolidated.xml"
FILE: Final = "LIAISON_BOT_UN_LIST"
_ALIASES_SHOWN: Final = 8
_SCRIPTS: Final = {Language.ARABIC: "ARABIC", Language.CHINESE: "CJK", Language.RUSSIAN: "CYRILLIC"}
"""How Unicode's names of letters begin in scripts that are not the list's own."""
_NOTE_MAX: Final = 600

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
class About:
    """Which edition of the list an answer is from, how many days old it is, what was seen, and what was not
    searched for it. `by_file`: the bot reads a file of its own, not what the node loaded.
    """

    made: str
    age: int
    by_file: bool = False
    seen: Seen = NOTHING_SEEN
    unsearched: Unsearched = NOTHING_LEFT_OUT


def no_list(officer: Officer, *, by_file: bool = False) -> Rendered:
    """There is no UN list: who can help, or what to do."""
    say = words(officer.language)
    text = say.text("No UN list is loaded here.")
    what = say.text("Ask your administrator for one.")
    if officer.may(Right.ADMINISTER):
        what = _get_one(say, by_file=by_file)
    return plain_answer(say.sentences(text, what), officer.language)


def list_state(officer: Officer, edition: Edition, about: About, *, within: bool) -> Rendered:
    """Which edition there is, what it changed, and how names are asked for."""
    say = words(officer.language)
    persons, every = edition.un_list.individuals, len(edition.un_list.entries)
    spans = [Span("📜 " + _edition(edition.un_list.date, say), "b")]
    counts = (
        say.count("{number} person", "{number} persons", persons),
        say.count("{number} group", "{number} groups", every - persons),
    )
    spans.append(Span("\n" + say.listed(counts)))
    spans += [
        Span("\n" + line) for line in (*_old(about, officer, how=True), *_changes(edition.changes, say))
    ]
    spans.append(
        Span(
            "\n\n"
            + say.text(
                "Ask by a reference, or by a name in any script; a year of birth may stand at the end:"
            )
        )
    )
    for example in examples(edition.un_list, officer.language):
        spans += [Span("\n"), *say.code(f"/subject {example}")]
    if not within:
        text = say.text("The list is public, but the chat service reads whom you look for.")
        spans.append(Span("\n\n⌨️ " + text))
    return screen(spans, officer.language)


def examples(un_list: UnList, language: Language) -> Iterator[str]:
    """What may be asked of this list: a reference, and a name with its year of birth where that is known; in
    the reader's script where the list writes a name in it.
    """
    yield from list(un_list.entries)[:1]
    persons = [each for each in un_list.entries.values() if each.kind == "individual"]
    own = ((each.original, each) for each in persons if _written_in(each.original, language))
    others = ((each.name, each) for each in persons)
    for name, one in chain(own, others):
        if name and all(each.isalpha() or each in " -" for each in name):
            born = next((each for each in one.born if each.first == each.last), None)
            yield f"{name} {born.first}" if born else name
            return


def hits(officer: Officer, found: Sequence[Hit], start: int, about: About) -> Rendered:
    """Who may be meant: each with the score and the reasons, and what that is worth."""
    say = words(officer.language)
    source = _edition(about.made, say)
    if not found:
        text = say.text(
            "Nobody on the list has a name like this. That clears nobody: lists lag, and names vary."
        )
        lines = ["🔎 " + text, "📜 " + source, *_old(about, officer)]
        return plain_answer("\n".join(lines), officer.language)
    shown = found[start : start + HITS]
    title = say.count("{number} possible match", "{number} possible matches", len(found))
    caution = say.text("A possible match is no identification. Compare birth, nationality and documents.")
    score = say.text("The score says how alike the names are: 100 is the same name.")
    lines = ["📜 " + source, *_old(about, officer), "⚠️ " + caution, *([] if start else ["📏 " + score])]
    head = "".join("\n" + each for each in lines)
    spans: list[Span] = [Span("🔎 " + title, "b"), Span(head)]
    for hit in shown:
        spans += [Span("\n\n"), *_hit(hit, say)]
    rows = in_rows([Button(each.entry.reference, encode("listed", each.entry.reference)) for each in shown])
    if start + HITS < len(found):
        rows += ((Button(say.text("More") + " ▾", encode("hits", start + HITS)),),)
    listed = tuple(Showing(each.entry.reference, Sight.TITLE) for each in shown)
    return replace(screen(spans, officer.language, rows), entries=listed)


def entry(officer: Officer, reference: str, one: Entry | None, about: About) -> Rendered:
    """One entry of the list, or that it is not on it; and how much was seen of it."""
    say = words(officer.language)
    rows = seen_rows("subject", reference, about.seen, say)
    foot = Span("\n\n" + seen_line(about.seen, about.unsearched, say))
    if one is None:
        text = say.text(
            "{reference} is not on this list; it may have been removed.", reference=say.embed(reference)
        )
        lines = ["🔎 " + text, "📜 " + _edition(about.made, say), *_old(about, officer)]
        return screen([Span("\n".join(lines)), foot], officer.language, rows)
    sign = "👤" if one.kind == "individual" else "👥"
    spans = [Span(f"{sign} {say.embed(one.reference)} "), Span(say.embed(one.name), "b")]
    facts = [f"\n{say.embed(one.original)}"] if one.original else []
    source = ("📜 " + _edition(about.made, say), *_old(about, officer))
    facts += ["\n" + line for line in (*source, *_facts(one, say))]
    if one.note:
        note, rest = cut(one.note, _NOTE_MAX)
        said = say.text("The list says:")
        facts.append(f"\n\n{said}\n{english(note, say)}{' …' if rest else ''}")
    made = screen([*spans, Span("".join(facts)), foot], officer.language, rows)
    return replace(made, entries=(Showing(one.reference, Sight.FULL),))


def _written_in(text: str, language: Language) -> bool:
    script = _SCRIPTS.get(language)
    return bool(script) and any(unicodedata.name(each, "").startswith(f"{script} ") for each in text)


def _edition(made: str, say: Words) -> str:
    day = format_date(date.fromisoformat(made), "long" if say.rtl else "medium", locale=say.locale)
    return say.text("UN Consolidated List of {date}", date=say.embed(day))


def _old(about: About, officer: Officer, *, how: bool = False) -> Iterator[str]:
    """That the list is old, and what to do: an administrator is not sent to themselves. `how` a newer one is
    got is said in one place.
    """
    if about.age <= OLD_DAYS:
        return
    say = words(officer.language)
    days = say.count("This list is {number} day old.", "This list is {number} days old.", about.age)
    if not officer.may(Right.ADMINISTER):
        what = say.text("Ask your administrator for a newer one.")
    elif how:
        what = _get_one(say, by_file=about.by_file)
    else:
        what = say.text("How to get a newer one: /subject")
    yield "🕒 " + say.sentences(days, what)


def _get_one(say: Words, *, by_file: bool) -> str:
    """How an administrator gets a list, or a newer one."""
    got = say.text("Get the list as XML from the UN Security Council's site.")
    if by_file:
        put = say.text(
            "Then put it where the bot runs, in the place of the file that {setting} names.",
            setting=say.embed(FILE),
        )
    else:
        put = say.text("Then load it where your agency's node runs: {command}", command=say.embed(LOAD))
    return say.sentences(got, put)


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
