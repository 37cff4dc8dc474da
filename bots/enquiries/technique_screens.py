"""What a technique of ATT&CK or DISARM is, ready for chat, and those to choose from. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bots.dialogue.screens import plain_answer, screen
from bots.enquiries.seen_here import (
    NOTHING_LEFT_OUT,
    Seen,
    english,
    in_rows,
    number,
    seen_line,
    seen_rows,
    seen_short,
)
from bots.enquiries.unsearched import Unsearched
from bots.parsing.actions import encode
from bots.showing.release import Sight
from bots.showing.rendered import Button, Rendered, Showing
from bots.state.officers import Officer
from bots.wording.labels import TAXONOMIES
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.vocabulary import Language
from subscribers.reference.tactics import Technique

FOUND_SHOWN: Final = 8
_MEASURES_SHOWN: Final = 6
_PARTS_SHOWN: Final = 9
EXAMPLE: Final = "spearphishing attachment"


def no_technique(officer: Officer) -> Rendered:
    """Nothing is called that."""
    say = words(officer.language)
    text = say.text(
        "No technique of ATT&CK or DISARM is called that. Their names are in English, such as “{example}”."
        " Give such words, or the number, such as T1566.",
        example=say.embed(EXAMPLE),
    )
    return plain_answer(text, officer.language)


def no_number(officer: Officer, asked: str) -> Rendered:
    """No technique has that number, nor one like it."""
    say = words(officer.language)
    text = say.text(
        "No technique of ATT&CK or DISARM listed here has the number {number}. Give another, or words of the"
        " name in English, such as “{example}”.",
        number=say.embed(asked),
        example=say.embed(EXAMPLE),
    )
    return plain_answer(text, officer.language)


def techniques(
    officer: Officer,
    found: Sequence[tuple[Technique, Seen]],
    unsearched: Unsearched = NOTHING_LEFT_OUT,
    *,
    left: int = 0,
    near: str = "",
    unknown: str = "",
) -> Rendered:
    """Techniques to choose from, each with how much was seen of it; `left` others are not shown. `near` is
    what was asked where no name has it, `unknown` the number where there is none such.
    """
    say = words(officer.language)
    spans = [Span("🔎 " + _nearest(near, say) + "\n")] if near else []
    if unknown:
        text = say.text(
            "No technique of ATT&CK or DISARM listed here has the number {number}; nearest:",
            number=say.embed(unknown),
        )
        spans.append(Span(f"🔎 {text}\n"))
    spans.append(Span("🧩 " + say.text("Which technique do you mean?"), "b"))
    for each, seen in found:
        known = " · ".join([*_old_one(each, say), seen_short(seen, say)])
        spans += [
            Span("\n\n"),
            *say.code(each.id),
            Span(f" {say.embed(each.name)}{_ends(each, say)}\n{known}"),
        ]
    legend = say.text(
        "Behind the name: to what end. 👁: how many bulletins here name it."
        " Names are in English, as in ATT&CK and DISARM."
    )
    more = say.count(
        "{number} more is not shown: send more words.", "{number} more are not shown: send more words.", left
    )
    foot = [legend, say.text(TAXONOMIES), *([more] if left else []), unsearched.said(say, always=True)]
    spans.append(Span("\n\n" + "\n".join(filter(None, foot))))
    made = screen(spans, officer.language, in_rows([_choice(each, seen, say) for each, seen in found]))
    return replace(made, entries=tuple(Showing(each.id, Sight.TITLE) for each, _ in found))


def technique(
    officer: Officer,
    one: Technique,
    parent: Technique | None,
    seen: Seen,
    *,
    others: Sequence[tuple[Technique, Seen]] = (),
    unsearched: Unsearched = NOTHING_LEFT_OUT,
    near: str = "",
) -> Rendered:
    """One technique: what it is, what helps against it, and how much was seen of it; `others` have its
    name. `near` is what was asked where no name is quite that.
    """
    say = words(officer.language)
    spans = [Span("🔎 " + _nearest(near, say) + "\n")] if near else []
    spans += [Span(f"🧩 {say.embed(one.id)} "), Span(say.embed(one.name), "b")]
    spans += [Span("\n" + each) for each in _old_one(one, say)]
    spans.append(Span("\n" + english(one.summary, say) + "\n"))
    if one.phases:
        spans.append(
            Span("\n🎯 " + say.text("To what end: {phases}", phases=say.listed(map(say.embed, one.phases))))
        )
    if one.countermeasures:
        names = say.listed(say.embed(each.name) for each in one.countermeasures[:_MEASURES_SHOWN])
        spans.append(Span("\n🛡 " + say.text("Against it: {measures}", measures=names)))
    spans.append(Span("\n📚 " + say.text(TAXONOMIES)))
    if say.language is not Language.ENGLISH:
        spans.append(Span("\n🌐 " + say.text("What ATT&CK and DISARM say is in English only.")))
    spans += [Span("\n🔗 " + say.embed(one.url)), Span("\n" + seen_line(seen, unsearched, say))]
    if others:
        spans.append(Span("\n\n🧩 " + say.text("Others of this name:"), "b"))
    for each, known in others:
        marks = " · ".join([*_old_one(each, say), seen_short(known, say)])
        spans += [Span("\n"), *say.code(each.id), Span(f"{_ends(each, say)} · {marks}")]
    around = [*([parent.id] if parent else []), *([one.replaced_by] if one.replaced_by else []), *one.parts]
    named = {each.id for each, _ in others}
    buttons = [Button(each, encode("tech", each)) for each in around[:_PARTS_SHOWN] if each not in named]
    rows = in_rows([_choice(each, known, say) for each, known in others])
    made = screen(
        spans, officer.language, (*seen_rows("tactic", one.id, seen, say), *rows, *in_rows(buttons))
    )
    return replace(made, entries=(Showing(one.id, Sight.FULL),))


def _nearest(asked: str, say: Words) -> str:
    return say.text("Nothing is called “{words}”; nearest:", words=say.embed(asked))


def _choice(one: Technique, seen: Seen, say: Words) -> Button:
    """The button that opens a technique, with how much was seen of it."""
    return Button(f"{one.id} · 👁 {number(seen, say)}" if seen.number else one.id, encode("tech", one.id))


def _old_one(one: Technique, say: Words) -> list[str]:
    return ["⚠️ " + say.text("no longer in use")] if one.withdrawn else []


def _ends(one: Technique, say: Words) -> str:
    return f" · {say.listed(map(say.embed, one.phases[:2]))}" if one.phases else ""
